import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** `families.json`: what holds for every model of a family until an entry of its own says otherwise. Schema-checked when it is read. */

const truth = z.boolean().nullable();
const tokens = z.int().positive().nullable();
const range = z.strictObject({ min: z.number(), max: z.number() }).refine(({ min, max }) => min < max, { error: 'min must be below max' });
const jsonMode = z.union([z.boolean(), z.literal('non-thinking')]).nullable();
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
const SWITCHES = ['none', 'always', 'unclear', 'enable_thinking', 'thinking.type'] as const;

/** What a model can do; null = not known, which is not the same as "cannot". */
const factsSchema = z.strictObject({
  contextTokens: tokens,
  maxOutputTokens: tokens,
  tools: truth,
  vision: truth,
  audioInput: truth,
  jsonObject: jsonMode,
  jsonSchema: jsonMode,
  logprobs: truth,
  webSearch: truth,
  maxChoices: tokens,
  thinking: z.enum(['none', 'optional', 'always', 'stream-only']).nullable(),
  thinksByDefault: truth,
});

/** How a family is spoken to; what each means is said at `FamilyRules` of the translators. */
const rulesSchema = z.strictObject({
  thinkingSwitch: z.enum(SWITCHES),
  efforts: z.partialRecord(z.enum(EFFORTS), z.string().min(1)).nullable(),
  thinkingBudget: z.boolean(),
  maxThinkingTokens: tokens,
  streamOnly: z.boolean(),
  totalTokens: z.boolean(),
  reasoningHistory: z.enum(['keep', 'tool-loop', 'drop']),
  minTokens: z.int().positive(),
  temperature: range,
  topP: range,
  fixedSampling: z.boolean(),
  stopWords: z.int().min(0),
  stopChars: z.int().positive().nullable(),
  seed: z.boolean(),
  penaltyScore: z.boolean(),
  lowerCaseId: z.boolean(),
  inlineMarks: z.enum(['none', 'thinking', 'box']),
  modalities: z.boolean(),
  imageDetail: z.boolean(),
  images: z.enum(['any', 'bare', 'url']),
  maxImages: z.int().positive().nullable(),
  files: z.boolean(),
  toolStream: z.boolean(),
});

const pattern = z.string().transform((text, context) => {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    context.addIssue(error instanceof Error ? error.message : String(error));
    return z.NEVER;
  }
});

const familySchema = z.strictObject({
  /** Tried on the model's name, whatever its case; the first family that matches is the model's. */
  match: pattern,
  /** Section of the vendor's documents. */
  source: z.string().min(1),
  facts: factsSchema.partial(),
  rules: rulesSchema.partial(),
});

/** What an embedding model gives and takes; null = not known. */
const embeddingSchema = z.strictObject({
  /** Sizes of its vectors. */
  dimensions: z.array(z.int().positive()).min(1).readonly().nullable().default(null),
  defaultDimensions: tokens.default(null),
  /** Can another size than the default be asked for? */
  acceptsDimensions: truth.default(null),
  /** Texts of one call. */
  maxItems: z.int().positive(),
  maxTokensPerCall: tokens.default(null),
  /** Longest text, in UTF-16 code units, where the vendor counts characters. */
  maxItemChars: tokens.default(null),
});

const everyName = { error: 'the last family must match every name' };

const vendorSchema = z.strictObject({
  documents: z.string().min(1),
  /** Names that look like the vendor's own: a backend is asked for them although no list has them. */
  names: pattern,
  /** The switch of a model that is known to think, in a family that is not. */
  switch: z.enum(SWITCHES),
  facts: factsSchema.partial(),
  rules: rulesSchema.partial(),
  families: z
    .array(familySchema)
    .min(1)
    .refine((families) => families.at(-1)?.match.source === '(?:)', everyName),
  /** Names that look like embedding models of the vendor, and what holds for those that no list has. */
  embedding: z
    .strictObject({
      names: pattern,
      families: z
        .array(embeddingSchema.extend({ match: pattern, source: z.string().min(1) }))
        .min(1)
        .refine((families) => families.at(-1)?.match.source === '(?:)', everyName),
    })
    .optional(),
  rerank: z.strictObject({ names: pattern }).optional(),
});

export const familiesSchema = z.strictObject({
  defaults: z.strictObject({ facts: factsSchema, rules: rulesSchema }),
  vendors: z.record(z.string(), vendorSchema),
});

export type Facts = Readonly<z.output<typeof factsSchema>>;
export type EmbeddingFacts = Readonly<z.output<typeof embeddingSchema>>;
export type Rules = Readonly<z.output<typeof rulesSchema>>;

/** A family with the defaults of its vendor, and of all vendors, filled in. */
export interface Family {
  readonly facts: Facts;
  readonly rules: Rules;
}

export class Families {
  readonly #data: z.output<typeof familiesSchema>;

  /** @throws ZodError naming what is wrong and where */
  constructor(data: unknown) {
    this.#data = familiesSchema.parse(data);
  }

  get vendors(): string[] {
    return Object.keys(this.#data.vendors);
  }

  /** True when a name that no list has looks like one of this vendor's, of a kind. */
  claims(vendor: string, name: string, kind: 'chat' | 'embedding' | 'rerank' = 'chat'): boolean {
    const families = this.#vendor(vendor);
    return (kind === 'chat' ? families : families[kind])?.names.test(name) === true;
  }

  /** What holds for any name of an embedding model; null for a vendor that has none. */
  embedding(vendor: string, name: string): EmbeddingFacts | null {
    const family = this.#vendor(vendor).embedding?.families.find(({ match }) => match.test(name));
    if (family === undefined) return null;
    const { match: _match, source: _source, ...facts } = family;
    return facts;
  }

  /** The family of any name; a name like no other has the vendor's last family. */
  of(vendor: string, name: string): Family {
    const { defaults } = this.#data;
    const { families, facts, rules } = this.#vendor(vendor);
    const family = families.find(({ match }) => match.test(name));
    return { facts: over(defaults.facts, facts, family?.facts), rules: over(defaults.rules, rules, family?.rules) };
  }

  /** The vendor's switch for a model that thinks although its family is not known to. */
  switchOf(vendor: string): Rules['thinkingSwitch'] {
    return this.#vendor(vendor).switch;
  }

  #vendor(vendor: string): z.output<typeof vendorSchema> {
    const found = Object.hasOwn(this.#data.vendors, vendor) ? this.#data.vendors[vendor] : undefined;
    if (found === undefined) throw new Error(`no families of vendor ${vendor}`);
    return found;
  }
}

/** JSON knows no `undefined`: what a part names, it says. */
function over<T extends object>(whole: T, ...parts: ({ readonly [K in keyof T]?: T[K] | undefined } | undefined)[]): T {
  return Object.assign({}, whole, ...parts) as T;
}

export function loadFamilies(): Families {
  return new Families(JSON.parse(readFileSync(new URL('./families.json', import.meta.url), 'utf8')));
}
