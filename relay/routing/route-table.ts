import type { Catalog, Model } from '../../catalog/catalog.ts';
import type { Backend, Candidate as CandidateConfig, Config, ModelEntry } from '../../config/config.ts';
import { globMatches } from '../../config/glob.ts';
import type { Effort } from '../../openai/chat/request.ts';
import type { ChatTranslator } from '../../translators/translator.ts';
import type { Permit } from '../permit/permit.ts';
import type { Rule, Skipped } from './decision.ts';
import { goneFromMs } from './retirement.ts';

/** One place a request may go. */
export interface Place {
  readonly backend: Backend;
  /** The vendor's model id. */
  readonly model: string;
}

export interface Candidate extends Place {
  readonly translator: ChatTranslator;
  readonly facts: Model;
  /** The configuration or the catalogue has it. False: its name is the caller's word, which may be made up. */
  readonly listed: boolean;
  readonly thinking: Effort | 'default';
  /** Candidates of one tier share the requests by weight; a later tier is tried after all earlier ones. */
  readonly tier: number;
  readonly weight: number;
  /** From then on it is skipped, in ms since the epoch. */
  readonly goneFromMs: number;
}

/** What a model is for; the catalogue's own word. */
export type Kind = 'chat' | 'embedding' | 'rerank';

/** What an entry of `models` says besides its candidates. */
export type RouteSettings = Omit<ModelEntry, 'to' | 'form'>;

/** Of names without an entry. */
const PLAIN: RouteSettings = { strategy: 'order', affinity: false, cnyPerUsd: null, hedge: null, totalDeadlineMs: null };

interface Found {
  readonly candidates: readonly Candidate[];
  readonly settings: RouteSettings;
}

/** Where a name may go for one key: what a `Selection` chooses from. */
export interface OpenRoute {
  readonly ok: true;
  /** Permitted and living, in the order of the file; at least one. */
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly Skipped[];
  readonly settings: RouteSettings;
}

export type Route =
  | OpenRoute
  /**
   * `unknown`: no such model, or not for this key (callers cannot tell which) · `region`: only forbidden regions have it · `kind`: this key
   * may use it, for something else.
   */
  | { readonly ok: false; readonly why: 'unknown' | 'region' | 'kind'; readonly skipped: readonly Skipped[] }
  /** Every permitted candidate is retired; the first of them. */
  | { readonly ok: false; readonly why: 'retired'; readonly model: Model; readonly skipped: readonly Skipped[] };

export interface ListedModel {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly ownedBy: string;
  /** `YYYY-MM-DD`: the day on which the last candidate goes; null when one is to stay. */
  readonly shutdownDate: string | null;
}

/** Finds the translator of a backend; the registry stands behind it. */
export type TranslatorFor = (vendor: string, protocol: string) => ChatTranslator;

/** Is it a model of the vendor that the relay serves? One that the catalogue does not know is judged by its name. */
export function servesModel(catalog: Catalog, vendor: string, model: string): boolean {
  const known = catalog.find(vendor, model);
  return known === null ? catalog.claims(vendor, model) : KINDS.some((kind) => kind === known.kind);
}

/** Who speaks to a backend's models of the other kinds; null when its dialect has none. */
export type VectorsFor = (kind: Exclude<Kind, 'chat'>, vendor: string, protocol: string) => object | null;

const KINDS: readonly Kind[] = ['chat', 'embedding', 'rerank'];

/** Patterns and `backend/model` let callers make up names: no more than these are remembered for a key. */
const MOST_NAMES = 1000;

/** A model name → the permitted candidates for it, best first. Made anew with each configuration. */
export class RouteTable {
  readonly #config: Config;
  readonly #catalog: Catalog;
  readonly #translatorFor: TranslatorFor;
  readonly #vectorsFor: VectorsFor;
  readonly #now: () => number;
  /** Candidates by kind and asked name, permits not yet applied. Only names of the configuration or of vendors get in. */
  readonly #known = new Map<string, Found>();
  readonly #globs: readonly string[];
  /** `vendor/model` of the candidates that the configuration names. */
  readonly #configured: ReadonlySet<string>;
  readonly #routes = new WeakMap<Permit, Map<string, Route>>();

  constructor(
    config: Config,
    catalog: Catalog,
    translatorFor: TranslatorFor,
    vectorsFor: VectorsFor = () => null,
    now: () => number = Date.now,
  ) {
    this.#config = config;
    this.#catalog = catalog;
    this.#translatorFor = translatorFor;
    this.#vectorsFor = vectorsFor;
    this.#now = now;
    this.#globs = Object.keys(config.models).filter((name) => name.includes('*'));
    const named = Object.values(config.models).flatMap(({ to }) => to);
    this.#configured = new Set(named.map(({ backend, model }) => `${config.backends[backend]?.vendor}/${model}`));
  }

