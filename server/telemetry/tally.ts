import { Counter, Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client';

type Labels<L extends string> = Readonly<Record<L, string | number>>;

/** One series of a counter. */
interface Count {
  readonly labels: Labels<string>;
  n: number;
}

/** One series of a histogram: how many fell into each bucket, the last of them has no bound. */
interface Spread {
  readonly labels: Labels<string>;
  readonly counts: number[];
  sum: number;
}

/** Series by the values of their labels, in the order of the labels' names: a step for each, and no text is put together to look one up. */
class Series<S> {
  readonly #names: readonly string[];
  readonly #make: (labels: Labels<string>) => S;
  readonly #root = new Map<string | number, unknown>();
  /** Of a metric without labels, from its beginning. */
  readonly #only: S | null;
  /** In the order in which they came. */
  readonly all: S[] = [];

  constructor(names: readonly string[], make: (labels: Labels<string>) => S) {
    this.#names = names;
    this.#make = make;
    this.#only = names.length === 0 ? make({}) : null;
    if (this.#only !== null) this.all.push(this.#only);
  }

  /** @throws TypeError where a label has no value, or the first of a series has one more */
  at(labels: Labels<string>): S {
    if (this.#only !== null) return this.#only;
    let found: unknown = this.#root;
    for (const name of this.#names) {
      const step = found as Map<string | number, unknown>;
      found = step.get(labels[name] as string | number);
      if (found === undefined) return this.#begun(labels);
    }
    return found as S;
  }

  #begun(labels: Labels<string>): S {
    const values = this.#names.map((name) => {
      const value = labels[name];
      if (value === undefined) throw new TypeError(`The label ${name} has no value.`);
      return value;
    });
    // prom-client would refuse it when asked for the metrics, and with it all of them.
    const unknown = Object.keys(labels).find((name) => !this.#names.includes(name));
    if (unknown !== undefined) throw new TypeError(`There is no label ${unknown}.`);
    const series = this.#make({ ...labels });
    this.all.push(series);
    const last = values.length - 1;
    let step = this.#root;
    for (const [place, value] of values.entries()) {
      const next = place === last ? series : (step.get(value) ?? new Map());
      step.set(value, next);
      step = next as typeof step;
    }
    return series;
  }
}

interface Named<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  readonly registers: Registry[];
}

/** prom-client's counter, told only when someone asks for it: each of its own steps puts the text of all labels together. */
export class TallyCounter<L extends string> {
  readonly #series: Series<Count>;

  constructor(named: Named<L>) {
    const series = new Series<Count>(named.labelNames, (labels) => ({ labels, n: 0 }));
    this.#series = series;
    new Counter({
      ...named,
      collect() {
        this.reset();
        for (const { labels, n } of series.all) this.inc(labels as Partial<Labels<L>>, n);
      },
    });
  }

  /** @throws RangeError for what no counter can be raised by, TypeError where a label has no value */
  inc(labels: Labels<L>, by = 1): void {
    if (!(by >= 0 && by < Number.POSITIVE_INFINITY)) throw new RangeError(`A counter cannot be raised by ${by}.`);
    this.#series.at(labels).n += by;
  }
}

/** As the counter; its labels are texts, since a number would be a series beside the text that it is written as. */
export class TallyHistogram<L extends string> {
  readonly #bounds: readonly number[];
  readonly #series: Series<Spread>;

  /** @param bounds upper ones, ascending */
  constructor(named: Named<L>, bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#series = new Series<Spread>(named.labelNames, (labels) => ({ labels, counts: Array(bounds.length + 1).fill(0), sum: 0 }));
    new Told({ ...named, buckets: [...bounds] }, () => this.#values(named.name));
  }

  /** @throws RangeError for what is no number, TypeError where a label has no value */
  observe(labels: Readonly<Record<L, string>>, value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`Not a value to be observed: ${value}.`);
    const series = this.#series.at(labels);
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    (series.counts[bucket] as number)++;
    series.sum += value;
  }

  /** Buckets count what fell into those before them, too. */
  #values(name: string): MetricValueWithName<string>[] {
    return this.#series.all.flatMap(({ labels, counts, sum }) => {
      let count = 0;
      const buckets = counts.map((own, bucket) => {
        count += own;
        return { metricName: `${name}_bucket`, labels: { le: this.#bounds[bucket] ?? '+Inf', ...labels }, value: count };
      });
      return [...buckets, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count }];
    });
  }
}

/** A histogram that says what it is told to. */
class Told<L extends string> extends Histogram<L> {
  readonly #named: ConstructorParameters<typeof Histogram<L>>[0];
  readonly #values: () => MetricValueWithName<string>[];

  constructor(named: ConstructorParameters<typeof Histogram<L>>[0], values: () => MetricValueWithName<string>[]) {
    super(named);
    this.#named = named;
    this.#values = values;
  }

  override get(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    const { name, help } = this.#named;
    const told = { name, help, type: 'histogram', aggregator: 'sum', values: this.#values() };
    return Promise.resolve(told as unknown as MetricObjectWithValues<MetricValueWithName<L>>);
  }

  /** What the registry makes its text of. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    return this.get();
  }
}
