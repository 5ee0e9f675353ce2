import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { prometheus } from '../services.ts';
import { RULES, type Rule, rules } from './queries.ts';

/** Prometheus' own tool evaluates the rules over made series: each alert is raised by what it is for, in its own words, and by nothing less. */
const FILE = resolve(RULES);
const { promtool = '' } = prometheus() ?? {};

/** Values of a series, one a minute, as promtool writes them: `0+6x10` is 0 and ten times six more, `_` is none. */
type Series = Readonly<Record<string, string>>;
interface Row {
  readonly alert: string;
  readonly raisedBy: Series;
  /** Minutes until it is. A minute before its `for` is over it is not yet. */
  readonly after: number;
  /** Of the alert, besides the rule's. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly not: Series;
}

const ONE = 'job="estafet",instance="relay-1:9464"';
const OTHER = 'job="estafet",instance="relay-2:9464"';
const one = { job: 'estafet', instance: 'relay-1:9464' };

const ROWS: readonly Row[] = [
  {
    alert: 'EstafetDown',
    raisedBy: { [`up{${ONE}}`]: '1 0x30', [`up{${OTHER}}`]: '1x30' },
    after: 2,
    labels: one,
    summary: 'Estafet at relay-1:9464 does not answer',
    not: { [`up{${ONE}}`]: '1 0 1x30', 'up{job="another",instance="x"}': '0x30' },
  },
  {
    alert: 'EstafetErrors',
    // Both relays together: 6 of 106.
    raisedBy: {
      [`estafet_requests_total{${ONE},status="200"}`]: '0+100x30',
      [`estafet_requests_total{${OTHER},status="502"}`]: '0+3x30',
      [`estafet_requests_total{${OTHER},status="503"}`]: '0+3x30',
    },
    after: 6,
    labels: { job: 'estafet' },
    summary: 'More than one of 20 requests fails',
    not: {
      [`estafet_requests_total{${ONE},status="200"}`]: '0+100x30',
      [`estafet_requests_total{${OTHER},status="502"}`]: '0+5x30',
      [`estafet_requests_total{${OTHER},status="429"}`]: '0+90x30',
    },
  },
  {
    alert: 'EstafetBackendFails',
    raisedBy: {
      [`estafet_upstream_attempts_total{${ONE},backend="qwen",cause="none"}`]: '0+70x30',
      [`estafet_upstream_attempts_total{${ONE},backend="qwen",cause="upstream_timeout"}`]: '0+15x30',
      [`estafet_upstream_attempts_total{${OTHER},backend="qwen",cause="upstream_overloaded"}`]: '0+15x30',
      [`estafet_upstream_attempts_total{${ONE},backend="glm",cause="none"}`]: '0+100x30',
    },
    after: 11,
    labels: { backend: 'qwen' },
    summary: 'More than a quarter of the calls to qwen fail',
    not: {
      [`estafet_upstream_attempts_total{${ONE},backend="qwen",cause="none"}`]: '0+76x30',
      [`estafet_upstream_attempts_total{${ONE},backend="qwen",cause="upstream_timeout"}`]: '0+24x30',
      [`estafet_upstream_attempts_total{${ONE},backend="glm",cause="context_length_exceeded"}`]: '0+100x30',
    },
  },
  {
    alert: 'EstafetBackendNeedsAdmin',
    raisedBy: { [`estafet_needs_admin_total{${ONE},backend="qwen",cause="upstream_quota"}`]: '0 0 1x30' },
    after: 3,
    labels: { backend: 'qwen', cause: 'upstream_quota' },
    summary: 'qwen: upstream_quota',
    // An old fault that does not happen again.
    not: { [`estafet_needs_admin_total{${ONE},backend="qwen",cause="upstream_quota"}`]: '7x30' },
  },
  {
    alert: 'EstafetBackendLeftOut',
    raisedBy: { [`estafet_breakers_open{${ONE},backend="qwen",cause="key"}`]: '0 1 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1' },
    after: 16,
    labels: { backend: 'qwen', cause: 'key' },
    summary: 'Requests are kept away from qwen, or a model or key of it, each time it is tried again: key',
    not: {
      [`estafet_breakers_open{${ONE},backend="qwen",cause="rate"}`]: '1x40',
      [`estafet_breakers_open{${ONE},backend="glm",cause="failure"}`]: '1x8 0x8 1x8 0x8',
    },
  },
  {
    alert: 'EstafetSlowFirstByte',
    raisedBy: {
      [`estafet_first_byte_seconds_bucket{${ONE},backend="qwen",le="30"}`]: '0+90x30',
      [`estafet_first_byte_seconds_bucket{${ONE},backend="qwen",le="60"}`]: '0+100x30',
      [`estafet_first_byte_seconds_bucket{${ONE},backend="qwen",le="+Inf"}`]: '0+100x30',
    },
    after: 11,
    labels: { backend: 'qwen' },
    summary: 'One of 20 streams of qwen begins only after 30 s',
    not: {
      [`estafet_first_byte_seconds_bucket{${ONE},backend="qwen",le="30"}`]: '0+96x30',
      [`estafet_first_byte_seconds_bucket{${ONE},backend="qwen",le="60"}`]: '0+100x30',
      [`estafet_first_byte_seconds_bucket{${ONE},backend="qwen",le="+Inf"}`]: '0+100x30',
    },
  },
  {
    alert: 'EstafetLimitsUnavailable',
    raisedBy: { [`estafet_quota_reservations_total{${ONE},outcome="unavailable"}`]: '0+1x30' },
    after: 3,
    labels: { job: 'estafet' },
    summary: 'Requests are refused since their limits cannot be checked',
    not: { [`estafet_quota_reservations_total{${ONE},outcome="refused"}`]: '0+100x30' },
  },
  {
    alert: 'EstafetSpansLost',
    raisedBy: { [`estafet_trace_spans_total{${ONE},outcome="lost"}`]: '0+1x40' },
    after: 16,
    labels: { job: 'estafet' },
    summary: 'Spans of traces are lost; requests are served as ever',
    not: { [`estafet_trace_spans_total{${ONE},outcome="sent"}`]: '0+100x40', [`estafet_trace_spans_total{${ONE},outcome="lost"}`]: '9x40' },
  },
  {
    alert: 'EstafetStoreOfLimitsFails',
    raisedBy: { [`estafet_quota_faults_total{${ONE}}`]: '0+30x30', [`estafet_quota_faults_total{${OTHER}}`]: '0+30x30' },
    after: 6,
    labels: { job: 'estafet' },
    summary: 'The store of limits fails again and again',
    not: { [`estafet_quota_faults_total{${ONE}}`]: '0+2x30' },
  },
  {
    alert: 'EstafetSettlementsWait',
    raisedBy: { [`estafet_quota_unsent_settlements{${ONE}}`]: '0 1500x30', [`estafet_quota_unsent_settlements{${OTHER}}`]: '1000x30' },
    after: 6,
    labels: one,
    summary: '1500 settlements wait for the store of limits',
    not: { [`estafet_quota_unsent_settlements{${ONE}}`]: '1500x3 0x30' },
  },
  ...['1', '1.0'].map(
    (bound): Row => ({
      alert: 'EstafetEstimatesTooLow',
      raisedBy: {
        [`estafet_estimate_ratio_bucket{${ONE},vendor="qwen",kind="completion",le="${bound}"}`]: '0+75x200',
        [`estafet_estimate_ratio_count{${ONE},vendor="qwen",kind="completion"}`]: '0+100x200',
      },
      after: 121,
      labels: { vendor: 'qwen', kind: 'completion' },
      summary: 'More than one of 5 requests to qwen uses more completion tokens than was reserved',
      not: {
        [`estafet_estimate_ratio_bucket{${ONE},vendor="qwen",kind="completion",le="${bound}"}`]: '0+81x200',
        [`estafet_estimate_ratio_count{${ONE},vendor="qwen",kind="completion"}`]: '0+100x200',
      },
    }),
  ),
  {
    alert: 'EstafetBooksDown',
    raisedBy: { [`estafet_books_down{${ONE}}`]: '0 1x30' },
    after: 3,
    labels: one,
    summary: 'The database of the books fails',
    not: { [`estafet_books_down{${ONE}}`]: '1 0 1 0 1 0 1 0' },
  },
  {
    alert: 'EstafetBooksLost',
    raisedBy: { [`estafet_books_lost_lines_total{${ONE}}`]: '0 0 40x30' },
    after: 3,
    labels: one,
    summary: 'Lines of the books were lost',
    not: { [`estafet_books_lost_lines_total{${ONE}}`]: '40x30' },
  },
  {
    alert: 'EstafetUnpriced',
    raisedBy: { [`estafet_unpriced_requests_total{${ONE},backend="qwen",model="qwen-next"}`]: '_ 1 2x30' },
    after: 2,
    labels: { backend: 'qwen', model: 'qwen-next' },
    summary: 'No price is known for qwen/qwen-next',
    not: { [`estafet_unpriced_requests_total{${ONE},backend="qwen",model="qwen-next"}`]: '3x30' },
  },
  {
    alert: 'EstafetConfigRefused',
    raisedBy: { [`estafet_config_refused{${ONE}}`]: '0 1x30', [`estafet_config_refused{${OTHER}}`]: '0x30' },
    after: 6,
    labels: one,
    summary: 'relay-1:9464 refuses its configuration file and serves an older one',
    not: { [`estafet_config_refused{${ONE}}`]: '1x3 0x30' },
  },
  {
    alert: 'EstafetWorkerEnds',
    raisedBy: { [`estafet_worker_ends_total{${ONE}}`]: '0 1x30' },
    after: 2,
    labels: one,
    summary: 'A worker of relay-1:9464 ended unasked',
    not: { [`estafet_worker_ends_total{${ONE}}`]: '5x30' },
  },
  {
    alert: 'EstafetEventLoopLag',
    raisedBy: { [`nodejs_eventloop_lag_p99_seconds{${ONE},worker="2"}`]: '0 0.3x30' },
    after: 6,
    labels: { ...one, worker: '2' },
    summary: 'The event loop of relay-1:9464 is late by more than 200 ms',
    not: {
      [`nodejs_eventloop_lag_p99_seconds{${ONE},worker="2"}`]: '0.19x30',
      'nodejs_eventloop_lag_p99_seconds{job="another",instance="x"}': '3x30',
    },
  },
];

const place = mkdtempSync(join(tmpdir(), 'estafet-alerts-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));

function tool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' });
  return status === 0 ? 'good' : stdout + stderr;
}

interface Case {
  readonly series: Series;
  readonly alerts: readonly { readonly minute: number; readonly name: string; readonly raised: readonly object[] }[];
}
function evaluated({ series, alerts }: Case): string {
  const file = join(place, 'rules.yaml');
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values }));
  const asked = alerts.map(({ minute, name, raised }) => ({ eval_time: `${minute}m`, alertname: name, exp_alerts: raised }));
  const tests = [{ interval: '1m', input_series: input, alert_rule_test: asked }];
  writeFileSync(file, stringify({ rule_files: [FILE], evaluation_interval: '1m', tests }));
  return tool('test', 'rules', file);
}

test('promtool finds no fault in the rules', () => expect(tool('check', 'rules', FILE)).toBe('good'));

test('promtool finds no fault in the configuration of the compose project, with the rules where it mounts them', () => {
  const file = join(place, 'prometheus.yml');
  writeFileSync(file, readFileSync('deploy/compose/prometheus.yml', 'utf8').replace('/etc/prometheus/alerts.yaml', FILE));
  expect(tool('check', 'config', file)).toBe('good');
});

test.each(ROWS)('$alert is raised by what it is for, for "$summary"', ({ alert, raisedBy, after, labels, summary }) => {
  const rule = rules.find(({ alert: name }) => name === alert) as Rule;
  const raised = [{ exp_labels: { ...rule.labels, ...labels }, exp_annotations: { ...rule.annotations, summary } }];
  const before = rule.for === undefined ? [] : [{ minute: after - 1, name: alert, raised: [] }];
  expect(evaluated({ series: raisedBy, alerts: [...before, { minute: after, name: alert, raised }] })).toBe('good');
});

test.each(ROWS)('$alert is not raised by less', ({ alert, after, not }) => {
  const minutes = Array.from({ length: 3 * after }, (_, minute) => ({ minute, name: alert, raised: [] }));
  expect(evaluated({ series: not, alerts: minutes })).toBe('good');
});

test('every alert is raised here', () => {
  expect([...new Set(ROWS.map(({ alert }) => alert))].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});
