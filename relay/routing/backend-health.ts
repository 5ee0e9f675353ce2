import type { Backend } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import { keyPrintsOf } from '../upstream/backend-keys.ts';
import { Breaker, type Cause, causeOf, isOfKey } from './breaker.ts';
import type { BreakerEvent } from './breaker-event.ts';
import { type BreakerPlace, breakerName, breakerNamed, breakerPlace, CAUSES } from './breaker-place.ts';
import { Pass } from './pass.ts';
import type { ProbeLeases } from './probe-leases.ts';
import type { Place } from './route-table.ts';

export interface HealthOptions {
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly random: () => number;
  readonly onChange: (event: BreakerEvent) => void;
  /** The relay asks by itself whether this place works again: callers wait for its probe. Absent: they probe. */
  readonly isProbed?: (backend: Backend, place: BreakerPlace) => boolean;
  /** Who of several processes probes; absent: there are no others. */
  readonly leases?: Pick<ProbeLeases, 'claim' | 'giveBack'> | null;
}

interface Entry extends BreakerPlace {
  readonly breaker: Breaker;
}

/** With the name of its place. */
interface Met extends Entry {
  readonly at: string;
}

/**
 * `again`: a retry, which has waited as long as the failure said, is not held up · `beside`: a call beside another that is slow probes
 * nothing, and goes only where all is well.
 */
export type Entering = 'first' | 'again' | 'beside';

/** What one backend is known to suffer from. Empty for a healthy one, which costs one look. */
interface Known {
  readonly breakers: Map<string, Entry>;
  /** The key whose turn it is. */
  turn: number;
}

/** Callers make up model names: no more than these are remembered for a backend. */
const MOST_BREAKERS = 1_000;
/** After so long a process looks whether the probe of another one is over, if it has not heard of it by then. */
const HELD_MS = 1_000;
/** Where no probe of the relay's own has come to a result by then, since it was due, callers probe as if there was none. */
const PATIENCE_MS = 30_000;

/**
 * Which backends, models and keys are worth asking now, by what became of those who asked. In this process; `SharedHealth` carries it to
 * others and back.
 */
