import { describe, expect, test } from 'vitest';
import { Secret } from '../../../config/secret.ts';
import { type AccessChange, type AccessReader, AccessRefusal, type AccessStore } from '../../../relay/keys/access-store.ts';
import { accessStore, accessView } from '../../../server/database/open-access.ts';
import { accessReader } from '../../../server/database/relay-stores.ts';
import { DATABASES, databasesAtTest, SQLITE } from './databases.ts';

databasesAtTest();

const team = (name: string) => ({ name, settings: '{}', createdAtMs: 1, changedAtMs: 1, removedAtMs: null });
const key = (id: string, more = {}) => ({
  id,
  name: `name of ${id}`,
  digest: id.padEnd(64, '0'),
  team: 't',
  settings: '{}',
  createdAtMs: 1,
  changedAtMs: 1,
  revokedAtMs: null,
  ...more,
});

describe.each(DATABASES)('$name', (database) => {
  const place = () => database.address(database.place());
  /** What a relay reads with, and what a command writes with. */
  async function opened(): Promise<{ reader: AccessReader; store: AccessStore; close(): Promise<void> }> {
    const database = new Secret(place());
    const store = accessStore(database);
    await store.open();
    const reader = accessReader(database) as AccessReader;
    await reader.open();
    return { reader, store, close: async () => void (await Promise.all([reader.close(), store.close()])) };
  }

  test('nothing at first; a change is one row with a revision of its own; a reader beside it sees what came after the one it knows', async () => {
    const { reader, store, close } = await opened();
    expect([await reader.revision(), await reader.teamsAfter(0, 9), await reader.keysAfter(0, 9)]).toEqual([0, [], []]);
    await store.change((change) => change.putTeam(team('t')));
    await store.change((change) => change.putKey(key('key_1')));
    await store.change((change) => change.putKey(key('key_2', { settings: '{"name":"日本\\n😀"}', createdAtMs: 2 ** 50 })));
    expect(await reader.revision()).toBe(3);
    expect(await reader.teamsAfter(0, 9)).toEqual([{ ...team('t'), revision: 1 }]);
    expect(await reader.keysAfter(0, 9)).toEqual([
      { ...key('key_1'), revision: 2 },
      { ...key('key_2', { settings: '{"name":"日本\\n😀"}', createdAtMs: 2 ** 50 }), revision: 3 },
    ]);
    expect((await reader.keysAfter(0, 1)).map(({ id }) => id)).toEqual(['key_1']);
    await store.change((change) => change.putKey(key('key_1', { revokedAtMs: 7 })));
    expect(await reader.keysAfter(3, 9)).toEqual([{ ...key('key_1', { revokedAtMs: 7 }), revision: 4 }]);
    expect(await reader.teamsAfter(3, 9)).toEqual([]);
    await close();
  });

  test('a key is found by its id, then by its name', async () => {
    const { store, close } = await opened();
    await store.change((change) => change.putKey(key('key_1')));
    await store.change((change) => change.putKey(key('key_2', { name: 'key_1' })));
    const find = (text: string) => store.change(async (change: AccessChange) => (await change.key(text))?.id ?? null);
    expect([await find('key_1'), await find('key_2'), await find('name of key_1'), await find("' or 1=1 --")]).toEqual([
      'key_1',
      'key_2',
      'key_1',
      null,
    ]);
    await close();
  });

  test('what is refused has changed nothing, the revision neither', async () => {
    const { reader, store, close } = await opened();
    await store.change((change) => change.putKey(key('key_1')));
    const refused = store.change(async (change) => {
      await change.putKey(key('key_2'));
      throw new AccessRefusal('no');
    });
    await expect(refused).rejects.toThrow(new AccessRefusal('no'));
    const taken = store.change((change) => change.putKey(key('key_3', { name: 'name of key_1' })));
    await expect(taken).rejects.toMatchObject({ name: 'LedgerFault', permanent: true });
    expect([await reader.revision(), (await reader.keysAfter(0, 9)).length]).toEqual([1, 1]);
    await close();
  });

  test('changes at once follow one another: a name is given once, and no revision twice', async () => {
    const { reader, store, close } = await opened();
    const give = (id: string) =>
      store.change(async (change) => {
        if ((await change.key('the name')) !== null) throw new AccessRefusal('taken');
        await change.putKey(key(id, { name: 'the name' }));
      });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => give(`key_${index}`)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected' && outcome.reason instanceof AccessRefusal)).toHaveLength(7);
    expect(await reader.revision()).toBe(1);
    await close();
  });
});

test('a reader makes nothing, and says what is missing', async () => {
  const missing = new Secret(SQLITE.address(SQLITE.place()));
  expect(accessView(missing)).toBe(null);
  expect(accessReader(new Secret('memory:'))).toBe(null);
  expect(() => accessStore(new Secret('memory:'))).toThrow(/in the memory of the relay/);
  const reader = accessReader(missing) as AccessReader;
  await expect(reader.open()).rejects.toThrow('there are no books at');
  await reader.close();
});