  /** @param asked the caller's model name, as it came */
  route(asked: string, permit: Permit, kind: Kind = 'chat'): Route {
    return this.#living(this.#permitted(asked, permit, kind));
  }

  /** Without the candidates that are retired by now. */
  #living(route: Route): Route {
    if (!route.ok) return route;
    const now = this.#now();
    if (route.candidates.every((candidate) => now < candidate.goneFromMs)) return route;
    const candidates = route.candidates.filter((candidate) => now < candidate.goneFromMs);
    const first = route.candidates[0];
    const retired = route.candidates.filter((candidate) => !candidates.includes(candidate)).map(skippedBy('retired'));
    const skipped = [...route.skipped, ...retired];
    if (candidates.length === 0 && first !== undefined) return { ok: false, why: 'retired', model: first.facts, skipped };
    return { ...route, candidates, skipped };
  }

  /** The permitted candidates in the order of the file, weights not yet drawn. Remembered for names that lead somewhere. */
  #permitted(asked: string, permit: Permit, kind: Kind): Route {
    let routes = this.#routes.get(permit);
    if (routes === undefined) this.#routes.set(permit, (routes = new Map()));
    const name = `${kind} ${asked}`;
    const known = routes.get(name);
    if (known !== undefined) return known;
    const route = this.#decide(asked, permit, kind);
    if (route.ok && routes.size < MOST_NAMES) routes.set(name, route);
    return route;
  }

  #decide(asked: string, permit: Permit, kind: Kind): Route {
    const { candidates: known, settings } = this.#found(asked, kind);
    if (!permit.model(asked)) return { ok: false, why: 'unknown', skipped: known.map(skippedBy('model')) };
    const all = known.filter(({ backend }) => permit.vendor(backend.vendor));
    const without = (from: readonly Candidate[], left: readonly Candidate[], rule: Rule): Skipped[] =>
      from.filter((candidate) => !left.includes(candidate)).map(skippedBy(rule));
    if (all.length === 0) {
      const others = KINDS.filter((other) => other !== kind).flatMap((other) => this.#found(asked, other).candidates);
      const why = others.some(({ backend }) => permit.destination(backend)) ? 'kind' : 'unknown';
      return { ok: false, why, skipped: without(known, all, 'vendor') };
    }
    const permitted = all.filter(({ backend }) => permit.region(backend.region));
    const forbidden = [...without(known, all, 'vendor'), ...without(all, permitted, 'region')];
    if (permitted.length === 0) return { ok: false, why: 'region', skipped: forbidden };
    const candidates = kind === 'embedding' ? sameModel(permitted) : permitted;
    return { ok: true, candidates, skipped: [...forbidden, ...without(permitted, candidates, 'same-model')], settings };
  }

  /** Every name and pattern of the configuration, and the vendors' own current models. */
  names(): ReadonlySet<string> {
    const names = new Set(Object.keys(this.#config.models));
    for (const { vendor } of Object.values(this.#config.backends)) for (const id of this.#catalog.models(vendor, KINDS)) names.add(id);
    return names;
  }

  /** The names this permit can use, patterns left out. */
  list(permit: Permit): ListedModel[] {
    return [...this.names()]
      .filter((name) => !name.includes('*'))
      .map((name) => this.describe(name, permit))
      .filter((model) => model !== null);
  }

  /**
   * A name as `/v1/models/{id}` shows it; null when this permit cannot use it, or when it is made up as far as anybody can tell: a caller may
   * ask a named backend for anything, and the vendor's no comes with the answer only.
   */
  describe(name: string, permit: Permit): ListedModel | null {
    const candidates = KINDS.flatMap((kind) => {
      const route = this.#living(this.#permitted(name, permit, kind));
      const mayExist = ({ listed, backend, model }: Candidate) => listed || this.#catalog.claims(backend.vendor, model, kind);
      return route.ok ? route.candidates.filter(mayExist) : [];
    });
    const [first] = candidates;
    if (first === undefined) return null;
    const { released } = first.facts;
    const aliased = Object.hasOwn(this.#config.models, name);
    return {
      id: name,
      created: released === null ? 0 : Date.parse(released) / 1000,
      ownedBy: aliased ? 'estafet' : first.backend.vendor,
      shutdownDate: lastDay(candidates),
    };
  }

  #found(asked: string, kind: Kind): Found {
    const name = `${kind} ${asked}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const { candidates, settings } = this.#find(asked, kind);
    const found = { candidates: candidates.filter(({ backend, model }) => this.#isOf(kind, backend, model)), settings };
    // Bounded: patterns and `backend/model` let callers make up names; beyond the bound a name is looked up anew each time.
    if (found.candidates.length > 0 && this.#known.size < 10_000) this.#known.set(name, found);
    return found;
  }

  /** By exact alias, `backend/model`, the vendors' own names, then alias patterns in the order of the file. */
  #find(asked: string, kind: Kind): Found {
    const { models, backends } = this.#config;
    const exact = Object.hasOwn(models, asked) ? models[asked] : undefined;
    if (exact !== undefined) return this.#fromConfig(asked, exact);
    const plain = (owners: readonly Backend[], model: string): Found => ({
      candidates: owners.map((backend, tier) => this.#candidate(backend, { model, tier, weight: 1, thinking: 'default', force: false })),
      settings: PLAIN,
    });
    const slash = asked.indexOf('/');
    const named = slash > 0 && Object.hasOwn(backends, asked.slice(0, slash)) ? backends[asked.slice(0, slash)] : undefined;
    if (named !== undefined) return plain(slash + 1 === asked.length ? [] : [named], asked.slice(slash + 1));
    const owners = Object.values(backends).filter((backend) => this.#serves(kind, backend, asked));
    if (owners.length > 0) return plain(owners, asked);
    const glob = this.#globs.find((pattern) => globMatches(pattern, asked));
    return glob === undefined ? plain([], asked) : this.#fromConfig(asked, models[glob] as ModelEntry);
  }

  #serves(kind: Kind, backend: Backend, model: string): boolean {
    const { vendor, protocol } = backend;
    if (this.#catalog.find(vendor, model) !== null) return this.#isOf(kind, backend, model);
    if (kind === 'chat') return servesModel(this.#catalog, vendor, model);
    return this.#vectorsFor(kind, vendor, protocol) !== null && this.#catalog.claims(vendor, model, kind);
  }

  /** Can this backend's model be asked for this? One that nobody lists may be whatever the configuration says, or the caller who names its backend. */
  #isOf(kind: Kind, { vendor, protocol }: Backend, model: string): boolean {
    if (kind !== 'chat' && this.#vectorsFor(kind, vendor, protocol) === null) return false;
    return (this.#catalog.find(vendor, model)?.kind ?? kind) === kind;
  }

  #fromConfig(asked: string, { to, form: _, ...settings }: ModelEntry): Found {
    const candidates = to.map((entry) => {
      const { model, tier, weight, force } = entry;
      const backend = this.#config.backends[entry.backend] as Backend;
      return this.#candidate(backend, { model, tier, weight: weight ?? 1, thinking: this.#thinking(asked, entry), force });
    });
    return { candidates, settings };
  }

  /** `auto`: as OpenAI's model of that name does; a name that is not OpenAI's leaves the backend's own default. */
  #thinking(asked: string, entry: CandidateConfig): Effort | 'default' {
    if (entry.thinking !== 'auto') return entry.thinking === 'on' ? 'medium' : 'none';
    const { thinking, thinksByDefault } = this.#catalog.model('openai', asked);
    if (thinking === null) return 'default';
    return thinking === 'none' || thinksByDefault === false ? 'none' : 'medium';
  }

  #candidate(
    backend: Backend,
    { force, ...place }: Pick<Candidate, 'model' | 'tier' | 'weight' | 'thinking'> & { readonly force: boolean },
  ): Candidate {
    const translator = this.#translatorFor(backend.vendor, backend.protocol);
    const facts = this.#catalog.model(backend.vendor, place.model);
    const { vendor } = backend;
    const listed = this.#configured.has(`${vendor}/${place.model}`) || this.#catalog.find(vendor, place.model) !== null;
    return { ...place, backend, translator, facts, listed, goneFromMs: force ? Number.POSITIVE_INFINITY : goneFromMs(facts) };
  }
}

/** The candidates that are chosen by how fast they are, as `backend/model`. */
export function latencyPlaces({ models }: Pick<Config, 'models'>): string[] {
  return Object.values(models).flatMap(({ to, strategy }) =>
    strategy === 'latency' ? to.map(({ backend, model }) => `${backend}/${model}`) : [],
  );
}

/** Vectors of two models are not comparable, even of equal size: only the first model of the list may answer, from whichever backend has it. */
function sameModel(candidates: readonly Candidate[]): readonly Candidate[] {
  const [first] = candidates;
  return candidates.filter(({ backend, model }) => backend.vendor === first?.backend.vendor && model === first.model);
}

/** As decisions name a candidate. */
export const placeName = ({ backend, model }: Place): string => `${backend.name}/${model}`;

const skippedBy =
  (rule: Rule) =>
  (candidate: Candidate): Skipped => ({ to: placeName(candidate), rule });

/** Null when one candidate is to stay. */
function lastDay(candidates: readonly Candidate[]): string | null {
  const days = candidates.map(({ facts, goneFromMs: gone }) => (Number.isFinite(gone) ? facts.shutdown : null));
  return days.includes(null) ? null : (days.toSorted().at(-1) ?? null);
}
