import type { Catalog } from '../catalog/catalog.ts';
import type { Backend, Config } from '../config/config.ts';
import { PriceList } from '../relay/ledger/price-list.ts';
import type { CountryTable } from '../relay/permit/country-table.ts';
import { Origins } from '../relay/permit/origins.ts';
import { Relay, type RelayServices } from '../relay/relay.ts';
import { type BreakerPlace, breakerPlace } from '../relay/routing/breaker-place.ts';
import { Hedging, hedgedPlaces } from '../relay/routing/hedging.ts';
import { Latencies } from '../relay/routing/latencies.ts';
import { type Retirement, retirements } from '../relay/routing/retirement.ts';
import { latencyPlaces, RouteTable } from '../relay/routing/route-table.ts';
import { Selection } from '../relay/routing/selection.ts';
import { addressPrintOf } from '../relay/upstream/backend-keys.ts';
import { VectorsRelay, type VectorsServices } from '../relay/vectors/vectors-relay.ts';
import { translatorFor, vectorsFor } from '../translators/registry.ts';
import type { ClientsByName } from './backend-clients.ts';
import { openCountries } from './countries.ts';
import { ModelNames } from './model-names.ts';
import { type ProbeQuestion, probeQuestion } from './probe/probe-question.ts';
import { modelQuestion } from './probe/question.ts';
import { HORIZON_DAYS } from './telemetry/retirement-watch.ts';

/** All that one configuration makes: swapped as a whole by a reload, and kept by the requests that began with it. */
export interface Generation {
  readonly config: Config;
  readonly relay: Relay;
  readonly vectors: VectorsRelay;
  readonly names: ModelNames;
  readonly clients: ClientsByName;
  readonly origins: Origins;
  readonly countries: CountryTable | null;
  readonly latencies: Latencies;
  readonly priceOf: PriceList['price'];
  /** What the relay itself asks to learn whether a place works again; null: nothing, its callers find out. */
  readonly probeQuestion: (backend: Backend, place: BreakerPlace) => ProbeQuestion | null;
  readonly hedging: Hedging;
  retirements(): Retirement[];
  /** Names of backends that have a probe, and no model that it could ask. */
  unprobed(): string[];
}

/** What outlives every configuration. */
export interface Lasting {
  readonly catalog: Catalog;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly services: Omit<RelayServices, 'priceOf' | 'latencies' | 'selection' | 'hedging'> & Pick<VectorsServices, 'listCalibrations'>;
}

/**
 * @param before the one in force, from which the next takes over what it has learned
 * @throws Error when the table of countries cannot be used
 */
export function generation(
  config: Config,
  clients: ClientsByName,
  { catalog: shipped, now, services: lasting }: Lasting,
  before: Pick<Generation, 'config' | 'latencies' | 'hedging'> | null,
): Generation {
  const catalog = shipped.with(config.catalog);
  const prices = new PriceList(catalog, new Date(now()).toISOString().slice(0, 10));
  const priceOf: PriceList['price'] = (backend, model) => prices.price(backend, model);
  const latencies = new Latencies(latencyPlaces(config), () => lasting.wheel.now());
  const selection = new Selection({ priceOf, latencies, random: lasting.random });
  const hedging = new Hedging(() => lasting.wheel.now());
  if (before !== null) {
    const isSame = sameAddress(before.config, config);
    const hedged = hedgedPlaces(config);
    latencies.learnFrom(before.latencies, isSame);
    hedging.learnFrom(before.hedging, (place) => hedged.has(place) && isSame(place));
  }
  const services = { ...lasting, priceOf, latencies, selection, hedging };
  const cheapest = onceEach((backend: Backend) => modelQuestion(config, catalog, prices, backend, now()));
  const routes = new RouteTable(config, catalog, translatorFor, vectorsFor, now);
  const countries = openCountries(config.server);
  const state = { server: config.server, routes, clients };
  const embeddingFacts = (vendor: string, model: string) => catalog.embedding(vendor, model);
  const questionAt: Generation['probeQuestion'] = (backend, place) => probeQuestion(backend, place, () => cheapest(backend), catalog);
  return {
    config,
    relay: new Relay(state, services),
    vectors: new VectorsRelay(state, { ...services, vectorsFor, embeddingFacts }),
    names: new ModelNames(config, catalog),
    clients,
    origins: new Origins(config.server.trustedProxies, countries),
    countries,
    latencies,
    priceOf,
    probeQuestion: questionAt,
    hedging,
    retirements: () => retirements(config, catalog, now(), HORIZON_DAYS),
    unprobed: () => {
      const probed = Object.values(config.backends).filter(({ probe, breaker }) => probe !== 'off' && breaker !== 'off');
      return probed.filter((backend) => questionAt(backend, breakerPlace('failure', '', 0)) === null).map(({ name }) => name);
    },
  };
}

/** Of a place, `backend/model`: its backend has not moved. */
function sameAddress({ backends: old }: Config, { backends: next }: Config): (place: string) => boolean {
  return (place) => {
    const name = place.slice(0, place.indexOf('/'));
    const [from, to] = [old[name], next[name]];
    return from !== undefined && to !== undefined && addressPrintOf(from) === addressPrintOf(to);
  };
}

/** Asked for by every caller of a backend that is out. */
function onceEach<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    let entry = made.get(key);
    if (entry === undefined) made.set(key, (entry = { value: make(key) }));
    return entry.value;
  };
}