export class BackendHealth {
  readonly #options: HealthOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /**
   * Asks to make a call. The pass must be told how it ended.
   * @returns the failure that stands in the way, of the key that is free soonest; a promise only for a call that would be a probe, and that
   * other processes must know of
   */
  enter(place: Place, how: Entering = 'first'): Pass | OpenAIError | Promise<Pass | OpenAIError> {
    const { backend, model } = place;
    const known = this.#of(backend);
    const now = this.#options.now();
    const keys = keyPrintsOf(backend).length;
    const first = known.turn++ % keys;
    const free = known.breakers.size === 0 || backend.breaker === 'off';
    if (free) return new Pass(this, backend, model, first, now);
    let soonest: Breaker | null = null;
    for (let step = 0; step < keys; step++) {
      const key = (first + step) % keys;
      const met = this.#met(known, backend, model, key);
      const barring = met.find((one) => (how === 'beside' ? one.breaker.state(now) !== 'closed' : this.#barsCallers(backend, one, now)));
      if (barring === undefined) return this.#pass(place, key, met, () => this.enter(place, how));
      if (soonest === null || (barring.breaker.untilMs ?? 0) < (soonest.untilMs ?? 0)) soonest = barring.breaker;
    }
    if (how === 'again') return new Pass(this, backend, model, first, now);
    return (soonest as Breaker).refusal(now);
  }

  /** Half-open places that wait for a probe of the relay's own. */
  due(backend: Backend): readonly BreakerPlace[] {
    const now = this.#options.now();
    const entries = [...(this.#known.get(backend.name)?.breakers ?? [])];
    return entries.flatMap(([at, { breaker, ...place }]) =>
      breaker.state(now) === 'half-open' && !breaker.bars(now) && breakerNamed(backend, at) !== null && this.#isProbed(backend, place)
        ? [place]
        : [],
    );
  }

  /**
   * Asks to send the probe of a place that is due. The pass must be told how it ended.
   * @param model the one that will be asked
   * @returns null: not now; another process probes, or something else bars every key
   */
  async probe(backend: Backend, place: BreakerPlace, model: string): Promise<Pass | null> {
    const now = this.#options.now();
    const keys = place.key === null ? keyPrintsOf(backend).keys() : [place.key];
    for (const key of keys) {
      const met = this.#met(this.#of(backend), backend, model, key);
      if (met.some(({ breaker }) => breaker.bars(now))) continue;
      return this.#pass({ backend, model }, key, met, () => null);
    }
    return null;
  }

  /** Another key could be tried at once, where one of this cause failed. */
  hasOtherKey({ backend, model }: Place, error: OpenAIError): boolean {
    const keys = keyPrintsOf(backend);
    if (keys.length < 2 || !isOfKey(causeOf(error)) || backend.breaker === 'off') return false;
    const known = this.#of(backend);
    const now = this.#options.now();
    return keys.some((_, key) => !this.#met(known, backend, model, key).some((one) => this.#barsCallers(backend, one, now)));
  }

  /** No request can go there now, whatever it asks for. */
  isOut(backend: Backend): boolean {
    const known = this.#known.get(backend.name);
    if (known === undefined || backend.breaker === 'off') return false;
    const now = this.#options.now();
    const open = (cause: Cause, key: number): boolean =>
      known.breakers.get(breakerName(backend, breakerPlace(cause, '', key)))?.breaker.state(now) === 'open';
    return open('failure', 0) || keyPrintsOf(backend).every((_, key) => open('key', key));
  }

  /**
   * How many breakers of each backend and cause keep callers away now; not one whose time is over and that nobody probes, nor one of an
   * address or a key that a backend no longer has.
   */
  *openings(backends: Iterable<Backend>): Generator<{ readonly backend: string; readonly cause: Cause; readonly open: number }> {
    const now = this.#options.now();
    for (const backend of backends) {
      const counts = new Map<Cause, number>();
      for (const [at, entry] of this.#known.get(backend.name)?.breakers ?? []) {
        const open = breakerNamed(backend, at) !== null && this.#barsCallers(backend, { at, ...entry }, now);
        const { cause } = entry;
        counts.set(cause, (counts.get(cause) ?? 0) + (open ? 1 : 0));
      }
      for (const [cause, open] of counts) yield { backend: backend.name, cause, open };
    }
  }

  /** What another node has found. An opening that this one knows itself stands. */
  adopt(backend: Backend, at: string, openMs: number, error: OpenAIError): void {
    const place = breakerNamed(backend, at);
    if (place === null || backend.breaker === 'off' || openMs <= 0) return;
    const now = this.#options.now();
    const { breaker } = this.#at(backend, at, place);
    if (breaker.state(now) !== 'open' && !breaker.probing) breaker.open(now + openMs, error, now);
  }

  /** Another node has found that it works again. */
  drop({ name }: Pick<Backend, 'name'>, at: string): void {
    this.#known.get(name)?.breakers.delete(at);
  }

  /** For passes: the call is answered, or has failed. */
  failed(backend: Backend, model: string, key: number, begunAt: number, error: OpenAIError, broken: boolean): void {
    const cause = causeOf(error);
    if (cause === null || backend.breaker === 'off') return;
    const place = breakerPlace(cause, model, key);
    const at = breakerName(backend, place);
    const entry = this.#at(backend, at, place);
    const now = this.#options.now();
    if (entry.breaker.failed(error, begunAt, now, this.#options.random, broken)) this.#tell('open', backend, at, entry, error);
  }

  /** For passes: an answer has begun, and may still break off. */
  began(backend: Backend, model: string, key: number, begunAt: number): void {
    this.#disproved(backend, model, key, begunAt, false, null);
  }

  /** @param besides a cause that has just failed, and so has not been proved to be over */
  succeeded(backend: Backend, model: string, key: number, begunAt: number, besides: Cause | null = null): void {
    this.#disproved(backend, model, key, begunAt, true, besides);
  }

  #disproved(backend: Backend, model: string, key: number, begunAt: number, whole: boolean, besides: Cause | null): void {
    const known = this.#known.get(backend.name);
    if (known === undefined || known.breakers.size === 0) return;
    for (const cause of CAUSES) {
      if (cause === besides) continue;
      const at = breakerName(backend, breakerPlace(cause, model, key));
      const entry = known.breakers.get(at);
      if (entry === undefined || !entry.breaker.isDisproved(begunAt)) continue;
      const wasOpen = entry.breaker.untilMs !== null;
      const forgets = entry.breaker.close(this.#options.now());
      if (whole || forgets) known.breakers.delete(at);
      if (wasOpen) this.#tell('closed', backend, at, entry, null);
    }
  }

  #isProbed(backend: Backend, place: BreakerPlace): boolean {
    return this.#options.isProbed?.(backend, place) === true;
  }

  #barsCallers(backend: Backend, { breaker, ...place }: Met, now: number): boolean {
    if (breaker.bars(now)) return true;
    return breaker.state(now) === 'half-open' && now < (breaker.untilMs ?? 0) + PATIENCE_MS && this.#isProbed(backend, place);
  }

  /**
   * Nothing bars it; where a breaker is half-open, it is the probe.
   * @param instead when another process turns out to be the one that probes
   */
  #pass<T>(place: Place, key: number, met: readonly Met[], instead: () => T | Promise<T>): Pass | Promise<Pass | T> {
    const now = this.#options.now();
    const probed = met.filter(({ breaker }) => breaker.state(now) === 'half-open');
    for (const { breaker } of probed) breaker.probing = true;
    // Names of models are not shared: each process finds out for itself which are missing.
    const shared = this.#options.leases == null ? [] : probed.filter(({ cause }) => cause !== 'model');
    return shared.length === 0 ? this.#probe(place, key, probed) : this.#claimed(place, key, probed, shared, instead);
  }

  #probe({ backend, model }: Place, key: number, probed: readonly Met[]): Pass {
    for (const { at, ...entry } of probed) this.#tell('half-open', backend, at, entry, null);
    const onEnd = probed.length === 0 ? null : () => this.#giveBack(backend, probed);
    return new Pass(this, backend, model, key, this.#options.now(), onEnd);
  }

  async #claimed<T>(
    place: Place,
    key: number,
    probed: readonly Met[],
    shared: readonly Met[],
    instead: () => T | Promise<T>,
  ): Promise<Pass | T> {
    const { now, leases } = this.#options;
    const { name } = place.backend;
    const claims = await Promise.all(shared.map(({ at }) => leases?.claim(name, at)));
    if (claims.every((claim) => claim === undefined || claim.kind === 'granted')) return this.#probe(place, key, probed);
    this.#giveBack(place.backend, probed);
    for (const [index, { breaker }] of shared.entries()) {
      const claim = claims[index];
      if (claim?.kind === 'open') breaker.open(now() + claim.openMs, claim.error, now());
      else if (claim?.kind === 'taken') breaker.heldUntilMs = now() + HELD_MS;
    }
    return instead();
  }

  #giveBack({ name }: Backend, probed: readonly Met[]): void {
    for (const { at, breaker } of probed) {
      breaker.probing = false;
      void this.#options.leases?.giveBack(name, at);
    }
  }

  #tell(state: BreakerEvent['state'], { name }: Backend, at: string, { breaker, model, key }: Entry, error: OpenAIError | null): void {
    const openMs = state === 'open' ? Math.ceil((breaker.untilMs ?? 0) - this.#options.now()) : 0;
    this.#options.onChange({ state, backend: name, cause: breaker.cause, at, model, key: key === null ? null : key + 1, error, openMs });
  }

  /** The breakers that a call would meet. */
  #met({ breakers }: Known, backend: Backend, model: string, key: number): Met[] {
    return CAUSES.flatMap((cause) => {
      const at = breakerName(backend, breakerPlace(cause, model, key));
      const entry = breakers.get(at);
      return entry === undefined ? [] : [{ at, ...entry }];
    });
  }

  #at(backend: Backend, at: string, place: BreakerPlace): Entry {
    const { breakers } = this.#of(backend);
    let entry = breakers.get(at);
    if (entry === undefined) {
      const [oldest] = breakers.keys();
      if (oldest !== undefined && breakers.size >= MOST_BREAKERS) breakers.delete(oldest);
      const settings = backend.breaker as Exclude<Backend['breaker'], 'off'>;
      breakers.set(at, (entry = { ...place, breaker: new Breaker(place.cause, settings) }));
    }
    return entry;
  }

  #of({ name }: Backend): Known {
    let known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, (known = { breakers: new Map(), turn: 0 }));
    return known;
  }
}
