import { describe, expect, test } from 'vitest';
import { keyDigest } from '../../config/secret.ts';
import { storedSettings } from '../../config/stored-access.ts';
import type { StoredKey, StoredTeam } from '../../relay/keys/access-store.ts';
import { NO_ENTRIES } from '../../relay/keys/key-entries.ts';
import { KeyRing } from '../../relay/keys/key-ring.ts';
import { type RefusedRow, StoredKeys } from '../../relay/keys/stored-keys.ts';
import { VENDORS } from '../../translators/registry.ts';
import { configOf, digestOf } from '../http/desk.ts';

const FILE = configOf(
  `backends: { q: { vendor: qwen, apiKey: 'env:K' } }
teams: { filed: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: filed, key: '${digestOf('sk-of-the-file-0123456789')}' }]
`,
  { K: 'k' },
);
const PERMIT = '"permit":{"vendors":["qwen"],"regions":["*"]}';

let revisions = 0;
const team = (name: string, settings = `{${PERMIT}}`, removedAtMs: number | null = null): StoredTeam => ({
  name,
  settings,
  createdAtMs: 1,
  changedAtMs: 1,
  removedAtMs,
  revision: ++revisions,
});
const key = (name: string, more: Partial<StoredKey> = {}): StoredKey => ({
  id: `key_${name}`,
  name,
  digest: keyDigest(`sk-${name}`),
  team: 'filed',
  settings: '{}',
  createdAtMs: 1,
  changedAtMs: 1,
  revokedAtMs: null,
  revision: ++revisions,
  ...more,
});

function opened() {
  const refused: RefusedRow[] = [];
  const stored = new StoredKeys(FILE, storedSettings(VENDORS), (row) => refused.push(row));
  const find = (name: string, nowMs = 0) => new KeyRing(FILE, stored.entries()).find(`sk-${name}`, nowMs);
  return { stored, refused, find };
}

test('a key in the database is found with its team, whether of the file or of the database, and with the defaults of the file', () => {
  const { stored, find } = opened();
  stored.putTeam(team('made', `{${PERMIT},"limits":{"rpm":5}}`));
  stored.putKey(key('one', { settings: '{"limits":{"rpm":7},"strict":true}' }));
  stored.putKey(key('two', { team: 'made', settings: '{"expires":"2027-01-31T00:00:00Z"}' }));
  expect(find('one')).toMatchObject({
    key: { name: 'one', strict: true, onDisconnect: 'cancel', reasoning: 'show', limits: { rpm: 7 } },
    team: { name: 'filed' },
  });
  expect(find('two')).toMatchObject({ key: { name: 'two' }, team: { name: 'made', limits: { rpm: 5 }, onStoreLoss: 'refuse' } });
  const expires = Date.parse('2027-01-31T00:00:00Z');
  expect([find('two', expires - 1) === null, find('two', expires) === null]).toEqual([false, true]);
  expect(new KeyRing(FILE, stored.entries()).find('sk-of-the-file-0123456789', 0)).toMatchObject({ key: { name: 'app' } });
});

