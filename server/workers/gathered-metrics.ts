import { AggregatorRegistry } from 'prom-client';
import type { MetricValues } from './calls.ts';

/**
 * The metrics of all workers as those of one process. Counts of a worker that has ended stay in every sum, so that no sum ever falls: those
 * of the last time it was asked. Gauges of a worker go with it.
 */
export class GatheredMetrics<Source extends object> {
  readonly #own: () => Promise<MetricValues>;
  readonly #ask: (source: Source) => Promise<MetricValues>;
  readonly #last = new Map<Source, MetricValues>();
  /** The sum of those that have ended, and those that are not in it yet. */
  #ended: MetricValues[] = [];
  #adding: Promise<void> = Promise.resolve();

  /** @param own those of the primary itself */
  constructor(own: () => Promise<MetricValues>, ask: (source: Source) => Promise<MetricValues>) {
    this.#own = own;
    this.#ask = ask;
  }

  /** Asks all of them; one that does not answer is taken as it was the last time. */
  async ask(sources: Iterable<Source>): Promise<void> {
    await Promise.all(
      Array.from(sources, async (source) => {
        try {
          this.remember(source, await this.#ask(source));
        } catch {
          // It is busy, or ends: `ended` comes then.
        }
      }),
    );
  }

  remember(source: Source, values: MetricValues): void {
    this.#last.set(source, values);
  }

  ended(source: Source): void {
    const counts = (this.#last.get(source) ?? []).filter(({ type }) => type === 'counter' || type === 'histogram');
    this.#last.delete(source);
    this.#ended.push(counts);
    this.#adding = this.#adding.then(() => this.#add());
  }

  /** In Prometheus's text form. */
  async text(): Promise<string> {
    const own = await this.#own();
    return sumOf([own, ...this.#ended, ...this.#last.values()]).metrics();
  }

  async #add(): Promise<void> {
    const { length } = this.#ended;
    const sum = await valuesOf(sumOf(this.#ended));
    this.#ended = [sum, ...this.#ended.slice(length)];
  }
}

const sumOf = (all: readonly MetricValues[]) => AggregatorRegistry.aggregate(all.map((values) => [...values]));

/** What prom-client leaves out of a sum is kept: the label of the worker keeps it apart from the others' anyway. */
export async function valuesOf(registry: { getMetricsAsJSON(): Promise<unknown> }): Promise<MetricValues> {
  const values = (await registry.getMetricsAsJSON()) as MetricValues;
  return values.map((value) => (value.aggregator === 'omit' ? { ...value, aggregator: 'first' } : value));
}
