import { bookedUse } from '../audit/booked-use.ts';
import { expiredEntry } from '../ledger/expired-entry.ts';
import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import type { ClosingLine, Line } from './lines.ts';
import type { QuotaStore } from './store.ts';

/** Most lines in one step: after the death of a busy node there are thousands. */
const BATCH = 500;

/** Writes lines guessed for dead nodes into the books; the answer is what those nodes had written themselves, which stands. */
export type BookGuesses = (guesses: readonly LedgerEntry[]) => Promise<readonly LedgerEntry[]>;

/**
 * Writes what dead nodes had reserved into the books, then drops it from the store. A node that died after its line was written, but before
 * its settlement arrived, is settled by that line: late truth beats the guess here too. Any number of nodes may do it at once, and each may
 * stop half-way: the books know a line by its id, and the store settles an id once, whoever asks. Lines of other kinds, which an auditor has
 * left behind, are only dropped. One that this release cannot read stays, and is told: a later release may be able to.
 *
 * @throws what the store throws; what the books throw
 */
export async function bookExpired(
  store: Pick<QuotaStore, 'lines' | 'dropLines' | 'settle' | 'release'>,
  owner: string,
  book: BookGuesses,
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
    const truths = entries.length > 0 ? await book(entries) : [];
    for (const truth of truths) await settleBy(store, owner, truth);
    if (done.size > 0) await store.dropLines(owner, [...done]);
    after = lines.at(-1)?.line;
    full = lines.length === BATCH;
  }
}

/**
 * What is in the books is what the dead node would have told the limits, had it lived a little longer: also of a request that it held itself,
 * or nobody, when the store took late what it had been asked in vain.
 */
async function settleBy(store: Pick<QuotaStore, 'settle' | 'release'>, owner: string, entry: LedgerEntry): Promise<void> {
  const actual = bookedUse(entry);
  if (actual === null) await store.release(owner, entry.id);
  else {
    const source = entry.usageSource === 'vendor' ? 'vendor' : 'estimated';
    await store.settle({ id: entry.id, owner, actual, source, reason: 'done', about: '' });
  }
}

const isExpiry = (line: Line): line is ClosingLine => line.kind === 'close' && line.reason === 'expired';
