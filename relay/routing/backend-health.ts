import type { Backend } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import { fingerprintsOf } from '../upstream/backend-keys.ts';
import { Breaker, type Cause, causeOf, isOfKey } from './breaker.ts';
import { Pass } from './pass.ts';
import type { Place } from './route-table.ts';

/** A breaker has opened, lets one probe through, or has closed. */
export interface BreakerEvent {
  readonly state: 'open' | 'half-open' | 'closed';
  readonly backend: string;
  readonly cause: Cause;
  /** Where it stands, by names that other nodes know: the cause, the key's fingerprint and the model, as far as they count. */
  readonly at: string;
  readonly model: string | null;
  /** Number of the key in the configuration, from 1. */
  readonly key: number | null;
  /** What it has opened for. */
  readonly error: OpenAIError | null;
  /** From now until it may be probed, in ms. */
  readonly openMs: number;
}

export interface HealthOptions {
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly random: () => number;
  readonly onChange: (event: BreakerEvent) => void;
}

/** What one backend is known to suffer from. Empty for a healthy one, which costs one look. */
interface Known {
  readonly breakers: Map<string, { readonly breaker: Breaker; readonly model: string | null; readonly key: number | null }>;
  /** The key whose turn it is. */
  turn: number;
}

/** Callers make up model names: no more than these are remembered for a backend. */
const MOST_BREAKERS = 1_000;

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
   * @param again a retry, which has waited as long as the failure said: it is not held up
   * @returns the failure that stands in the way, of the key that is free soonest
   */
  enter({ backend, model }: Place, again = false): Pass | OpenAIError {
    const known = this.#of(backend);
    const now = this.#options.now();
    const keys = fingerprintsOf(backend).length;
    const first = known.turn++ % keys;
    const free = known.breakers.size === 0 || backend.breaker === 'off';
    if (free) return new Pass(this, backend, model, first, now, []);
    let soonest: Breaker | null = null;
    for (let step = 0; step < keys; step++) {
      const key = (first + step) % keys;
      const met = this.#met(known, backend, model, key);
      const barring = met.find(({ breaker }) => breaker.bars(now));
      if (barring === undefined) return this.#probe(backend, model, key, now, met);
      if (soonest === null || (barring.breaker.untilMs ?? 0) < (soonest.untilMs ?? 0)) soonest = barring.breaker;
    }
    if (again) return new Pass(this, backend, model, first, now, []);
    return (soonest as Breaker).refusal(now);
  }

  /** Another key could be tried at once, where one of this cause failed. */
  hasOtherKey({ backend, model }: Place, error: OpenAIError): boolean {
    const keys = fingerprintsOf(backend);
    if (keys.length < 2 || !isOfKey(causeOf(error)) || backend.breaker === 'off') return false;
    const known = this.#of(backend);
    const now = this.#options.now();
    return keys.some((_, key) => !this.#met(known, backend, model, key).some(({ breaker }) => breaker.bars(now)));
  }

  /** No request can go there now, whatever it asks for. */
  isOut(backend: Backend): boolean {
    const known = this.#known.get(backend.name);
    if (known === undefined || backend.breaker === 'off') return false;
    const now = this.#options.now();
    const open = (cause: Cause, key: number): boolean =>
      known.breakers.get(placeOf(cause, backend, '', key))?.breaker.state(now) === 'open';
    return open('failure', 0) || fingerprintsOf(backend).every((_, key) => open('key', key));
  }

  /** How many breakers of each backend and cause are open. */
  *openings(): Generator<{ readonly backend: string; readonly cause: Cause; readonly open: number }> {
    const now = this.#options.now();
    for (const [backend, { breakers }] of this.#known) {
      const counts = new Map<Cause, number>();
      for (const { breaker } of breakers.values()) {
        counts.set(breaker.cause, (counts.get(breaker.cause) ?? 0) + (breaker.state(now) === 'closed' ? 0 : 1));
      }
      for (const [cause, open] of counts) yield { backend, cause, open };
    }
  }

  /** What another node has found. An opening that this one knows itself stands. */
  adopt(backend: Backend, at: string, openMs: number, error: OpenAIError): void {
    const [cause, print = '', ...words] = at.split(' ') as [Cause, string?, ...string[]];
    if (backend.breaker === 'off' || openMs <= 0) return;
    const model = words.join(' ');
    const key = print === '' ? null : fingerprintsOf(backend).indexOf(print);
    if (key === -1) return;
    const now = this.#options.now();
    const { breaker } = this.#at(backend, at, cause, model === '' ? null : model, key);
    if (breaker.state(now) === 'closed') breaker.open(now + openMs, error, now);
  }

  /** Another node has found that it works again. */
  drop({ name }: Pick<Backend, 'name'>, at: string): void {
    this.#known.get(name)?.breakers.delete(at);
  }

  /** For passes: the call is answered, or has failed. */
  failed(backend: Backend, model: string, key: number, begunAt: number, error: OpenAIError): void {
    const cause = causeOf(error);
    if (cause === null || backend.breaker === 'off') return;
    const at = placeOf(cause, backend, model, key);
    const entry = this.#at(backend, at, cause, cause === 'failure' || cause === 'key' ? null : model, isOfKey(cause) ? key : null);
    const now = this.#options.now();
    if (entry.breaker.failed(error, begunAt, now, this.#options.random)) this.#tell('open', backend, at, entry, error);
  }

  /** @param besides a cause that has just failed, and so has not been proved to be over */
  succeeded(backend: Backend, model: string, key: number, begunAt: number, besides: Cause | null = null): void {
    const known = this.#known.get(backend.name);
    if (known === undefined || known.breakers.size === 0) return;
    for (const cause of ALL) {
      if (cause === besides) continue;
      const at = placeOf(cause, backend, model, key);
      const entry = known.breakers.get(at);
      if (entry === undefined || !entry.breaker.succeeded(begunAt)) continue;
      known.breakers.delete(at);
      if (entry.breaker.untilMs !== null) this.#tell('closed', backend, at, entry, null);
    }
  }

  #probe(backend: Backend, model: string, key: number, now: number, met: readonly Met[]): Pass {
    const probed = met.filter(({ breaker }) => breaker.state(now) === 'half-open');
    for (const { at, ...entry } of probed) {
      entry.breaker.probing = true;
      this.#tell('half-open', backend, at, entry, null);
    }
    return new Pass(
      this,
      backend,
      model,
      key,
      now,
      probed.map(({ breaker }) => breaker),
    );
  }

  #tell(
    state: BreakerEvent['state'],
    { name }: Backend,
    at: string,
    { breaker, model, key }: Omit<Met, 'at'>,
    error: OpenAIError | null,
  ): void {
    const openMs = state === 'open' ? Math.ceil((breaker.untilMs ?? 0) - this.#options.now()) : 0;
    this.#options.onChange({ state, backend: name, cause: breaker.cause, at, model, key: key === null ? null : key + 1, error, openMs });
  }

  /** The breakers that a call would meet. */
  #met({ breakers }: Known, backend: Backend, model: string, key: number): Met[] {
    return ALL.flatMap((cause) => {
      const at = placeOf(cause, backend, model, key);
      const entry = breakers.get(at);
      return entry === undefined ? [] : [{ at, ...entry }];
    });
  }

  #at(backend: Backend, at: string, cause: Cause, model: string | null, key: number | null) {
    const { breakers } = this.#of(backend);
    let entry = breakers.get(at);
    if (entry === undefined) {
      const [oldest] = breakers.keys();
      if (oldest !== undefined && breakers.size >= MOST_BREAKERS) breakers.delete(oldest);
      const settings = backend.breaker as Exclude<Backend['breaker'], 'off'>;
      breakers.set(at, (entry = { breaker: new Breaker(cause, settings), model, key }));
    }
    return entry;
  }

  #of({ name }: Backend): Known {
    let known = this.#known.get(name);
    if (known === undefined) this.#known.set(name, (known = { breakers: new Map(), turn: 0 }));
    return known;
  }
}

interface Met {
  readonly at: string;
  readonly breaker: Breaker;
  readonly model: string | null;
  readonly key: number | null;
}

const ALL: readonly Cause[] = ['failure', 'overload', 'key', 'rate', 'credit', 'model'];

/** The place of a breaker, as a name: what does not count for its cause is left out. */
function placeOf(cause: Cause, backend: Backend, model: string, key: number): string {
  const print = isOfKey(cause) ? fingerprintsOf(backend)[key] : '';
  return `${cause} ${print} ${cause === 'failure' || cause === 'key' ? '' : model}`;
}
