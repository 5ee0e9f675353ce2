import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keyDigest } from '../../config/secret.ts';
import { storedSettings } from '../../config/stored-access.ts';
import type { AccessReader, StoredKey, StoredTeam } from '../../relay/keys/access-store.ts';
import type { KeyRing } from '../../relay/keys/key-ring.ts';
import { type KeyEvent, KeyWatch } from '../../server/key-watch.ts';
import { logKeys } from '../../server/telemetry/keys-log.ts';
import { createLogger } from '../../server/telemetry/logger.ts';
import { VENDORS } from '../../translators/registry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TEAM = { name: 't', settings: '{}', createdAtMs: 1, changedAtMs: 1, removedAtMs: null };
const row = (name: string, team = 't', revokedAtMs: number | null = null): Omit<StoredKey, 'revision'> => ({
  id: `key_${name}`,
  name,
  digest: keyDigest(`sk-${name}`),
  team,
  settings: '{}',
  createdAtMs: 1,
  changedAtMs: 1,
  revokedAtMs,
});

/** A database in memory that can be away, and in which something can happen between two reads. */
class Database implements AccessReader {
  teams = new Map<string, StoredTeam>();
  keys = new Map<string, StoredKey>();
  last = 0;
  away: string | null = null;
  reads = 0;
  beforeKeys = (): void => undefined;

  putTeam(team: Omit<StoredTeam, 'revision'>): void {
    this.teams.set(team.name, { ...team, revision: ++this.last });
  }
  putKey(key: Omit<StoredKey, 'revision'>): void {
    this.keys.set(key.id, { ...key, revision: ++this.last });
  }
  async open(): Promise<void> {
    await this.revision();
  }
  async revision(): Promise<number> {
    if (this.away !== null) throw new Error(this.away);
    return this.last;
  }
  async teamsAfter(revision: number, most: number): Promise<StoredTeam[]> {
    return this.#after(this.teams, revision, most);
  }
  async keysAfter(revision: number, most: number): Promise<StoredKey[]> {
    this.beforeKeys();
    return this.#after(this.keys, revision, most);
  }
  async close(): Promise<void> {}

  #after<Row extends { readonly revision: number }>(rows: ReadonlyMap<string, Row>, revision: number, most: number): Row[] {
    if (this.away !== null) throw new Error(this.away);
    this.reads++;
    return [...rows.values()]
      .filter((one) => one.revision > revision)
      .sort((a, b) => a.revision - b.revision)
      .slice(0, most);
  }
}

async function watched(database: Database) {
  const events: KeyEvent[] = [];
  let ring: KeyRing | null = null;
  let rings = 0;
  const watch = new KeyWatch(database, {
    config: { keys: [], teams: {} },
    settings: storedSettings(VENDORS),
    report: (event) => events.push(event),
    onChange: (made) => {
      ring = made;
      rings++;
    },
  });
  await watch.open();
  return {
    watch,
    events,
    rings: () => rings,
    find: (name: string) => ring?.find(`sk-${name}`, 0)?.key ?? null,
    told: () => events.filter(({ type }) => type !== 'keys-loaded').map(({ type }) => type),
  };
}

const nextLook = () => vi.advanceTimersByTimeAsync(250);

test('what is there at the start is in force; a change is, a look later; nothing is read while nothing changes', async () => {
  const database = new Database();
  database.putTeam(TEAM);
  database.putKey(row('one'));
  const { find, rings } = await watched(database);
  expect(find('one')).not.toBe(null);
  const { reads } = database;
  for (let times = 0; times < 10; times++) await nextLook();
  expect([rings(), database.reads]).toEqual([1, reads]);
  database.putKey(row('two'));
  await nextLook();
  expect(find('two')).not.toBe(null);
  const two = find('two');
  database.putKey(row('one', 't', 5));
  await nextLook();
  expect([find('one'), find('two') === two]).toEqual([null, true]);
});

test('many come in pages, each once', async () => {
  const database = new Database();
  database.putTeam(TEAM);
  for (let index = 0; index < 1000; index++) database.putKey(row(`k${index}`));
  const { events, find } = await watched(database);
  expect(events).toEqual([{ type: 'keys-loaded', keys: 1000, revision: 1001 }]);
  expect([find('k0'), find('k999')].includes(null)).toBe(false);
});

test('a key and its team that come between the two reads are taken together the next time', async () => {
  const database = new Database();
  database.putTeam(TEAM);
  const { find, told } = await watched(database);
  database.putKey(row('one'));
  database.beforeKeys = () => {
    database.beforeKeys = () => undefined;
    database.putTeam({ ...TEAM, name: 'late' });
    database.putKey(row('two', 'late'));
  };
  await nextLook();
  expect([find('one') === null, find('two')]).toEqual([false, null]);
  await nextLook();
  expect(find('two')).not.toBe(null);
  expect(told()).toEqual([]);
});

test('while the database is away the last known keys stay; its going and coming are told once each', async () => {
  const database = new Database();
  database.putTeam(TEAM);
  database.putKey(row('one'));
  const { find, events, told } = await watched(database);
  database.away = 'nothing listens there';
  for (let times = 0; times < 5; times++) await nextLook();
  expect(find('one')).not.toBe(null);
  expect(events.slice(1)).toEqual([{ type: 'store-down', fault: 'nothing listens there' }]);
  database.away = null;
  database.putKey(row('one', 't', 5));
  await nextLook();
  await nextLook();
  expect(find('one')).toBe(null);
  expect(told()).toEqual(['store-down', 'store-back']);
});

