import type { Catalog } from '../../catalog/catalog.ts';
import type { Price, PriceTier } from '../../catalog/price.ts';
import type { Backend } from '../../config/config.ts';

type Configured = NonNullable<Backend['prices']>[string];

/** What a model of a backend costs: by the configuration where it says so, else by the catalogue. */
export class PriceList {
  readonly #catalog: Pick<Catalog, 'price'>;
  readonly #loadedOn: string;
  readonly #own = new WeakMap<Backend, ReadonlyMap<string, Price>>();

  /** @param loadedOn `YYYY-MM-DD`, the day the configuration was read: the date of its prices that name none */
  constructor(catalog: Pick<Catalog, 'price'>, loadedOn: string) {
    this.#catalog = catalog;
    this.#loadedOn = loadedOn;
  }

  /** Null when no price is known. */
  price(backend: Backend, model: string): Price | null {
    return this.#ownOf(backend)?.get(model) ?? this.#catalog.price(backend.vendor, model, backend.region);
  }

  #ownOf(backend: Backend): ReadonlyMap<string, Price> | undefined {
    const { prices } = backend;
    if (prices === undefined) return undefined;
    let own = this.#own.get(backend);
    if (own === undefined) {
      own = new Map(Object.entries(prices).map(([model, price]) => [model, priceOf(price, backend.region, this.#loadedOn)]));
      this.#own.set(backend, own);
    }
    return own;
  }
}

function priceOf(configured: Configured, region: string, loadedOn: string): Price {
  const { currency, date = loadedOn, tiers = [configured] } = configured;
  return {
    region,
    currency,
    unit: '1M_tokens',
    basis: 'live',
    tiers: tiers.map(tierOf),
    source: 'configuration',
    date,
    confidence: 'configured',
  };
}

/** The first tier that fits holds, so that no lower border has to be written. */
function tierOf(tier: NonNullable<Configured['tiers']>[number] | Configured): PriceTier {
  return {
    input_gt: 0,
    input_le: ('inputUpTo' in tier ? tier.inputUpTo : undefined) ?? null,
    output_gt: 0,
    output_le: ('outputUpTo' in tier ? tier.outputUpTo : undefined) ?? null,
    input: tier.input ?? null,
    output: tier.output ?? null,
    cached_input: tier.cachedInput ?? null,
    output_thinking: tier.thinkingOutput ?? null,
  };
}
