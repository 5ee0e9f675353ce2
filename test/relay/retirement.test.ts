import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { permitOf, Relay, type RelayServices } from '../../relay/relay.ts';
import { goneFromMs, retirements, retirementText } from '../../relay/routing/retirement.ts';
import { RouteTable } from '../../relay/routing/route-table.ts';
import { translatorFor } from '../../translators/registry.ts';
import { configOf, digestOf } from '../http/desk.ts';

const config = configOf(
  `backends:
  q: { vendor: qwen, apiKey: 'env:K' }
  g: { vendor: glm, apiKey: 'env:K' }
models:
  gone-first: [q/old, g/glm-4.6]
  gone-last: [g/glm-4.6, q/old]
  all-gone: [q/old, q/qwen-max]
  forced: [{ to: q/old, force: true }]
  going: [q/going, q/later]
catalog:
  qwen/old: { retired: true }
  qwen/going: { shutdown: 2027-03-01, replacement: later }
  qwen/later: { shutdown: 2027-05-01 }
teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
  { K: 'id.secret' },
);
const catalog = loadCatalog().with(config.catalog);
const DAY = 86_400_000;
const at = (text: string): number => Date.parse(text);
const [key] = config.keys;
const team = config.teams['t'];
if (key === undefined || team === undefined) throw new Error('no key');
const caller = { key, team, address: '127.0.0.1' };
const permit = permitOf(caller);

function tableAt(time: string) {
  let now = at(time);
  const routes = new RouteTable(config, catalog, translatorFor, undefined, () => now);
  const places = (asked: string): string[] | string => {
    const route = routes.route(asked, permit);
    return route.ok ? route.candidates.map(({ backend, model }) => `${backend.name}/${model}`) : route.why;
  };
  return { routes, places, set: (text: string) => void (now = at(text)) };
}

describe('routes', () => {
  const { places } = tableAt('2026-11-25');
  test.each<[string, string[] | string]>([
    ['gone-first', ['g/glm-4.6']],
    ['gone-last', ['g/glm-4.6']],
    ['all-gone', 'retired'],
    ['forced', ['q/old']],
    ['going', ['q/going', 'q/later']],
    ['q/old', 'retired'],
    ['qwen-max', 'retired'],
    ['qwen3-max', 'retired'],
  ])('%s → %j', (asked, wanted) => expect(places(asked)).toEqual(wanted));

  test('a day ends what an hour before still went, without a new table', () => {
    const { places: then, set } = tableAt('2027-02-28T23:59:59.999Z');
    expect(then('going')).toEqual(['q/going', 'q/later']);
    set('2027-03-01T00:00:00Z');
    expect(then('going')).toEqual(['q/later']);
    set('2027-05-01T00:00:00Z');
    expect(then('going')).toBe('retired');
  });

  test('listings leave out what leads nowhere, and tell the last day of what goes', () => {
    const { routes, set } = tableAt('2026-11-25');
    const listed = () => new Map(routes.list(permit).map(({ id, shutdownDate }) => [id, shutdownDate]));
    expect(listed().has('all-gone')).toBe(false);
    expect(listed().has('qwen-max')).toBe(false);
    expect(['gone-first', 'forced', 'going'].map((id) => listed().get(id))).toEqual([null, null, '2027-05-01']);
    expect(routes.describe('all-gone', permit)).toBeNull();
    set('2027-04-01');
    expect(listed().get('going')).toBe('2027-05-01');
    set('2027-06-01');
    expect(listed().has('going')).toBe(false);
  });
});

test('a retired model is a 502 that names the replacement, and is not asked again', () => {
  const { routes } = tableAt('2026-11-25');
  const relay = new Relay({ server: config.server, routes, clients: new Map() }, {} as RelayServices);
  const refused = (model: string): OpenAIError => {
    try {
      relay.route(model, caller);
    } catch (error) {
      if (error instanceof OpenAIError) return error;
    }
    throw new Error('it was routed');
  };
  const error = refused('qwen-max');
  expect([error.status, error.type, error.code, error.retry]).toEqual([502, 'server_error', 'upstream_model_unavailable', false]);
  expect(error.message).toBe(
    'The model `qwen-max` is not available: `qwen-max` was retired by its vendor on 2026-07-13; its replacement is qwen3.8-max.',
  );
  expect(refused('all-gone').message).toBe('The model `all-gone` is not available: `old` was retired by its vendor.');
});

test.each([
  [{ state: 'current', shutdown: null }, Number.POSITIVE_INFINITY],
  [{ state: 'retiring', shutdown: null }, Number.POSITIVE_INFINITY],
  [{ state: 'retiring', shutdown: '2027-03-01' }, Date.UTC(2027, 2, 1)],
  [{ state: 'retired', shutdown: null }, Number.NEGATIVE_INFINITY],
  [{ state: 'retired', shutdown: '2099-01-01' }, Number.NEGATIVE_INFINITY],
] as const)('%j is gone from %d', (model, ms) => expect(goneFromMs(model)).toBe(ms));

describe('retirements', () => {
  const list = (time: string, days = 90) =>
    retirements(config, catalog, at(time), days).map(
      ({ alias, index, daysLeft, forced }) => `${alias}[${index}] ${daysLeft}${forced ? ' forced' : ''}`,
    );
  const GONE = ['gone-first[0] 0', 'gone-last[1] 0', 'all-gone[0] 0', 'all-gone[1] 0', 'forced[0] 0 forced'];

  test.each<[string, string[]]>([
    ['2026-11-25', []],
    ['2026-11-30', []],
    ['2026-12-01', ['going[0] 90']],
    ['2027-02-28T23:00:00Z', ['going[0] 1', 'going[1] 62']],
    ['2027-03-01', ['going[0] 0', 'going[1] 61']],
    ['2027-06-01', ['going[0] 0', 'going[1] 0']],
  ])('at %s', (time, expected) => expect(list(time)).toEqual([...GONE, ...expected]));

  test('are told in words', () => {
    expect(retirementText({ daysLeft: 3, shutdown: '2027-03-01', replacement: 'later' })).toBe(
      'will be retired by its vendor on 2027-03-01; its replacement is later',
    );
    expect(retirementText({ daysLeft: 0, shutdown: null, replacement: null })).toBe('was retired by its vendor');
  });

  test('count whole days', () => {
    expect(retirements(config, catalog, at('2027-03-01') - DAY - 1, 2).at(-1)?.daysLeft).toBe(2);
  });
});