test('a database set back to an earlier state is read anew: what it does not know is gone', async () => {
  const database = new Database();
  database.putTeam(TEAM);
  database.putKey(row('one'));
  const backup = [new Map(database.keys), database.last] as const;
  database.putKey(row('two'));
  const { find } = await watched(database);
  expect(find('two')).not.toBe(null);
  [database.keys, database.last] = backup;
  await nextLook();
  expect([find('one') === null, find('two')]).toEqual([false, null]);
});

test('keys without a team are counted and told, again only when their number changes', async () => {
  const database = new Database();
  database.putKey(row('one', 'nowhere'));
  const { events, find } = await watched(database);
  database.putKey(row('two', 'nowhere'));
  await nextLook();
  database.putTeam(TEAM);
  await nextLook();
  expect(events.filter(({ type }) => type === 'keys-without-team')).toEqual([
    { type: 'keys-without-team', keys: 1 },
    { type: 'keys-without-team', keys: 2 },
  ]);
  expect(find('one')).toBe(null);
});

describe('the start and the end', () => {
  test('it does not start without the database', async () => {
    const database = new Database();
    database.away = 'nothing listens there';
    await expect(watched(database)).rejects.toThrow('nothing listens there');
  });

  test('the end waits for what has been made ready and is not in force yet', async () => {
    const database = new Database();
    const { watch } = await watched(database);
    const closed = vi.spyOn(database, 'close');
    const prepared = await watch.prepare({ keys: [], teams: {} });
    const closing = watch.close(1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(closed).not.toHaveBeenCalled();
    prepared.commit();
    await closing;
    expect(closed).toHaveBeenCalledOnce();
    expect(watch.close(1_000)).toBe(closing);
  });

  test('after the end nothing is asked, and a database that hangs is left', async () => {
    const database = new Database();
    const { watch } = await watched(database);
    database.close = () => new Promise(() => undefined);
    const closed = watch.close(100);
    await vi.advanceTimersByTimeAsync(100);
    await closed;
    const asked = vi.spyOn(database, 'revision');
    await nextLook();
    await nextLook();
    expect(asked).not.toHaveBeenCalled();
  });
});

test('every event is a line of the log, refusals loud', () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('debug', { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const events: KeyEvent[] = [
    { type: 'keys-loaded', keys: 2, revision: 3 },
    { type: 'keys-without-team', keys: 1 },
    { type: 'row-refused', kind: 'key', name: 'app', why: 'defined_by_file' },
    { type: 'row-refused', kind: 'team', name: 't', why: 'not_understood', fault: 'x' },
    { type: 'store-down', fault: 'gone' },
    { type: 'store-back', downMs: 7 },
  ];
  for (const event of events) logKeys(logger, event);
  expect(lines.map(({ level }) => level)).toEqual(['debug', 'warn', 'error', 'error', 'error', 'warn']);
  expect(lines[2]).toMatchObject({
    name: 'app',
    msg: expect.stringContaining('the file also defines a key of this name, and takes precedence'),
  });
});

describe('another file', () => {
  const config = (...teams: string[]) => ({
    keys: [],
    teams: Object.fromEntries(teams.map((name) => [name, { name, onStoreLoss: 'refuse' as const }])),
  });

  test('what the old one hid is in force with the new one, and the rows go on being followed', async () => {
    const database = new Database();
    database.putKey(row('one', 'later'));
    const { watch, find, rings, told } = await watched(database);
    expect([find('one'), told()]).toEqual([null, ['keys-without-team']]);
    const ring = (await watch.prepare(config('later'))).commit();
    expect(ring.find('sk-one', 0)?.team.name).toBe('later');
    // Whoever asked has the ring, and puts it in force with the rest.
    expect(rings()).toBe(1);
    database.putKey(row('two', 'later'));
    await nextLook();
    expect([find('one') === null, find('two') === null]).toEqual([false, false]);
    expect((await watch.prepare(config())).commit().find('sk-one', 0)).toBe(null);
  });

  test('a database that is away: refused, and the old rows are followed as before', async () => {
    const database = new Database();
    database.putTeam(TEAM);
    database.putKey(row('one'));
    const { watch, find } = await watched(database);
    database.away = 'gone';
    await expect(watch.prepare(config('t'))).rejects.toThrow('gone');
    database.away = null;
    database.putKey(row('two'));
    await nextLook();
    expect([find('one') === null, find('two') === null]).toEqual([false, false]);
  });

  test('abandoned, it has changed nothing; until then no row is read that a commit would hide', async () => {
    const database = new Database();
    database.putTeam(TEAM);
    database.putKey(row('one', 'later'));
    const { watch, find } = await watched(database);
    const prepared = await watch.prepare(config('later'));
    database.putKey(row('two'));
    await nextLook();
    expect(find('two')).toBe(null);
    prepared.abandon();
    await nextLook();
    expect([find('one'), find('two') === null]).toEqual([null, false]);
  });

  test('it waits for a read that has begun', async () => {
    const database = new Database();
    database.putTeam(TEAM);
    const { watch } = await watched(database);
    database.putKey(row('one'));
    const order: string[] = [];
    let ring: Promise<KeyRing> | undefined;
    database.beforeKeys = () => {
      order.push('read');
      ring ??= watch.prepare({ keys: [], teams: {} }).then((prepared) => prepared.commit());
    };
    await nextLook();
    expect((await ring)?.find('sk-one', 0)).not.toBeFalsy();
    expect(order).toEqual(['read', 'read']);
  });
});
