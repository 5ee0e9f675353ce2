import { expiredEntry } from '../ledger/expired-entry.ts';
import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import type { ClosingLine, Line } from './lines.ts';
import type { QuotaStore } from './store.ts';

/** Most lines in one step: after the death of a busy node there are thousands. */
const BATCH = 500;

/**
 * Writes what dead nodes had reserved into the books, then drops it from the store. Any number of nodes may do it at once, and each may
 * stop half-way: the books know a line by its id. Lines of other kinds, which an auditor has left behind, are only dropped. One that this
 * release cannot read stays, and is told: a later release may be able to.
 *
 * @throws what the store throws; what the books throw
 */
export async function bookExpired(
  store: Pick<QuotaStore, 'lines' | 'dropLines'>,
  owner: string,
  book: (entries: readonly LedgerEntry[]) => Promise<void>,
  onFault: (fault: unknown) => void,
): Promise<void> {
  let after: string | undefined;
  for (let full = true; full; ) {
    const lines = await store.lines(owner, BATCH, after);
    if (lines.length === 0) return;
    const done = new Set(lines.map(({ line }) => line));
    const entries = lines.filter(isExpiry).flatMap((line) => {
      try {
        return expiredEntry(line.id, Math.floor(line.at / 1000), line.about) ?? [];
      } catch (error) {
        done.delete(line.line);
        onFault(error);
        return [];
      }
    });
    if (entries.length > 0) await book(entries);
    if (done.size > 0) await store.dropLines(owner, [...done]);
    after = lines.at(-1)?.line;
    full = lines.length === BATCH;
  }
}

const isExpiry = (line: Line): line is ClosingLine => line.kind === 'close' && line.reason === 'expired';
