import { expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import type { Config } from '../../../config/config.ts';
import { RouteTable } from '../../../relay/routing/route-table.ts';
import { changeLine } from '../../../server/reload/change.ts';
import { configChanges } from '../../../server/reload/config-changes.ts';
import { withoutRestart } from '../../../server/reload/fixed-settings.ts';
import { translatorFor, vectorsFor } from '../../../translators/registry.ts';
import { configOf, digestOf } from '../../http/desk.ts';

const OLD = `
server: { heartbeatMs: 15000 }
backends:
  q: { vendor: qwen, region: cn-beijing, apiKey: 'env:Q', rpm: 100 }
  g: { vendor: glm, apiKey: 'env:G' }
models:
  gpt-4o: [q/qwen-plus, g/glm-4.6]
  gpt-4.1: [g/glm-4.6]
  'o*': [q/qwen-plus]
teams:
  t: { permit: { vendors: [qwen, glm], regions: ['*'], models: ['gpt-*', 'o*'] }, limits: { rpm: 60, budget: { amount: 5, currency: CNY, per: day } } }
keys:
  - { name: app, team: t, key: '${digestOf('sk-app-0123456789abcd')}' }
  - { name: own, team: t, key: '${digestOf('sk-own-0123456789abcd')}', permit: { models: [gpt-4o] }, limits: { models: { gpt-4o: { rpm: 6 } } } }
redis: redis://127.0.0.1:6379
`;

const ENV = { Q: 'secret-q', G: 'secret-g', NEW: 'secret-new' };

function changes(old: Config, wanted: Config): string[] {
  const routed = (config: Config) => {
    const routes = new RouteTable(config, loadCatalog().with(config.catalog), translatorFor, vectorsFor);
    return { config, relay: { routes } };
  };
  const { config, restart } = withoutRestart(old, wanted);
  return [...configChanges(routed(old), routed(config)), ...restart].map(changeLine);
}

const edited = (...edits: [string, string][]): string =>
  edits.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, OLD);

test.each<[string, [string, string][], string[]]>([
  ['nothing', [['server: {', '# a comment\nserver: {']], []],
  ['a model fewer', [['  gpt-4.1: [g/glm-4.6]\n', '']], ['- team t loses gpt-4.1 (keys app)', '~ model gpt-4.1: g/glm-4.6 → nothing']],
  [
    'a candidate fewer: it is told of the key with a permit of its own, too',
    [['[q/qwen-plus, g/glm-4.6]', '[q/qwen-plus]']],
    [
      '- team t reaches fewer backends for gpt-4o (keys app)',
      '- key own reaches fewer backends for gpt-4o',
      '~ model gpt-4o: q/qwen-plus, g/glm-4.6 → q/qwen-plus',
    ],
  ],
  [
    'a permit narrowed to one vendor',
    [['vendors: [qwen, glm]', 'vendors: [qwen]']],
    [
      '- team t loses gpt-4.1 (keys app)',
      '- team t reaches fewer backends for gpt-4o (keys app)',
      '- key own reaches fewer backends for gpt-4o',
    ],
  ],
  [
    'a pattern more',
    [["  'o*'", "  'gpt-5*': [q/qwen-plus]\n  'o*'"]],
    ['+ team t gains gpt-5* (keys app)', '~ model gpt-5*: nothing → q/qwen-plus'],
  ],
  [
    'a narrower network',
    [["regions: ['*'], models", "regions: ['*'], callers: [10.0.0.0/8], models"]],
    ['- team t: callers any → 10.0.0.0/8 (keys app)', '- key own: callers any → 10.0.0.0/8'],
  ],
  [
    'limits',
    [
      ['{ rpm: 60, budget: { amount: 5,', '{ tpm: 100, rpm: 61, budget: { amount: 4,'],
      ['rpm: 6 }', 'rpm: 7 }'],
      ["apiKey: 'env:Q', rpm: 100", "apiKey: 'env:Q', rpm: 99"],
    ],
    [
      '- backend q: rpm 100 → 99',
      '- team t: budget CNY per day 5 → 4',
      '- team t: tpm no limit → 100',
      '+ team t: rpm 60 → 61',
      '+ key own: models.gpt-4o.rpm 6 → 7',
    ],
  ],
  ['a limit gone', [['rpm: 60, ', '']], ['+ team t: rpm 60 → no limit']],
  ['a rotated key of a vendor, which is not shown', [["apiKey: 'env:Q'", "apiKey: 'env:NEW'"]], ['~ backend q: apiKey changed']],
  [
    'another region',
    [['cn-beijing', 'ap-southeast-1']],
    [
      '~ backend q: region cn-beijing → ap-southeast-1',
      '~ backend q: baseUrl https://dashscope.aliyuncs.com/compatible-mode/v1 → https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
    ],
  ],
  [
    'keys',
    [
      [digestOf('sk-app-0123456789abcd'), digestOf('sk-new-0123456789abcd')],
      ['permit: { models: [gpt-4o] }', "strict: true, expires: '2027-01-01T00:00:00Z', permit: { models: [gpt-4o] }"],
    ],
    [
      '- key app: another secret; the old one is refused',
      '- key own: expires never → 2027-01-01T00:00:00.000Z',
      '~ key own: strict false → true',
    ],
  ],
  ['a key fewer, a key more', [['name: own', 'name: other']], ['- key own is removed and refused', '+ key other is added']],
  ['a server setting', [['heartbeatMs: 15000', 'heartbeatMs: 5000']], ['~ server: heartbeatMs 15000 → 5000']],
  [
    'what needs a restart, beside what does not',
    [
      ['heartbeatMs: 15000', 'heartbeatMs: 5000, port: 9999'],
      ['redis: redis://127.0.0.1:6379', "database: 'memory:'"],
    ],
    [
      '~ server: heartbeatMs 15000 → 5000',
      '! redis needs a restart; the old value stays in force',
      '! database needs a restart; the old value stays in force',
      '! server.port needs a restart; the old value stays in force',
    ],
  ],
])('%s', (_, edits, expected) => {
  const lines = changes(configOf(OLD, ENV), configOf(edited(...edits), ENV));
  expect(lines).toEqual(expected);
  expect(lines.join()).not.toContain('secret-');
});

test('many models in one line are counted', () => {
  const next = configOf(edited(["models: ['gpt-*', 'o*']", "models: ['*']"]), ENV);
  const [line, ...rest] = changes(configOf(OLD, ENV), next);
  expect(line).toMatch(/^\+ team t gains (?:[^,]+, ){9}[^,]+ and \d+ more \(keys app\)$/);
  expect(rest).toEqual([expect.stringMatching(/^~ key own: permit .*, with the same models$/)]);
});

test('what needs a restart stays as it was, in the configuration that is applied', () => {
  const old = configOf(OLD, ENV);
  const { config } = withoutRestart(old, configOf(edited(['redis: redis://127.0.0.1:6379', 'books: { retentionDays: 3 }']), ENV));
  expect(config.redis).toBe(old.redis);
  expect(config.books).toBe(old.books);
});
