import type { Config } from '../config/config.ts';
import { heldOf } from '../relay/ledger/expired-entry.ts';
import type { Currency } from '../relay/ledger/ledger-entry.ts';
import { LedgerFault } from '../relay/ledger/ledger-store.ts';
import { StoreGone } from '../relay/quota/store-breaker.ts';
import { directory } from '../server/access/access-view.ts';
import { accessView } from '../server/database/open-access.ts';
import { SETTINGS } from './access-session.ts';
import { unreachable, withRedisStore } from './redis-store.ts';

/** Whose usage is shown: one key, or one team with all its keys. */
export interface UsageOwner {
  readonly key: string | null;
  /** Of a key of the database. */
  readonly id: string | null;
  /** Null for a key that there is no more. */
  readonly team: string | null;
  /** What is neither in the file nor in the database, e.g. `key "app"`; the books may have it all the same. Null when it is there. */
  readonly missing: string | null;
}

/** What running requests have reserved. */
export interface OpenReservations {
  readonly count: number;
  readonly tokens: number;
  readonly costNano: Readonly<Partial<Record<Currency, bigint>>>;
}

/** `open` is null for a reason. */
export type OpenTold = { readonly open: OpenReservations } | { readonly open: null; readonly reason: string };

/** A key by its name, or by its id where the database has it. @throws LedgerFault for an id that there is not */
export async function usageOwner(config: Config, key: string | null, team: string | null): Promise<UsageOwner> {
  if (key === null && team === null) return { key, id: null, team, missing: null };
  const view = accessView(config.database);
  try {
    await view?.open();
    const { keys, teams } = await directory(config, SETTINGS, view, Date.now());
    if (key === null) {
      const there = teams.some(({ name }) => name === team);
      return { key, id: null, team, missing: there ? null : `team ${JSON.stringify(team)}` };
    }
    const found = keys.find(({ id }) => id === key) ?? keys.find(({ name }) => name === key);
    if (found !== undefined) return { key: found.name, id: found.id, team: found.team, missing: null };
    if (key.startsWith('key_')) throw new LedgerFault(`there is no key ${JSON.stringify(key)}`);
    return { key, id: null, team, missing: `key ${JSON.stringify(key)}` };
  } finally {
    await view?.close();
  }
}

export async function openReservations(
  { redis, redisTls }: Pick<Config, 'redis' | 'redisTls'>,
  { key, team }: UsageOwner,
): Promise<OpenTold> {
  if (redis === undefined) return { open: null, reason: 'redis is not configured: only the relay itself knows' };
  if (team === null) return { open: null, reason: 'the key no longer exists' };
  try {
    const { open } = await withRedisStore({ redis, ...(redisTls === undefined ? {} : { redisTls }) }, (store) =>
      store.levels(`team/${team}`),
    );
    const held = open.flatMap(({ about }) => heldOf(about) ?? []).filter((one) => key === null || one.key === key);
    const costNano: Partial<Record<Currency, bigint>> = {};
    for (const { cost } of held) if (cost !== null) costNano[cost.currency] = (costNano[cost.currency] ?? 0n) + BigInt(cost.costNano);
    return { open: { count: held.length, tokens: held.reduce((sum, { tokens }) => sum + tokens, 0), costNano } };
  } catch (error) {
    if (error instanceof StoreGone) return { open: null, reason: unreachable(error) };
    throw error;
  }
}
