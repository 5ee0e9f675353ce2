import { readFileSync } from 'node:fs';
import { type EmbeddingFacts, type Facts, type Families, loadFamilies, type Rules } from './families.ts';
import type { Price } from './price.ts';

/** One entry of `models.json`, as far as the relay reads it. `null` = not known, `false` = known to be absent. */
interface Entry {
  readonly id: string;
  readonly vendor: 'alibaba' | 'baidu' | 'zhipu' | 'openai';
  readonly kind: string;
  readonly aliases: readonly string[];
  readonly released: string | null;
  readonly context_tokens: number | null;
  readonly max_output_tokens: number | null;
  readonly capabilities: {
    readonly tools: boolean | null;
    readonly json_object: boolean | 'non-thinking' | null;
    readonly json_schema: boolean | 'non-thinking' | null;
    readonly thinking: { readonly mode: 'none' | 'optional' | 'always' | 'stream-only'; readonly default_on: boolean | null };
    readonly vision: boolean | null;
    readonly audio_input: boolean | null;
    readonly web_search: boolean | null;
    readonly logprobs: boolean | null;
    readonly n_max: number | null;
  } | null;
  /** Only of models of that kind. */
  readonly embedding?: {
    readonly dimensions: readonly number[] | null;
    readonly default_dimensions: number;
    readonly accepts_dimensions: boolean;
    readonly max_items: number | null;
    readonly max_tokens_per_call: number | null;
  };
  readonly prices: readonly Price[];
  readonly status: {
    readonly state: 'current' | 'retiring' | 'retired';
    readonly date: string | null;
    readonly replacement: string | null;
  };
}

/** A model: what it can do, how it is spoken to, what it costs, and until when it lives. */
export interface Model extends Facts {
  /** The name it was looked up by. */
  readonly id: string;
  readonly kind: string;
  readonly rules: Rules;
  /** `YYYY-MM-DD`, or null. */
  readonly released: string | null;
  readonly state: 'current' | 'retiring' | 'retired';
  /** Day of shutdown, `YYYY-MM-DD`, where one is announced. */
  readonly shutdown: string | null;
  readonly replacement: string | null;
  readonly prices: readonly Price[];
  /** Null for models of other kinds, and where it is not known. */
  readonly embedding: ListedEmbedding | null;
}

/** What an entry says of an embedding model; its family says the rest. */
export type ListedEmbedding = Omit<EmbeddingFacts, 'maxItems' | 'maxItemChars'> & { readonly maxItems: number | null };

/** What a configuration says of a model; what it leaves open stays as it was. */
export type ModelOverride = { readonly [K in keyof Overridable]?: Overridable[K] | undefined };

interface Overridable extends Omit<Model, 'id' | 'kind' | 'rules' | 'state' | 'prices'> {
  /** A model's name: the rules and facts of its family hold instead of those that the own name leads to. */
  readonly family: string;
  readonly retired: boolean;
}

/** Names of the catalogue → names in our configuration. */
const VENDORS = { alibaba: 'qwen', baidu: 'ernie', zhipu: 'glm', openai: 'openai' } as const;

/** The shipped catalogue of models, looked up by vendor and id or alias. Read once at start. */
export class Catalog {
  readonly #entries = new Map<string, Entry>();
  readonly #families: Families;
  /** By `vendor/id`. */
  readonly #overrides: Readonly<Record<string, ModelOverride>>;
  /** Of listed names: what was made of them. */
  readonly #models = new Map<string, Model>();

  constructor(entries: readonly Entry[], families: Families, overrides: Readonly<Record<string, ModelOverride>> = {}) {
    for (const entry of entries)
      for (const name of [entry.id, ...entry.aliases]) this.#entries.set(`${VENDORS[entry.vendor]}/${name}`, entry);
    this.#families = families;
    this.#overrides = overrides;
  }

