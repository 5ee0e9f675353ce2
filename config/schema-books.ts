import { z } from 'zod';
import { milliseconds } from './words.ts';

/** `books`: how long request lines are kept, and how many wait in memory while the database is slow or away. */
export const booksSchema = z.strictObject({
  retentionDays: z.int().min(1).max(36_500).default(90).meta({
    unit: 'days',
    description: 'How long the line of each request is kept. Hourly sums by team, key, model and backend are kept for good.',
  }),
  queueMax: z.int().min(1000).max(10_000_000).default(100_000).meta({
    description:
      'Most lines kept in memory while the database is slow or unavailable. Further lines are lost; the relay counts and logs them.',
  }),
  flushTimeoutMs: milliseconds.default(10_000).meta({
    unit: 'ms',
    description: 'How long the relay tries, when it stops, to write the lines that still wait. After it they are lost.',
  }),
});
