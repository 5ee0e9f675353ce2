import { FACTOR } from '../quota/calibration.ts';
import type { Expected } from '../quota/demand.ts';
import { LearnedByModel, type Served } from '../quota/learned-by-model.ts';
import { UpperTracker } from '../quota/upper-tracker.ts';
import type { RequestRecord } from '../records/request-record.ts';

/**
 * How many tokens vendors count for lists of texts, as a share of what their characters lead to: an upper estimate that covers about 95 % of
 * the requests, learned for each model. One for each kind of list. Knows no clock; begins anew with the process.
 */
export class ListCalibration {
  readonly #learned: LearnedByModel<UpperTracker>;

  constructor(known: (served: Served) => boolean) {
    this.#learned = new LearnedByModel(
      known,
      () => new UpperTracker(FACTOR),
      ({ value }) => new UpperTracker({ ...FACTOR, start: value }),
    );
  }

  /** @param plain tokens by the characters */
  tokens(served: Served, plain: number): number {
    return Math.ceil(this.#learned.of(served).value * plain);
  }

  learn(served: Served, plain: number, counted: number): void {
    if (plain > 0) for (const factor of this.#learned.learners(served)) factor.observe(counted / plain);
  }
}

/** What one request is expected to use, and what its answer teaches of the next ones. */
export class ListForecast {
  readonly #count: () => number;
  readonly #calibration: ListCalibration;
  /** Null until someone asks: requests without limits are not measured. */
  #plain: number | null = null;

  /** @param count the tokens by the characters; called at most once */
  constructor(count: () => number, calibration: ListCalibration) {
    this.#count = count;
    this.#calibration = calibration;
  }

  expected(served: Served): Expected {
    this.#plain ??= this.#count();
    return { prompt: this.#calibration.tokens(served, this.#plain), completion: 0 };
  }

  /** Only of a whole answer that the vendor counted itself. */
  learn({ reason, usage, attempts }: Pick<RequestRecord, 'reason' | 'usage' | 'attempts'>): void {
    const served = attempts.at(-1);
    if (this.#plain === null || reason !== 'done' || usage?.source !== 'vendor' || served === undefined) return;
    this.#calibration.learn(served, this.#plain, usage.promptTokens);
  }
}
