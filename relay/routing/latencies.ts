import type { Settled } from '../records/record-of.ts';

/** A figure forgets so fast: after so long without news little more than a third of it is left. */
const MEMORY_MS = 30_000;
/** What a first failure counts as, where nothing is known yet. */
const FAILURE_MS = 5_000;

interface Figure {
  /** Peak-EWMA of the first byte, in ms; null before the first answer. */
  ms: number | null;
  atMs: number;
  running: number;
}

/** One call under way. */
export interface Running {
  /** @param ms to the first byte, or to the whole answer where it comes in one; null when it failed or nobody waited for it: see `failed` */
  ended(ms: number | null, failed?: boolean): void;
  /** Instead of `ended`: cancelled, since another call was first. @param ms it would have taken longer than this */
  outrun(ms: number): void;
}

/**
 * How long places take to the first byte: a moving average that jumps to a peak at once and comes down slowly, times the calls under way.
 * Whole answers and streams are apart, since one is as long as the answer. Of configured candidates only, so that memory is bounded.
 */
export class Latencies {
  readonly #watched: ReadonlySet<string>;
  readonly #now: () => number;
  readonly #figures = new Map<string, Figure>();

  /**
   * @param watched `backend/model`
   * @param now a clock in ms
   */
  constructor(watched: Iterable<string>, now: () => number) {
    this.#watched = new Set(watched);
    this.#now = now;
  }

  /** The expected wait of each place, in ms; all null when nothing is known of any. One that was not asked yet is taken to be as fast as the fastest. */
  expected(places: readonly string[], stream: boolean): (number | null)[] {
    const figures = places.map((place) => this.#figures.get(keyOf(place, stream)));
    const known = figures.flatMap((figure) => (figure === undefined ? [] : (this.#faded(figure) ?? [])));
    if (known.length === 0) return places.map(() => null);
    const seed = Math.min(...known);
    return figures.map((figure) => (figure === undefined ? seed : (this.#faded(figure) ?? seed) * (figure.running + 1)));
  }

  /**
   * Goes on with what another one has learned of places that both watch, calls under way counted in.
   * @param isSame the place leads where it led before
   */
  learnFrom(before: Latencies, isSame: (place: string) => boolean): void {
    for (const [key, figure] of before.#figures) {
      const place = key.slice(key.indexOf(' ') + 1);
      if (this.#watched.has(place) && isSame(place)) this.#figures.set(key, figure);
    }
  }

  begin(place: string, stream: boolean): Running {
    if (!this.#watched.has(place)) return UNWATCHED;
    const key = keyOf(place, stream);
    let figure = this.#figures.get(key);
    if (figure === undefined) this.#figures.set(key, (figure = { ms: null, atMs: this.#now(), running: 0 }));
    const own = figure;
    own.running++;
    return {
      ended: (ms, failed = false) => {
        own.running--;
        // A quick refusal is no speed: it must not draw more requests.
        const told = failed ? 2 * (this.#faded(own) ?? FAILURE_MS / 2) : ms;
        if (told !== null) this.#observe(own, told);
      },
      outrun: (ms) => {
        own.running--;
        if (ms > (this.#faded(own) ?? 0)) this.#observe(own, ms);
      },
    };
  }

  #observe(figure: Figure, ms: number): void {
    const before = this.#faded(figure);
    const weight = Math.exp(-(this.#now() - figure.atMs) / MEMORY_MS);
    figure.ms = figure.ms === null || before === null || ms > before ? ms : figure.ms * weight + ms * (1 - weight);
    figure.atMs = this.#now();
  }

  /** A place that has not been asked for a while gets another chance: its figure goes down. */
  #faded({ ms, atMs }: Figure): number | null {
    return ms === null ? null : Math.max(1, ms * Math.exp(-(this.#now() - atMs) / MEMORY_MS));
  }
}

/** How long the caller waited for the first of the answer, in ms; null when it had left before. */
export function waitOf({ gone, firstByteAtMs }: Pick<Settled, 'gone' | 'firstByteAtMs'>, now: number, startedAt: number): number | null {
  if (firstByteAtMs !== null) return firstByteAtMs - startedAt;
  return gone ? null : now - startedAt;
}

const keyOf = (place: string, stream: boolean): string => `${stream ? 'stream' : 'whole'} ${place}`;

const UNWATCHED: Running = { ended: () => undefined, outrun: () => undefined };
