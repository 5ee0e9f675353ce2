import { z } from 'zod';
import { milliseconds } from './words.ts';

/** `models`: what apps ask for, and where it may go. */

const target = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/[^\p{Cc}\p{Cs}]{1,128}$/u, {
  error: 'must be written as backend/model',
});

const candidateObject = z.strictObject({
  to: target.meta({ description: '`backend/model`. It is split at the first slash; the model may contain more slashes.' }),
  weight: z.int().min(1).max(1_000_000).optional().meta({
    description:
      'Share of the requests. Consecutive candidates with a weight share them in proportion. A candidate without a weight keeps its own place in the order.',
  }),
  tier: z.int().min(0).max(100).optional().meta({
    description:
      'Tier for the strategies `weighted`, `latency` and `cost`, which choose within a tier. A higher tier is used only when all candidates of the lower ones fail. Absent: 0.',
  }),
  thinking: z.enum(['off', 'on', 'auto']).default('auto').meta({
    description:
      "Whether the model thinks if the app does not say. `auto`: as OpenAI's model of the requested name does; for other names, the vendor's default.",
  }),
  force: z.boolean().default(false).meta({ description: 'Use the model even if the catalogue says that its vendor has retired it.' }),
});

/** Sooner than the clock of the deadlines ticks nothing can happen. */
const SOONEST_MS = 100;
const afterMs = z.int().min(SOONEST_MS).max(600_000);
const QUANTILES = ['p90', 'p95', 'p99'] as const;

const hedgeObject = z.strictObject({
  after: z.union([z.enum(QUANTILES), afterMs]).meta({
    description:
      'How long the first candidate may be silent, in ms or as a quantile of its recent answers. `p95`: as long as the fastest 95 of 100 took to begin.',
  }),
  mostPercent: z.int().min(1).max(100).default(10).meta({
    unit: '%',
    description: 'Most second calls per 100 requests for this name. Up to ten unused ones are kept for later.',
  }),
});

const candidates = z.array(z.union([target, candidateObject])).min(1);

const entryObject = z.strictObject({
  to: candidates.meta({ description: 'The candidates, written as in the short form.' }),
  strategy: z.enum(['order', 'weighted', 'latency', 'cost']).default('order').meta({
    description:
      'Which candidate of a tier is tried first. `order`: in the order of the list, without regard to weights. `weighted`: by weight. `latency`: the one expected to answer sooner. `cost`: the cheapest for this request.',
  }),
  affinity: z.enum(['on', 'off']).default('on').meta({
    description:
      "For `weighted` and `latency`: whether the requests of a conversation keep to one candidate, to benefit from the vendor's prompt cache. `off`: the relay chooses anew for each request.",
  }),
  cnyPerUsd: z.number().positive().optional().meta({
    description:
      'For `cost`: exchange rate for comparing prices in CNY and USD. Absent: candidates in the currency of the first one with a price are tried before the others.',
  }),
  hedge: z
    .union([z.enum(['off', ...QUANTILES]), afterMs, hedgeObject])
    .default('off')
    .meta({
      description:
        'When to call a second candidate because the first has not begun to answer. The first to answer is used, and the other call is cancelled, but may be billed. Chat only. A single value is short for `after`.',
    }),
  totalDeadlineMs: milliseconds.optional().meta({
    unit: 'ms',
    description: 'Replaces `server.totalDeadlineMs` for requests for this name. It may be longer.',
  }),
});

/** The short form is a list of candidates: in order, neighbours with a weight share. */
export const modelEntrySchema = z.union([candidates, entryObject]);
