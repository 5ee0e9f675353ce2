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
    .meta({ description: 'Money that may be spent in one window. Up to nine decimals.' }),
  currency: currency.meta({ description: 'Currency of `amount`.' }),
  per: z.enum(['hour', 'day', 'week', 'month', 'never']).meta({
    description: "Calendar window after which the budget starts again, in the team's `timeZone`. `never`: it does not start again.",
  }),
});

/**
 * Rates, which a vendor's account has too.
 * @param beyond what becomes of a request that exceeds one
 */
export function rates(beyond: string) {
  return {
    rpm: limit.optional().meta({ unit: 'requests', description: `Requests per minute, refilled continuously. ${beyond}` }),
    rpd: limit.optional().meta({ unit: 'requests', description: `Requests per day, refilled continuously. ${beyond}` }),
    tpm: limit
      .optional()
      .meta({ unit: 'tokens', description: `Tokens per minute, input and output together, refilled continuously. ${beyond}` }),
    tpd: limit
      .optional()
      .meta({ unit: 'tokens', description: `Tokens per day, input and output together, refilled continuously. ${beyond}` }),
  };
}

/** The limits of one entry of `models`. */
const modelLimitsSchema = z.strictObject({
  ...rates('More get 429.'),
  concurrency: limit.optional().meta({ unit: 'requests', description: 'Requests at the same time. More get 429.' }),
  budget: budgetSchema
    .optional()
    .meta({ description: 'Money per calendar window, at list prices. When it is spent, requests get 429 `insufficient_quota`.' }),
  outputReserve: limit.optional().meta({
    unit: 'tokens',
    description:
      "Most output tokens that the relay reserves for each choice of a request, even if its `max_tokens` is larger. It does not limit the answer. Absent: learned from the model's answers, 2048 at first.",
  }),
});

/** `limits` of a team or key: every one that is set must allow a request. */
export const limitsSchema = z.strictObject({
  ...modelLimitsSchema.shape,
  models: z.record(freeName, modelLimitsSchema).optional().meta({
    description:
      'Limits for single model names, in addition to the limits above. `*` matches any characters. An exact name wins, then the first pattern that matches, in the order of the file. All names that match an entry share its limits.',
  }),
});

export type ModelLimits = z.output<typeof modelLimitsSchema>;