  /** The same catalogue with what a configuration says of single models. */
  with(overrides: Readonly<Record<string, ModelOverride>>): Catalog {
    return new Catalog([...new Set(this.#entries.values())], this.#families, overrides);
  }

  /**
   * What is known of any name: its own entry, then what its family tells.
   * @param vendor `qwen`, `ernie`, `glm` or `openai` (the models that apps come from)
   */
  model(vendor: string, id: string): Model {
    const name = `${vendor}/${id}`;
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    const model = this.#made(vendor, id, this.#entries.get(name), this.#override(name));
    if (this.#isListed(name)) this.#models.set(name, model);
    return model;
  }

  /** The model, if it is listed. */
  find(vendor: string, id: string): Model | null {
    return this.#isListed(`${vendor}/${id}`) ? this.model(vendor, id) : null;
  }

  /** True when a name that is not listed looks like one of this vendor's, of a kind. */
  claims(vendor: string, name: string, kind: 'chat' | 'embedding' | 'rerank' = 'chat'): boolean {
    return this.#families.claims(vendor, name, kind);
  }

  /** What is known of any name as that of an embedding model; null for a vendor that has none. */
  embedding(vendor: string, id: string): EmbeddingFacts | null {
    const ofFamily = this.#families.embedding(vendor, id);
    const told = this.find(vendor, id)?.embedding ?? null;
    return ofFamily === null || told === null ? ofFamily : { ...ofFamily, ...given(told) };
  }

  /** The price in force in a region, or the last one of a retired model; null when only history, or nothing, is known. */
  price(vendor: string, id: string, region: string): Price | null {
    const prices = this.#entries.get(`${vendor}/${id}`)?.prices ?? [];
    return prices.find((price) => price.region === region && price.basis !== 'historical') ?? null;
  }

  /** Ids of a vendor's current chat models, without their aliases. */
  chatModels(vendor: string): string[] {
    return this.models(vendor, ['chat']);
  }

  /** Ids of a vendor's current models of some kinds, without their aliases. */
  models(vendor: string, kinds: readonly string[]): string[] {
    const listed = [...new Set(this.#entries.values())].filter((entry) => VENDORS[entry.vendor] === vendor).map(({ id }) => id);
    const own = Object.keys(this.#overrides).flatMap((name) => (name.startsWith(`${vendor}/`) ? [name.slice(vendor.length + 1)] : []));
    return [...new Set([...listed, ...own])].filter((id) => {
      const { kind, state } = this.model(vendor, id);
      return kinds.includes(kind) && state !== 'retired';
    });
  }

  #made(vendor: string, id: string, entry: Entry | undefined, override: ModelOverride = {}): Model {
    const { family, retired, ...facts } = override;
    const ofFamily = this.#families.of(vendor, family ?? id);
    const told = { ...toldBy(entry), ...given(facts), ...stateOf(retired, override.shutdown) };
    const merged = { ...told, ...ofFamily.facts, ...given(told), id };
    return { ...merged, rules: { ...ofFamily.rules, thinkingSwitch: this.#switch(vendor, ofFamily.rules, merged.thinking) } };
  }

  #isListed(name: string): boolean {
    return this.#entries.has(name) || this.#override(name) !== undefined;
  }

  #override(name: string): ModelOverride | undefined {
    return Object.hasOwn(this.#overrides, name) ? this.#overrides[name] : undefined;
  }

  /** The facts say whether a model thinks, the family how that is told to it. */
  #switch(vendor: string, { thinkingSwitch }: Rules, thinking: Facts['thinking']): Rules['thinkingSwitch'] {
    if (thinking === 'none' || thinking === 'always') return thinking;
    if (thinking === null || (thinkingSwitch !== 'none' && thinkingSwitch !== 'always')) return thinkingSwitch;
    return this.#families.switchOf(vendor);
  }
}

export function loadCatalog(): Catalog {
  return new Catalog(readShipped().models, loadFamilies());
}

/** Which shipped catalogue this is, and the day (`YYYY-MM-DD`) on which it was true. */
export function catalogEdition(): { readonly version: string; readonly asOf: string } {
  const { catalog_version: version, as_of: asOf } = readShipped();
  return { version, asOf };
}

const readShipped = () =>
  JSON.parse(readFileSync(new URL('./models.json', import.meta.url), 'utf8')) as {
    readonly catalog_version: string;
    readonly as_of: string;
    readonly models: Entry[];
  };

type Told = Omit<Model, 'id' | 'rules'>;

/** What is said; null and undefined say nothing. */
function given<T extends object>(told: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value != null)) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** A configuration that sets a day, or says that the model lives, wins over the shipped state and day. */
function stateOf(retired: boolean | undefined, shutdown: string | null | undefined): Partial<Pick<Model, 'state' | 'shutdown'>> {
  if (retired === true) return { state: 'retired' };
  if (retired === false) return { state: 'current', shutdown: null };
  return shutdown === undefined || shutdown === null ? {} : { state: 'retiring' };
}

/** What an entry says; of a model that is not listed, nothing. */
function toldBy(entry: Entry | undefined): Told {
  const can = entry?.capabilities;
  return {
    kind: entry?.kind ?? 'chat',
    contextTokens: entry?.context_tokens ?? null,
    maxOutputTokens: entry?.max_output_tokens ?? null,
    tools: can?.tools ?? null,
    vision: can?.vision ?? null,
    audioInput: can?.audio_input ?? null,
    jsonObject: can?.json_object ?? null,
    jsonSchema: can?.json_schema ?? null,
    logprobs: can?.logprobs ?? null,
    webSearch: can?.web_search ?? null,
    maxChoices: can?.n_max ?? null,
    thinking: can?.thinking.mode ?? null,
    thinksByDefault: can?.thinking.default_on ?? null,
    released: entry?.released ?? null,
    state: entry?.status.state ?? 'current',
    shutdown: entry?.status.date ?? null,
    replacement: entry?.status.replacement ?? null,
    prices: entry?.prices ?? [],
    embedding: entry?.embedding === undefined ? null : toEmbedding(entry.embedding),
  };
}

const toEmbedding = (written: NonNullable<Entry['embedding']>): ListedEmbedding => ({
  dimensions: written.dimensions,
  defaultDimensions: written.default_dimensions,
  acceptsDimensions: written.accepts_dimensions,
  maxItems: written.max_items,
  maxTokensPerCall: written.max_tokens_per_call,
});
