import type { Config } from '../config/config.ts';
import { LedgerFault, type LedgerStore } from '../relay/ledger/ledger-store.ts';
import type { UsageGroup, UsageQuery, UsageRow } from '../relay/ledger/usage.ts';
import { auditReader, ledgerReader } from '../server/database/open-ledger.ts';
import { loadOrExplain } from './load.ts';
import { openReservations, usageOwner } from './usage-owner.ts';
import { type Format, formatUsage, usageOfOwner } from './usage-table.ts';

export interface UsageOptions {
  readonly by: UsageGroup;
  readonly from?: number;
  readonly to?: number;
  readonly key?: string;
  readonly team?: string;
  readonly format: Format;
  /** The same as `format: 'json'`. */
  readonly json?: boolean;
  readonly config: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * A moment on the command line, in ms since the epoch: a day (`2026-11-01`, UTC), or a time with its zone on the full hour, since the books
 * keep sums by the hour. A day as an end is included.
 * @throws Error that says what is wrong
 */
export function moment(text: string, end: boolean): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const ms = day || /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
  // `Date.parse` takes 2026-02-31 for a day in March.
  if (Number.isNaN(ms) || (day && new Date(ms).toISOString().slice(0, 10) !== text)) {
    throw new Error('must be a day such as 2026-11-01, or a time such as 2026-11-01T08:00Z or 2026-11-01T08:00+08:00');
  }
  if (ms % HOUR_MS !== 0) throw new Error('must be a full hour of UTC: the books keep hourly sums');
  return day && end ? ms + DAY_MS : ms;
}

/** `estafet usage`: reads the database itself, beside a relay that may be running. Exit code 1 and one line when it cannot. */
export async function usage({ by, from, to, key, team, json = false, format: asked, config: file }: UsageOptions): Promise<void> {
  const loaded = loadOrExplain(file);
  if (loaded === null) {
    process.exitCode = 1;
    return;
  }
  const { config } = loaded;
  const format = json ? 'json' : asked;
  try {
    process.stdout.write(await told(config, { by, fromMs: from ?? null, toMs: to ?? null }, key ?? null, team ?? null, format));
  } catch (error) {
    if (!(error instanceof LedgerFault)) throw error;
    console.error(`estafet: ${error.message}`);
    process.exitCode = 1;
  }
}

type Span = Pick<UsageQuery, 'fromMs' | 'toMs'> & { readonly by: UsageGroup };

/** JSON about one key or team also has what only this owner's can be asked for. @throws LedgerFault */
async function told(config: Config, span: Span, key: string | null, team: string | null, format: Format): Promise<string> {
  const ledger = ledgerReader(config.database);
  const owner = await usageOwner(config, key, team);
  const query = { ...span, key: owner.key, team };
  const rows = await read(ledger, query);
  if (owner.missing !== null && rows.length === 0)
    throw new LedgerFault(`there is no ${owner.missing}, and the books have no lines of it in that time`);
  if (format !== 'json' || (key === null && team === null)) return formatUsage(rows, span.by, format);
  const books = auditReader(config.database);
  try {
    await books.open();
    return usageOfOwner(rows, span.by, owner, await books.refusals(query), await openReservations(config, owner));
  } finally {
    await books.close();
  }
}

async function read(store: LedgerStore, query: Parameters<LedgerStore['usage']>[0]): Promise<UsageRow[]> {
  try {
    await store.open();
    return await store.usage(query);
  } finally {
    await store.close();
  }
}
