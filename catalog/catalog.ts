import { readFileSync } from 'node:fs';
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
    readonly logprobs: boolean | null;
    readonly n_max: number | null;
  } | null;
  readonly prices: readonly Price[];
  readonly status: {
    readonly state: 'current' | 'retiring' | 'retired';
    readonly date: string | null;
    readonly replacement: string | null;
  };
}

export interface CatalogModel {
  readonly id: string;
  readonly kind: string;
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly tools: boolean | null;
  readonly vision: boolean | null;
  readonly audioInput: boolean | null;
  readonly jsonObject: boolean | 'non-thinking' | null;
  readonly jsonSchema: boolean | 'non-thinking' | null;
  readonly logprobs: boolean | null;
  readonly maxChoices: number | null;
  readonly thinking: 'none' | 'optional' | 'always' | 'stream-only' | null;
  readonly thinksByDefault: boolean | null;
  /** `YYYY-MM-DD`, or null. */
  readonly released: string | null;
  readonly state: 'current' | 'retiring' | 'retired';
  /** Day of shutdown where one is announced. */
  readonly shutdown: string | null;
  readonly replacement: string | null;
  readonly prices: readonly Price[];
}

/** Names of the catalogue → names in our configuration. */
const VENDORS = { alibaba: 'qwen', baidu: 'ernie', zhipu: 'glm', openai: 'openai' } as const;

/** The shipped catalogue of models, looked up by vendor and id or alias. Read once at start. */
export class Catalog {
  readonly #models = new Map<string, CatalogModel>();

  constructor(entries: readonly Entry[]) {
    for (const entry of entries) {
      const model = toModel(entry);
      for (const name of [entry.id, ...entry.aliases]) this.#models.set(`${VENDORS[entry.vendor]}/${name}`, model);
    }
  }

  /** @param vendor `qwen`, `ernie`, `glm` or `openai` (the models that apps come from) */
  find(vendor: string, id: string): CatalogModel | null {
    return this.#models.get(`${vendor}/${id}`) ?? null;
  }

  /** The price in force in a region, or the last one of a retired model; null when only history, or nothing, is known. */
  price(vendor: string, id: string, region: string): Price | null {
    const prices = this.find(vendor, id)?.prices ?? [];
    return prices.find((price) => price.region === region && price.basis !== 'historical') ?? null;
  }

  /** Ids of a vendor's current chat models. */
  chatModels(vendor: string): string[] {
    const ids = [...this.#models].filter(
      ([name, model]) => name === `${vendor}/${model.id}` && model.kind === 'chat' && model.state !== 'retired',
    );
    return ids.map(([, model]) => model.id);
  }
}

export function loadCatalog(): Catalog {
  const file = new URL('./models.json', import.meta.url);
  return new Catalog((JSON.parse(readFileSync(file, 'utf8')) as { models: Entry[] }).models);
}

function toModel(entry: Entry): CatalogModel {
  const can = entry.capabilities;
  return {
    id: entry.id,
    kind: entry.kind,
    contextTokens: entry.context_tokens,
    maxOutputTokens: entry.max_output_tokens,
    tools: can?.tools ?? null,
    vision: can?.vision ?? null,
    audioInput: can?.audio_input ?? null,
    jsonObject: can?.json_object ?? null,
    jsonSchema: can?.json_schema ?? null,
    logprobs: can?.logprobs ?? null,
    maxChoices: can?.n_max ?? null,
    thinking: can?.thinking.mode ?? null,
    thinksByDefault: can?.thinking.default_on ?? null,
    released: entry.released,
    state: entry.status.state,
    shutdown: entry.status.date,
    replacement: entry.status.replacement,
    prices: entry.prices,
  };
}
