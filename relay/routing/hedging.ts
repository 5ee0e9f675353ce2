import type { Config, HedgeSettings } from '../../config/config.ts';
import { RecentWaits } from './recent-waits.ts';

/** Hedging sooner than this would only be noise: the wheel of the deadlines ticks no faster. */
const SOONEST_MS = 100;
const SHARES = { p90: 0.9, p95: 0.95, p99: 0.99 } as const;
/** As many waits as it takes for at least one to lie beyond the quantile: before that nothing is known. */
const LEAST_WAITS = { p90: 20, p95: 20, p99: 100 } as const;

/**
 * When a candidate has been silent for so long that another should be called beside it, and whether that may be afforded. What is learned
 * is of the requests of names with `hedge`, in this process. Whole answers and streams are apart.
 */
export class Hedging {
  readonly #now: () => number;
  readonly #waits = new Map<string, RecentWaits>();
  readonly #budgets = new WeakMap<HedgeSettings, HedgeBudget>();

  /** @param now a clock in ms that only goes forward */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Goes on with what another one has learned.
   * @param keeps the place is still in use, and leads where it led before
   */
  learnFrom(before: Hedging, keeps: (place: string) => boolean): void {
    for (const [key, waits] of before.#waits) if (keeps(key.slice(key.indexOf(' ') + 1))) this.#waits.set(key, waits);
  }

  /** How long a call may be silent, in ms; null: not known yet. */
  afterMs({ after }: HedgeSettings, place: string, stream: boolean): number | null {
    if (typeof after === 'number') return after;
    const waits = this.#waits.get(keyOf(place, stream));
    if (waits === undefined || waits.size < LEAST_WAITS[after]) return null;
    return Math.max(SOONEST_MS, waits.quantile(SHARES[after]) as number);
  }

  /** @param place one of the configuration: each is remembered */
  answered(place: string, stream: boolean, ms: number): void {
    this.#of(place, stream).add(ms);
  }

  /**
   * A call that was cancelled, since another was first, would have taken longer than it had. Left out, only quick answers would be known, and
   * each hedge would bring the next one sooner; one that had hardly begun says nothing.
   */
  outrun(place: string, stream: boolean, ms: number): void {
    const waits = this.#of(place, stream);
    if (ms >= (waits.quantile(SHARES.p90) ?? Number.POSITIVE_INFINITY)) waits.add(ms);
  }

  /** One for all requests of an entry of `models`. */
  budget(settings: HedgeSettings): HedgeBudget {
    let budget = this.#budgets.get(settings);
    if (budget === undefined) this.#budgets.set(settings, (budget = new HedgeBudget(settings.mostPercent)));
    return budget;
  }

  #of(place: string, stream: boolean): RecentWaits {
    const key = keyOf(place, stream);
    let waits = this.#waits.get(key);
    if (waits === undefined) this.#waits.set(key, (waits = new RecentWaits(this.#now)));
    return waits;
  }
}

/** Where the configuration has requests hedged, as `backend/model`. */
export const hedgedPlaces = ({ models }: Pick<Config, 'models'>): Set<string> =>
  new Set(Object.values(models).flatMap(({ to, hedge }) => (hedge === null ? [] : to.map(({ backend, model }) => `${backend}/${model}`))));

/** Hedges kept for a bad moment. */
const MOST_KEPT = 10;

/** Each request earns a part of a hedge: at most `mostPercent` of all, and so many more as were kept. In whole hundredths. */
export class HedgeBudget {
  readonly #mostPercent: number;
  #hundredths = 100;

  constructor(mostPercent: number) {
    this.#mostPercent = mostPercent;
  }

  /** Once each request. */
  earn(): void {
    this.#hundredths = Math.min(this.#hundredths + this.#mostPercent, MOST_KEPT * 100);
  }

  /** False: there is none left. */
  take(): boolean {
    if (this.#hundredths < 100) return false;
    this.#hundredths -= 100;
    return true;
  }

  /** It was taken, and nothing was sent. */
  giveBack(): void {
    this.#hundredths = Math.min(this.#hundredths + 100, MOST_KEPT * 100);
  }
}

const keyOf = (place: string, stream: boolean): string => `${stream ? 'stream' : 'whole'} ${place}`;
