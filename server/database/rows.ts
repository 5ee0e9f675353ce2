import type { LedgerEntry } from '../../relay/ledger/ledger-entry.ts';
import { REQUEST_COLUMNS } from './tables.ts';
import { type Driven, whole } from './whole.ts';

/** A row of `estafet_requests` as a driver gives it. */
export type Row = Readonly<Record<string, Driven>>;

const FIELDS = Object.entries(REQUEST_COLUMNS);

/** The line that a row holds. @throws RangeError for a number beyond 2⁵³ */
export function entryOf(row: Row): LedgerEntry {
  const fields = FIELDS.map(([field, [column, type]]) => {
    const value = row[column] ?? null;
    return [field, value === null || type === 'text' ? value : whole(value)];
  });
  return Object.fromEntries(fields) as LedgerEntry;
}
