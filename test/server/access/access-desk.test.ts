import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keyDigest, Secret } from '../../../config/secret.ts';
import { storedSettings } from '../../../config/stored-access.ts';
import type { AccessStore } from '../../../relay/keys/access-store.ts';
import { AccessDesk } from '../../../server/access/access-desk.ts';
import { directory } from '../../../server/access/access-view.ts';
import { patched } from '../../../server/access/settings-patch.ts';
import { accessStore } from '../../../server/database/open-access.ts';
import { VENDORS } from '../../../translators/registry.ts';
import { configOf, digestOf } from '../../http/desk.ts';

const SETTINGS = storedSettings(VENDORS);
const FILE = configOf(
  `backends: { q: { vendor: qwen, apiKey: 'env:K' } }
teams: { filed: { permit: { vendors: [qwen], regions: [cn-*], models: ['gpt-*'] } } }
keys: [{ name: app, team: filed, key: '${digestOf('sk-of-the-file-0123456789')}' }]
`,
  { K: 'k' },
);
const NOW = Date.parse('2026-11-25T00:00:00Z');

let folder: string;
let store: AccessStore;
let desk: AccessDesk;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'estafet-desk-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  store = accessStore(new Secret(`sqlite:${join(folder, `${++files}.db`)}`));
  await store.open();
  desk = new AccessDesk(store, FILE, VENDORS, () => NOW);
  return () => store.close();
});

const all = (nowMs = NOW) => directory(FILE, SETTINGS, store, nowMs);
const PERMIT = { vendors: ['qwen'], regions: ['*'] };

test('a new key: random, told once, kept as its digest alone', async () => {
  const [one, two] = [await desk.newKey('one', 'filed', { limits: { rpm: 60 } }), await desk.newKey(undefined, 'filed', {})];
  for (const { key, row } of [one, two]) {
    // 32 bytes.
    expect(key).toMatch(/^sk-estafet-[A-Za-z0-9_-]{43}$/);
    expect(row.id).toMatch(/^key_[0-9a-f]{20}$/);
    expect(row.digest).toBe(keyDigest(key));
  }
  expect(one.key).not.toBe(two.key);
  expect(two.row.name).toBe(two.row.id);
  const kept = JSON.stringify([await store.keysAfter(0, 9), await all()]);
  expect(kept).not.toContain(one.key);
  expect(JSON.stringify(await all())).not.toContain(one.row.digest);
});

test('what may be seen: the file first, then the database by time and name, each with its source and its state', async () => {
  await desk.newTeam('made', { permit: PERMIT, timeZone: 'Asia/Shanghai' });
  await desk.newKey('short', 'filed', { expires: '2026-11-25T01:00:00Z' });
  await desk.newKey('lost', 'made', {});
  await desk.newKey('old', 'filed', {});
  await desk.revokeKey('old');
  await desk.removeTeam('made');
  const { keys, teams } = await all(NOW + 3_600_000);
  expect(keys.map(({ name, source, state }) => [name, source, state])).toEqual([
    ['app', 'file', 'active'],
    ['lost', 'database', 'no_team'],
    ['old', 'database', 'revoked'],
    ['short', 'database', 'expired'],
  ]);
  expect(teams.map(({ name, source, state, timeZone }) => [name, source, state, timeZone])).toEqual([
    ['filed', 'file', 'active', 'UTC'],
    ['made', 'database', 'removed', 'Asia/Shanghai'],
  ]);
  expect(keys[2]).toMatchObject({ revoked: '2026-11-25T00:00:00.000Z', created: '2026-11-25T00:00:00.000Z', expires: null });
});

test('a name that came into the file later: shown as refused', async () => {
  const before = configOf(`backends: { q: { vendor: qwen, apiKey: 'env:K' } }\nteams: { filed: {} }`, { K: 'k' });
  const then = new AccessDesk(store, before, VENDORS, () => NOW);
  await then.newKey('app', 'filed', {});
  const { keys } = await all();
  expect(keys.map(({ name, source, state }) => [name, source, state])).toEqual([
    ['app', 'file', 'active'],
    ['app', 'database', 'defined_by_file'],
  ]);
});

test('a change: what is not named stays, null removes, and the settings are kept as given', async () => {
  const { row } = await desk.newKey('one', 'filed', { limits: { rpm: 60, tpm: 5 }, permit: { models: ['gpt-4o'] }, strict: true });
  await desk.setKey('one', { limits: { rpm: 7 } });
  const { row: after } = await desk.setKey(row.id, { permit: { models: null }, expires: '2027-01-01T00:00:00Z' });
  expect(JSON.parse(after.settings)).toEqual({ limits: { rpm: 7, tpm: 5 }, strict: true, expires: '2027-01-01T00:00:00Z' });
  expect([after.id, after.digest, after.createdAtMs]).toEqual([row.id, row.digest, row.createdAtMs]);
  await desk.setKey('one', { limits: { rpm: null, tpm: null }, expires: null });
  expect((await all()).keys[1]).toMatchObject({ limits: null, expires: null, strict: true });
});

