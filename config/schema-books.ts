import { z } from 'zod';
import { milliseconds } from './words.ts';

/** `books`: how long request lines are kept, and how many wait in memory while the database is slow or away. */
export const booksSchema = z.strictObject({
  retentionDays: z
    .int()
    .min(1)
    .max(36_500)
    .default(90)
    .meta({ unit: 'days', description: 'How long one line per request is kept. The hourly sums by team, key, model and backend stay.' }),
  queueMax: z.int().min(1000).max(10_000_000).default(100_000).meta({
    description: 'Most lines that wait in memory while the database is slow or away. Beyond it lines are lost, counted and logged.',
  }),
  flushTimeoutMs: milliseconds
    .default(10_000)
    .meta({ unit: 'ms', description: 'When the relay stops, how long it tries to write the lines that still wait.' }),
});
