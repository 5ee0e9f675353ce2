import { collectDefaultMetrics, Registry } from 'prom-client';
import { metricSet } from '../server/telemetry/metric-set.ts';
import { workerMetrics } from '../server/telemetry/own-metrics.ts';

/** A metric as it is exported. */
export interface ListedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** How the values of several workers become one. */
  readonly aggregator: string;
}

/** The relay's own metrics, from the code that registers them. */
export function listedMetrics(): ListedMetric[] {
  const register = new Registry();
  metricSet(register, {
    books: () => ({ waiting: 0, lost: 0, down: false }),
    quota: () => ({ unsent: 0, open: 0 }),
    breakers: () => [],
    queues: () => [],
    learned: () => [],
    backendRunning: () => [],
    running: () => ({ streams: 0, whole: 0 }),
  });
  workerMetrics(register, () => 0);
  return listed(register).toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** Those of every Node process; which there are depends on the system. */
export function processMetrics(): ListedMetric[] {
  const register = new Registry();
  // Of several workers each has its own.
  collectDefaultMetrics({ register, labels: { worker: '1' } });
  return listed(register);
}

function listed(register: Registry): ListedMetric[] {
  // The list holds the metric objects; their type is missing in the declarations.
  const metrics = register.getMetricsAsArray() as unknown as (Omit<ListedMetric, 'labels'> & { readonly labelNames: readonly string[] })[];
  return metrics.map(({ name, type, help, labelNames, aggregator }) => ({ name, type, help, labels: labelNames, aggregator }));
}

const AGGREGATORS: Readonly<Record<string, string>> = { sum: 'sum', max: 'largest' };

/** The generated page of metrics: path from the project's root → text. Writes nothing. */
export function generateMetricsDocs(): Record<string, string> {
  const rows = listedMetrics().map(
    ({ name, type, labels, aggregator, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${AGGREGATORS[aggregator] ?? aggregator} | ${help} |`,
  );
  const text = `# Metrics

Generated from \`server/telemetry/metric-set.ts\` (\`npm run docs\`); do not edit. How to read them: [the guide](../guide/metrics.md).

All counters start at 0 with the process. A histogram is exported as \`_bucket\`, \`_sum\` and \`_count\`. \`/metrics\` also has the usual metrics of a
process and of Node, \`process_…\` and \`nodejs_…\`, for example the delay of the event loop (\`nodejs_eventloop_lag_p99_seconds\`). With
[workers](../guide/one-machine.md#workers) these are exported for each process, with the label \`worker\` (\`1\`, \`2\`, …, \`primary\`). All other metrics
are one number for all workers: the sum, or the largest.

| name | type | labels | of several workers | meaning |
|---|---|---|---|---|
${rows.join('\n')}
`;
  return { 'docs/generated/metrics.md': text };
}
