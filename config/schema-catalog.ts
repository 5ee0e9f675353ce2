import { z } from 'zod';
import { count, freeName } from './words.ts';

/** `catalog`: what is known of single models besides, or instead of, the shipped catalogue. */

const day = z.iso.date({ error: 'must be a day such as 2027-01-31' });
const jsonMode = z.union([z.boolean(), z.literal('non-thinking')]);

export const catalogEntrySchema = z.strictObject({
  family: freeName.optional().meta({
    description: 'Name of a known model whose request format also fits this one. Absent: the relay derives it from the name of the model.',
  }),
  contextTokens: count.optional().meta({
    unit: 'tokens',
    description: 'Context window: prompt and answer together. A prompt that cannot fit is not sent to this model.',
  }),
  maxOutputTokens: count.optional().meta({ unit: 'tokens', description: 'Longest answer.' }),
  tools: z.boolean().optional().meta({ description: 'Whether the model accepts tools.' }),
  vision: z.boolean().optional().meta({ description: 'Whether the model accepts images.' }),
  audioInput: z.boolean().optional().meta({ description: 'Whether the model accepts audio.' }),
  jsonObject: jsonMode.optional().meta({
    description:
      'Whether the model has the JSON mode `json_object`. `non-thinking`: only when it does not think. Otherwise the relay emulates it.',
  }),
  jsonSchema: jsonMode.optional().meta({
    description:
      'Whether the model has the JSON mode `json_schema`. `non-thinking`: only when it does not think. Otherwise the relay emulates it.',
  }),
  logprobs: z.boolean().optional().meta({ description: 'Whether the model returns `logprobs`.' }),
  webSearch: z.boolean().optional().meta({ description: 'Whether the model can search the web.' }),
  maxChoices: count.optional().meta({ description: 'Largest `n` in one call. For a larger one the relay makes several calls.' }),
  thinking: z
    .enum(['none', 'optional', 'always', 'stream-only'])
    .optional()
    .meta({ description: 'Whether the model thinks before it answers. `stream-only`: it can think, and answers only as a stream.' }),
  thinksByDefault: z.boolean().optional().meta({ description: 'Whether the model thinks if the request does not say.' }),
  released: day.optional().meta({ description: 'Day on which the model was released.' }),
  retired: z.boolean().optional().meta({
    description: 'Whether the vendor has switched the model off. If so, the relay skips it, unless the candidate has `force: true`.',
  }),
  shutdown: day
    .optional()
    .meta({ description: 'Day on which the vendor switches the model off. From 00:00 UTC of that day the model counts as retired.' }),
  replacement: freeName
    .optional()
    .meta({ description: 'Replacement that the vendor recommends. Named in warnings and errors; the relay does not switch to it.' }),
});