test('limits of models are changed entry by entry, in their order; without entries there are none', async () => {
  const settings = async (models: unknown) => JSON.parse((await desk.setKey('one', { limits: { models } })).row.settings) as unknown;
  await desk.newKey('one', 'filed', { limits: { rpm: 9, models: { 'gpt-4*': { rpm: 1 }, 'gpt-3*': { rpm: 3 } } } });
  expect(await settings({ 'gpt-4*': { tpm: 5 }, 'gpt-5': { rpm: 5 }, 'gpt-6': null })).toEqual({
    limits: { rpm: 9, models: { 'gpt-4*': { tpm: 5 }, 'gpt-3*': { rpm: 3 }, 'gpt-5': { rpm: 5 } } },
  });
  expect(JSON.stringify(await settings({ 'gpt-5': null }))).toBe('{"limits":{"rpm":9,"models":{"gpt-4*":{"tpm":5},"gpt-3*":{"rpm":3}}}}');
  expect(await settings({ 'gpt-4*': null, 'gpt-3*': null })).toEqual({ limits: { rpm: 9 } });
  await settings({ 'gpt-4*': { rpm: 1 } });
  expect(await settings(null)).toEqual({ limits: { rpm: 9 } });
});

test('a key whose name the file has come to define is revoked by it, as by its id, and it is told that the file’s goes on', async () => {
  const before = configOf(`backends: { q: { vendor: qwen, apiKey: 'env:K' } }\nteams: { filed: {} }`, { K: 'k' });
  const then = new AccessDesk(store, before, VENDORS, () => NOW);
  const { row } = await then.newKey('app', 'filed', {});
  expect(await desk.revokeKey('app')).toMatchObject({ row: { id: row.id, revokedAtMs: NOW }, was: true, ofFile: true });
  expect(await desk.revokeKey(row.id)).toMatchObject({ was: false, ofFile: true });
  expect((await all()).keys.map(({ name, source, state }) => [name, source, state])).toEqual([
    ['app', 'file', 'active'],
    ['app', 'database', 'revoked'],
  ]);
  await desk.newKey('other', 'filed', {});
  expect(await desk.revokeKey('other')).toMatchObject({ was: true, ofFile: false });
});

test('revoking twice is no fault, and changes nothing the second time', async () => {
  await desk.newKey('one', 'filed', {});
  const [first, second] = [await desk.revokeKey('one'), await desk.revokeKey('one')];
  expect([first.was, second.was, second.row.revokedAtMs]).toEqual([true, false, first.row.revokedAtMs]);
});

