import { z } from 'zod';
import { count, freeName } from './words.ts';

/** The engine counts in millionths, exactly: larger limits would not be (`MOST_RATE` in relay/quota/limits.ts). */
export const MOST_LIMIT = 4_503_599_627;

/** A whole number from 1 to the largest one. */
export const limit = count.max(MOST_LIMIT);

/** Money is counted in integer nano-units (a token costs some hundred of them), which are exact up to this many units. */
const MOST_MONEY = Math.floor(Number.MAX_SAFE_INTEGER / 1e9);

export const currency = z.enum(['CNY', 'USD']);

const budgetSchema = z.strictObject({
  amount: z
    .number()
    .gt(0)
    .max(MOST_MONEY)
    .refine((amount) => amount <= 0 || Math.round(amount * 1e9) > 0, {
      error: 'must be at least 0.000000001: money is counted in billionths',
    })
    .meta({ description: 'Money that may be spent in one window; decimals are allowed, to the billionth.' }),
  currency: currency.meta({ description: 'Currency of `amount`.' }),
  per: z
    .enum(['hour', 'day', 'week', 'month', 'never'])
    .meta({ description: 'The calendar window after which it starts anew, in the time zone of the team; `never` is once and for all.' }),
});

/** Rates, which a vendor's account has too. */
export const rates = {
  rpm: limit.optional().meta({ unit: 'requests', description: 'Requests per minute, refilled continuously.' }),
  rpd: limit.optional().meta({ unit: 'requests', description: 'Requests per day, refilled continuously.' }),
  tpm: limit.optional().meta({ unit: 'tokens', description: 'Tokens per minute, input and output together.' }),
  tpd: limit.optional().meta({ unit: 'tokens', description: 'Tokens per day, input and output together.' }),
};

/** The limits of one entry of `models`. */
const modelLimitsSchema = z.strictObject({
  ...rates,
  concurrency: limit.optional().meta({ unit: 'requests', description: 'Requests running at the same time.' }),
  budget: budgetSchema.optional().meta({ description: 'Money per calendar window.' }),
  outputReserve: limit.optional().meta({
    unit: 'tokens',
    description:
      'Most output tokens reserved for a choice, whatever its `max_tokens`. Absent: learned from the answers of the model, 2048 at first.',
  }),
});

/** `limits` of a team or key: every one that is set must allow a request. */
export const limitsSchema = z.strictObject({
  ...modelLimitsSchema.shape,
  models: z.record(freeName, modelLimitsSchema).optional().meta({
    description:
      'Limits of requests that ask for a name, besides the others. `*` stands for any characters. The exact name comes first, then the first pattern in the order of the file; all names of an entry share its limits.',
  }),
});

export type ModelLimits = z.output<typeof modelLimitsSchema>;
