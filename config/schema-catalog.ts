import { z } from 'zod';
import { count, freeName } from './words.ts';

/** `catalog`: what is known of single models besides, or instead of, the shipped catalogue. */

const day = z.iso.date({ error: 'must be a day such as 2027-01-31' });
const jsonMode = z.union([z.boolean(), z.literal('non-thinking')]);

export const catalogEntrySchema = z.strictObject({
  family: freeName.optional().meta({ description: 'Name of a model that this one is spoken to like. Absent: its own name tells.' }),
  contextTokens: count.optional().meta({ unit: 'tokens', description: 'Longest prompt and answer together.' }),
  maxOutputTokens: count.optional().meta({ unit: 'tokens', description: 'Longest answer.' }),
  tools: z.boolean().optional().meta({ description: 'Takes tools.' }),
  vision: z.boolean().optional().meta({ description: 'Takes pictures.' }),
  audioInput: z.boolean().optional().meta({ description: 'Takes sound.' }),
  jsonObject: jsonMode.optional().meta({ description: 'Has the JSON mode `json_object`; `non-thinking`: only while it does not think.' }),
  jsonSchema: jsonMode.optional().meta({ description: 'Holds an answer to a JSON Schema by itself.' }),
  logprobs: z.boolean().optional().meta({ description: 'Tells the probabilities of its tokens.' }),
  webSearch: z.boolean().optional().meta({ description: 'Can search the web.' }),
  maxChoices: count.optional().meta({ description: 'Most choices it makes in one call.' }),
  thinking: z.enum(['none', 'optional', 'always', 'stream-only']).optional().meta({ description: 'Whether it thinks before it answers.' }),
  thinksByDefault: z.boolean().optional().meta({ description: 'Whether it thinks unless it is told not to.' }),
  released: day.optional().meta({ description: 'Day of its release.' }),
  retired: z.boolean().optional().meta({ description: 'Whether its vendor has switched it off: requests then go to the next candidate.' }),
  shutdown: day.optional().meta({ description: 'Day on which its vendor switches it off.' }),
  replacement: freeName.optional().meta({ description: 'What its vendor names in its place.' }),
});
