import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type ListedMetric, listedMetrics, processMetrics } from '../../tools/docs-metrics.ts';
import { board, type Query, queries, rules } from './queries.ts';

/** Every query that we hand out must ask for metrics that exist, by labels that they have, in a way that fits their type. */

/** What Prometheus adds to every series. */
const SCRAPED = ['job', 'instance'];
const metrics = new Map<string, ListedMetric & { readonly series: 'counter' | 'gauge' | 'bucket' }>();
for (const metric of [...listedMetrics(), ...processMetrics()]) {
  if (metric.type === 'histogram') {
    metrics.set(`${metric.name}_bucket`, { ...metric, labels: [...metric.labels, 'le'], series: 'bucket' });
    for (const part of ['sum', 'count']) metrics.set(`${metric.name}_${part}`, { ...metric, series: 'counter' });
  } else metrics.set(metric.name, { ...metric, series: metric.type === 'counter' ? 'counter' : 'gauge' });
}

const NAME = /\b(?:estafet|nodejs|process)_\w+/g;

/** Nothing, or what is wrong with a query. */
function faults({ expr }: Query): string[] {
  const found: string[] = [];
  const names = [...expr.matchAll(NAME)].map(([name]) => name);
  for (const name of names) if (!metrics.has(name)) found.push(`there is no ${name}`);
  const labels = new Set(names.flatMap((name) => metrics.get(name)?.labels ?? []));
  for (const label of SCRAPED) labels.add(label);
  const by = [...expr.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((word) => word.trim()),
  );
  for (const label of by) if (!labels.has(label)) found.push(`nothing has the label ${label}`);
  for (const [, name = '', matchers = ''] of expr.matchAll(/(\w+)\{([^}]*)\}/g)) {
    // Prometheus 3 keeps the bound 1 as 1.0; earlier ones as it was scraped.
    if (/\ble\s*!?=\s*"\d+"/.test(matchers)) found.push('a whole bound is 1 or 1.0: le=~"1([.]0)?"');
    for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"[^"]*"/g)) {
      if (![...(metrics.get(name)?.labels ?? []), ...SCRAPED].includes(label)) found.push(`${name} has no label ${label}`);
    }
  }
  for (const [whole, before = '', name = ''] of expr.matchAll(/(\w*\(?)((?:estafet|nodejs|process)_\w+)/g)) {
    const counted = /^(?:rate|increase)\($/.test(before);
    if (metrics.get(name)?.series === 'gauge' ? counted : !counted) found.push(`${whole}: counters need rate or increase, gauges neither`);
  }
  if (/histogram_quantile/.test(expr) && !(by.includes('le') && names.every((name) => name.endsWith('_bucket')))) {
    found.push('quantiles are of buckets, by le');
  }
  for (const pair of ['()', '{}', '[]'])
    if (expr.split(pair[0] as string).length !== expr.split(pair[1] as string).length) found.push(`${pair} are not balanced`);
  return found;
}

test('there are queries of each kind', () => {
  for (const kind of ['panel', 'variable', 'alert', 'guide']) expect(queries.some(({ where }) => where.startsWith(kind))).toBe(true);
  expect(queries.length).toBeGreaterThan(40);
});

test.each(queries)('$where: $expr', (query) => {
  expect(faults(query)).toEqual([]);
  expect(query.expr).toMatch(/estafet_|nodejs_|process_|^up\{/);
});

test.each([
  'rate(estafet_request_total[5m])',
  'sum by (cause) (rate(estafet_quota_refusals_total[5m]))',
  'rate(estafet_requests_total{code="200"}[5m])',
  'estafet_requests_total',
  'rate(estafet_books_down[5m])',
  'histogram_quantile(0.5, sum by (backend) (rate(estafet_first_byte_seconds_bucket[5m])))',
  'sum(rate(estafet_requests_total[5m])',
  'rate(estafet_first_byte_seconds[5m])',
  'rate(estafet_first_byte_seconds_bucket{le="1"}[5m])',
])('a mistake is found: %s', (expr) => expect(faults({ where: '', expr })).not.toEqual([]));

test('every metric that tells of trouble or of use is on the dashboard', () => {
  const shown = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
  expect(
    listedMetrics()
      .filter(({ name }) => !shown.includes(name))
      .map(({ name }) => name),
  ).toEqual([]);
});

test('panels do not lie on each other, and legends name labels of the query', () => {
  const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { expr, legendFormat } of board.panels.flatMap(({ targets = [] }) => targets)) {
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
  }
});

test('the job that alerts name is the one of the compose project and of the chart', () => {
  const named = new Set(rules.flatMap(({ expr }) => [...expr.matchAll(/\bjob="([^"]*)"/g)].map(([, job]) => job)));
  const { scrape_configs: scraped } = parse(readFileSync('deploy/compose/prometheus.yml', 'utf8')) as {
    scrape_configs: { job_name: string }[];
  };
  expect(scraped.map(({ job_name }) => job_name)).toEqual([...named]);
  const { name } = parse(readFileSync('deploy/helm/estafet/Chart.yaml', 'utf8')) as { name: string };
  expect([name]).toEqual([...named]);
  expect(readFileSync('deploy/helm/estafet/templates/pod-monitor.yaml', 'utf8')).toMatch(/^ {2}jobLabel: app\.kubernetes\.io\/name$/m);
  expect(readFileSync('deploy/helm/estafet/templates/_names.tpl', 'utf8')).toContain('app.kubernetes.io/name: {{ .Chart.Name }}');
});

describe('alerts', () => {
  test('each has a name of its own', () => expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length));

  test.each(rules)('$alert says what it means and what to do', ({ alert, expr, labels, annotations }) => {
    expect(alert).toMatch(/^Estafet[A-Z]\w+$/);
    expect(['info', 'warning', 'critical']).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(10);
    expect(annotations.action).toMatch(/\.$/);
    for (const [, label = ''] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) {
      const aggregated = /\bby \(/.test(expr);
      expect(aggregated ? expr : 'instance job').toMatch(new RegExp(`\\b${label}\\b`));
    }
  });
});