describe('refused in one line, and nothing has changed', () => {
  const TAKEN = 'is never used twice, since books and limits go by it';
  test.each<[string, () => Promise<unknown>, string | RegExp]>([
    ['an unknown team', () => desk.newKey('x', 'none', {}), 'there is no team "none", neither in test.yaml nor in the database'],
    ['a team by an inherited name', () => desk.newKey('x', 'constructor', {}), /^there is no team "constructor"/],
    ['a removed team', () => desk.newKey('x', 'gone', {}), `team "gone" was removed; a name ${TAKEN}`],
    ['a key’s name in the file', () => desk.newKey('app', 'filed', {}), 'the name "app" is in use: test.yaml defines a key of that name'],
    ['a key’s name in the database', () => desk.newKey('one', 'filed', {}), 'the name "one" is in use'],
    ['a revoked key’s name', () => desk.newKey('old', 'filed', {}), `the name "old" is in use by a revoked key; a name ${TAKEN}`],
    ['a name like an id', () => desk.newKey('key_1', 'filed', {}), /would look like an id/],
    ['a name that is none', () => desk.newKey(' x', 'filed', {}), /^the name must be/],
    ['no limit at all', () => desk.newKey('x', 'filed', { limits: { rpm: 0 } }), 'limits.rpm: must be at least 1'],
    ['a negative one', () => desk.newKey('x', 'filed', { limits: { tpd: -5 } }), 'limits.tpd: must be at least 1'],
    ['an absurd one', () => desk.newKey('x', 'filed', { limits: { tpm: 1e12 } }), 'limits.tpm: must be at most 4503599627'],
    ['half a request', () => desk.newKey('x', 'filed', { limits: { rpm: 0.5 } }), /^limits\.rpm: must be a whole number/],
    ['no money', () => desk.newKey('x', 'filed', { limits: { budget: { amount: 0, currency: 'CNY', per: 'day' } } }), /more than 0$/],
    ['an unknown limit', () => desk.newKey('x', 'filed', { limits: { rps: 1 } }), /^limits\.rps: unknown key, did you mean "rp/],
    [
      'a region that is none',
      () => desk.newKey('x', 'filed', { permit: { regions: ['xx-*'] } }),
      /^permit\.regions\[0\]: "xx-\*" matches no/,
    ],
    [
      'a network that is none',
      () => desk.newKey('x', 'filed', { permit: { callers: ['10.1'] } }),
      /^permit\.callers\[0\]: "10\.1" must be/,
    ],
    [
      'a country without a table',
      () => desk.newKey('x', 'filed', { permit: { countries: ['CN'] } }),
      'permit.countries: needs a file of countries: set server.countries',
    ],
    [
      'a country that is none',
      () => desk.newKey('x', 'filed', { permit: { countries: ['China'] } }),
      /must be two capital letters such as CN/,
    ],
    ['an unknown vendor', () => desk.newKey('x', 'filed', { permit: { vendors: ['openai'] } }), /"openai" is not one of/],
    ['the past', () => desk.newKey('x', 'filed', { expires: '2026-11-25T00:00:00Z' }), 'expires: 2026-11-25T00:00:00Z is in the past'],
    ['an expiry without a zone', () => desk.newKey('x', 'filed', { expires: '2027-01-01T00:00:00' }), /^expires: must be an ISO date/],
    ['a change of the file’s key', () => desk.setKey('app', { strict: true }), 'key "app" is defined in test.yaml: change it there'],
    ['a name that looks like another', () => desk.newKey('cafe\u0301', 'filed', {}), /^the name must be in Unicode’s composed form/],
    [
      'an entry of models that is wrong',
      () => desk.setKey('one', { limits: { models: { x: { rpm: 0 } } } }),
      /^limits\.models\.x\.rpm: must/,
    ],
    ['revoking the file’s key', () => desk.revokeKey('app'), 'key "app" is defined in test.yaml: change it there'],
    ['a change of no key', () => desk.setKey('none', { strict: true }), 'there is no key "none"'],
    ['a change of a revoked key', () => desk.setKey('old', { strict: true }), 'key "old" is revoked and cannot be changed'],
    ['a bad change', () => desk.setKey('one', { limits: { rpm: 0 } }), 'limits.rpm: must be at least 1'],
    ['the file’s team again', () => desk.newTeam('filed', {}), 'team "filed" is defined in test.yaml: change it there'],
    ['a change of the file’s team', () => desk.setTeam('filed', {}), 'team "filed" is defined in test.yaml: change it there'],
    ['removing the file’s team', () => desk.removeTeam('filed'), 'team "filed" is defined in test.yaml: change it there'],
    ['a team that is there', () => desk.newTeam('made', {}), 'team "made" already exists'],
    ['a team that was there', () => desk.newTeam('gone', {}), `team "gone" was removed; a name ${TAKEN}`],
    ['a team’s name that is none', () => desk.newTeam('a/b', {}), /^team "a\/b": must be a name of/],
    ['removing no team', () => desk.removeTeam('none'), 'there is no team "none"'],
    ['half a permit', () => desk.newTeam('x', { permit: { vendors: ['qwen'] } }), 'permit.regions: is required'],
    ['a time zone that is none', () => desk.newTeam('x', { timeZone: 'Mars' }), /^timeZone: must be an IANA time zone/],
  ])('%s', async (_name, change, message) => {
    await desk.newTeam('made', { permit: PERMIT });
    await desk.newTeam('gone', {});
    await desk.removeTeam('gone');
    await desk.newKey('one', 'filed', {});
    await desk.newKey('old', 'filed', {});
    await desk.revokeKey('old');
    const [revision, before] = [await store.revision(), JSON.stringify(await all())];
    const refusal = await change().then(
      () => null,
      (error: Error) => error,
    );
    expect(refusal).toMatchObject({ message: typeof message === 'string' ? message : expect.stringMatching(message) });
    expect(refusal?.name).toBe('AccessRefusal');
    expect([await store.revision(), JSON.stringify(await all())]).toEqual([revision, before]);
  });
});

test('a key outside of its team’s permit is made, with a warning, as in a file', async () => {
  const { warnings } = await desk.newKey('x', 'filed', { permit: { models: ['qwen-*'] } });
  expect(warnings).toMatchObject([{ path: 'permit.models[0]', message: '"qwen-*" is outside the permit of team filed and has no effect' }]);
  expect((await desk.newTeam('bare', {})).warnings[0]?.message).toMatch(/has no permit/);
});

test('an expired key may be changed otherwise, and given more time', async () => {
  await desk.newKey('x', 'filed', { expires: '2026-11-25T00:00:01Z' });
  const later = new AccessDesk(store, FILE, VENDORS, () => NOW + 86_400_000);
  await later.setKey('x', { limits: { rpm: 1 } });
  await later.setKey('x', { expires: '2027-11-25T00:00:01Z' });
  expect((await all(NOW + 86_400_000)).keys[1]?.state).toBe('active');
});

test.each([
  [{}, {}, {}],
  [{ limits: { rpm: 1 } }, { limits: { rpm: null } }, {}],
  [{ limits: { rpm: 1, tpm: 2 } }, { limits: { rpm: null } }, { limits: { tpm: 2 } }],
  [
    { limits: { rpm: 1 }, a: 1 },
    { permit: { models: ['x'] }, a: null },
    { limits: { rpm: 1 }, permit: { models: ['x'] } },
  ],
  [{}, { limits: { budget: { amount: 1 } }, b: undefined }, { limits: { budget: { amount: 1 } } }],
])('%j changed by %j is %j', (before, patch, after) => {
  const frozen = structuredClone(before);
  expect(patched(before, patch)).toEqual(after);
  expect(before).toEqual(frozen);
});
