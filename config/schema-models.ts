import { z } from 'zod';
import { milliseconds } from './words.ts';

/** `models`: what apps ask for, and where it may go. */

const target = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/[^\p{Cc}\p{Cs}]{1,128}$/u, {
  error: 'must be written as backend/model',
});

const candidateObject = z.strictObject({
  to: target.meta({ description: '`backend/model`: split at the first slash, the model may contain more.' }),
  weight: z.int().min(1).max(1_000_000).optional().meta({
    description: 'Neighbours that have a weight share the requests by it. Without one a candidate has its place in the order to itself.',
  }),
  tier: z.int().min(0).max(100).optional().meta({
    description:
      'For strategies `weighted`, `latency` and `cost`, which choose within a tier: a higher one is only for when all lower ones fail. Absent: 0.',
  }),
  thinking: z
    .enum(['off', 'on', 'auto'])
    .default('auto')
    .meta({ description: "Whether the model thinks first if the app does not say; `auto`: off where OpenAI's model would not think." }),
  force: z.boolean().default(false).meta({ description: 'Ask for the model although its vendor is known to have retired it.' }),
});

/** Sooner than the clock of the deadlines ticks nothing can happen. */
const SOONEST_MS = 100;
const afterMs = z.int().min(SOONEST_MS).max(600_000);
const QUANTILES = ['p90', 'p95', 'p99'] as const;

const hedgeObject = z.strictObject({
  after: z.union([z.enum(QUANTILES), afterMs]).meta({
    description:
      'How long the first candidate may be silent: `p95`: as long as 95 of 100 of its recent answers took to begin; or milliseconds.',
  }),
  mostPercent: z.int().min(1).max(100).default(10).meta({
    unit: '%',
    description: "Most hedges of 100 requests of this name. Unused ones are kept for a vendor's bad moment, ten at most.",
  }),
});

const candidates = z.array(z.union([target, candidateObject])).min(1);

const entryObject = z.strictObject({
  to: candidates.meta({ description: 'The candidates, as in the short form.' }),
  strategy: z.enum(['order', 'weighted', 'latency', 'cost']).default('order').meta({
    description:
      'Who of a tier is asked first: `order`: as written, weights left aside; `weighted`: shares by weight; `latency`: who is expected to begin sooner; `cost`: who is cheapest for this request.',
  }),
  affinity: z.enum(['on', 'off']).default('on').meta({
    description:
      'For `weighted` and `latency`: requests of one conversation keep to one candidate, so that its cache of prompts helps. `off`: each request by itself.',
  }),
  cnyPerUsd: z
    .number()
    .positive()
    .optional()
    .meta({ description: 'For `cost`: the rate to compare prices of two currencies by. Absent: those of the first one come first.' }),
  hedge: z
    .union([z.enum(['off', ...QUANTILES]), afterMs, hedgeObject])
    .default('off')
    .meta({
      description:
        'When a candidate has been silent for so long the next one is called beside it; who is first answers, and the other is cancelled. Chat only. A short form is `after` alone.',
    }),
  totalDeadlineMs: milliseconds.optional().meta({
    unit: 'ms',
    description: 'For requests of this name in place of `server.totalDeadlineMs`; may be longer.',
  }),
});

/** The short form is a list of candidates: in order, neighbours with a weight share. */
export const modelEntrySchema = z.union([candidates, entryObject]);
