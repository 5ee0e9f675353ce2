import type { Config } from '../config/config.ts';
import type { StoredSettings } from '../config/stored-access.ts';
import type { AccessReader, StoredKey } from '../relay/keys/access-store.ts';
import type { KeyEntry } from '../relay/keys/key-entries.ts';
import { StoredKeys } from '../relay/keys/stored-keys.ts';

const PAGE_ROWS = 500;

/** A key by its name, of the file or of the database, as the relay would know it; null when there is none that is in force. */
export async function callerNamed(
  name: string,
  config: Pick<Config, 'keys' | 'teams'>,
  settings: StoredSettings,
  reader: AccessReader | null,
): Promise<KeyEntry | null> {
  const key = config.keys.find((one) => one.name === name);
  if (key !== undefined) {
    const team = config.teams[key.team];
    return team === undefined ? null : { key, team };
  }
  if (reader === null) return null;
  const stored = new StoredKeys(config, settings, () => undefined);
  let digest: string | null = null;
  for await (const team of pages((after) => reader.teamsAfter(after, PAGE_ROWS))) stored.putTeam(team);
  for await (const row of pages<StoredKey>((after) => reader.keysAfter(after, PAGE_ROWS))) {
    stored.putKey(row);
    if (row.name === name) digest = row.digest;
  }
  return digest === null ? null : (stored.entries().get(digest) ?? null);
}

async function* pages<Row extends { readonly revision: number }>(page: (after: number) => Promise<Row[]>): AsyncGenerator<Row> {
  for (let after = 0; ; ) {
    const rows = await page(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.revision;
  }
}
