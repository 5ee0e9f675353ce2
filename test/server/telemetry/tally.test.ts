import fc from 'fast-check';
import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { TallyCounter, TallyHistogram } from '../../../server/telemetry/tally.ts';

const word = fc.constantFrom('a', 'b', '', '__proto__', 'constructor', '"} 1', 'ü\n');
const labelNames = ['backend', 'cause'] as const;

/** Lines in no order: series may come in another one. */
const told = async (registry: Registry): Promise<string[]> => (await registry.metrics()).split('\n').sort();

test('a counter says what prom-client’s own would', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ backend: word, cause: fc.oneof(word, fc.constantFrom(200, '200', 503)), by: fc.constantFrom(0, 1, 2.5, 7) })),
      async (steps) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const tally = new TallyCounter({ name: 'n_total', help: 'h', labelNames, registers: [ours] });
        const counter = new Counter({ name: 'n_total', help: 'h', labelNames, registers: [theirs] });
        for (const { by, ...labels } of steps) {
          tally.inc(labels, by);
          counter.inc(labels, by);
          // Asked in the middle of it: nothing is counted twice.
          await ours.metrics();
        }
        expect(await told(ours)).toEqual(await told(theirs));
        expect(await ours.getMetricsAsJSON()).toEqual(await theirs.getMetricsAsJSON());
      },
    ),
    { numRuns: 50 },
  ));

test('a histogram says what prom-client’s own would', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ backend: word, cause: word, value: fc.constantFrom(-1, 0, 0.1, 0.5, 0.500001, 1, 1e9) })),
      async (steps) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const buckets = [0.1, 0.5, 1];
        const tally = new TallyHistogram({ name: 'n', help: 'h', labelNames, registers: [ours] }, buckets);
        const histogram = new Histogram({ name: 'n', help: 'h', labelNames, buckets, registers: [theirs] });
        for (const { value, ...labels } of steps) {
          tally.observe(labels, value);
          histogram.observe(labels, value);
        }
        expect(await told(ours)).toEqual(await told(theirs));
        // As workers are added up.
        const twice = async (registry: Registry) => {
          const values = (await registry.getMetricsAsJSON()) as object[];
          return told(AggregatorRegistry.aggregate([structuredClone(values), structuredClone(values)]));
        };
        expect(await twice(ours)).toEqual(await twice(theirs));
      },
    ),
    { numRuns: 50 },
  ));

test('without labels a series is there from the beginning', async () => {
  const registry = new Registry();
  const named = { help: 'h', labelNames: [], registers: [registry] };
  const counter = new TallyCounter({ ...named, name: 'n_total' });
  const histogram = new TallyHistogram({ ...named, name: 's' }, [1]);
  expect(await told(registry)).toEqual(expect.arrayContaining(['n_total 0', 's_count 0', 's_bucket{le="+Inf"} 0']));
  counter.inc({}, 2);
  histogram.observe({}, 2);
  expect(await told(registry)).toEqual(expect.arrayContaining(['n_total 2', 's_count 1', 's_sum 2', 's_bucket{le="1"} 0']));
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('what is no count changes nothing: %d', async (value) => {
  const registry = new Registry();
  const counter = new TallyCounter({ name: 'n_total', help: 'h', labelNames: ['backend'], registers: [registry] });
  const histogram = new TallyHistogram({ name: 's', help: 'h', labelNames: ['backend'], registers: [registry] }, [1]);
  expect(() => counter.inc({ backend: 'a' }, value)).toThrow(RangeError);
  if (value !== -1) expect(() => histogram.observe({ backend: 'a' }, value)).toThrow(RangeError);
  expect(() => counter.inc({} as never)).toThrow(TypeError);
  const more = { backend: 'a', model: 'm' };
  expect(() => counter.inc(more)).toThrow(TypeError);
  expect(() => histogram.observe(more, 1)).toThrow(TypeError);
  // @ts-expect-error A number would be a series beside the text that it is written as.
  void (() => histogram.observe({ backend: 5 }, 1));
  expect(await told(registry)).not.toEqual(expect.arrayContaining([expect.stringContaining('backend=')]));
});