describe('refused', () => {
  test.each([
    ['revoked', key('k', { revokedAtMs: 5 }), null],
    ['of a team that is nowhere', key('k', { team: 'none' }), null],
    ['of a team by the name of an inherited property', key('k', { team: 'constructor' }), null],
    ['of a name that the file gives', key('app'), { kind: 'key', name: 'app', why: 'defined_by_file' }],
    ['no JSON', key('k', { settings: '{' }), { kind: 'key', name: 'k', why: 'not_understood', fault: 'its settings are not valid JSON' }],
    ['null', key('k', { settings: 'null' }), { why: 'not_understood' }],
    ['a setting of a later release', key('k', { settings: '{"later":1}' }), { fault: expect.stringMatching(/^later: unknown key/) }],
    ['a limit of zero', key('k', { settings: '{"limits":{"rpm":0}}' }), { fault: 'limits.rpm: must be at least 1' }],
    ['another vendor', key('k', { settings: '{"permit":{"vendors":["openai"]}}' }), { why: 'not_understood' }],
    ['a network that is none', key('k', { settings: '{"permit":{"callers":["10.1"]}}' }), { why: 'not_understood' }],
    ['an expiry that is none', key('k', { settings: '{"expires":"soon"}' }), { why: 'not_understood' }],
  ])('%s', (_name, row, told) => {
    const { stored, refused, find } = opened();
    stored.putKey(row);
    expect(find(row.name)).toBe(null);
    expect(refused).toEqual(told === null ? [] : [expect.objectContaining(told)]);
    expect(JSON.stringify(refused)).not.toContain(row.digest);
  });

  test('every key of a team that is removed, or that is not understood any more; and that is counted', () => {
    for (const gone of [team('made', '{}', 9), team('made', '{"later":1}')]) {
      const { stored, find } = opened();
      stored.putTeam(team('made'));
      stored.putKey(key('one', { team: 'made' }));
      expect([find('one') === null, stored.orphans]).toEqual([false, 0]);
      stored.putTeam(gone);
      expect([find('one') === null, stored.orphans]).toEqual([true, 1]);
      expect([...stored.teams]).toEqual(['made']);
    }
  });

  test('the settings of a team that the file defines too: the file’s are in force', () => {
    const { stored, refused, find } = opened();
    stored.putTeam(team('filed', '{"permit":{"vendors":["glm"],"regions":["*"]}}'));
    stored.putKey(key('one'));
    expect(find('one')?.team.permit?.vendors).toEqual(['qwen']);
    expect(refused).toEqual([{ kind: 'team', name: 'filed', why: 'defined_by_file' }]);
  });
});

describe('a change', () => {
  test('leaves every other key and team the same objects, and what was given out before as it was', () => {
    const { stored, find } = opened();
    stored.putTeam(team('made'));
    stored.putTeam(team('other'));
    for (const [name, of] of Object.entries({ one: 'made', two: 'other', three: 'filed' })) stored.putKey(key(name, { team: of }));
    const before = new KeyRing(FILE, stored.entries());
    const [one, two, three] = [find('one'), find('two'), find('three')];
    stored.putKey(key('three', { settings: '{"limits":{"rpm":1}}' }));
    expect(find('one')).toBe(one);
    expect(find('two')).toBe(two);
    expect(find('three')?.key).not.toBe(three?.key);
    expect(find('three')?.key.limits).toEqual({ rpm: 1 });
    expect(before.find('sk-three', 0)).toBe(three);
  });

  test('of a team makes new keys of its own, since their limits and permits are made of both', () => {
    const { stored, find } = opened();
    stored.putTeam(team('made'));
    stored.putKey(key('one', { team: 'made' }));
    stored.putKey(key('two'));
    const [one, two] = [find('one'), find('two')];
    stored.putTeam(team('made', `{${PERMIT},"limits":{"rpm":1}}`));
    expect(find('one')?.team.limits).toEqual({ rpm: 1 });
    expect(find('one')?.key).not.toBe(one?.key);
    expect(find('one')?.key).toEqual(one?.key);
    expect(find('two')).toBe(two);
  });

  test('revokes at once, and a row that comes to be understood gives its key', () => {
    const { stored, find } = opened();
    stored.putKey(key('one', { settings: '{"later":1}' }));
    expect(find('one')).toBe(null);
    stored.putKey(key('one'));
    expect(find('one')).not.toBe(null);
    stored.putKey(key('one', { revokedAtMs: 1 }));
    expect(find('one')).toBe(null);
  });
});

test('entries are counted, and a digest that is none finds nothing', () => {
  const entry = { key: FILE.keys[0], team: FILE.teams['filed'] } as never;
  const two = NO_ENTRIES.with([
    ['00a', entry],
    ['ffb', entry],
  ]);
  expect([NO_ENTRIES.size, two.size, two.with([['00a', null]]).size, two.size]).toEqual([0, 2, 1, 2]);
  expect([two.get(''), two.get('zz'), two.get('00')]).toEqual([undefined, undefined, undefined]);
});
