import { globMatches } from '../../config/glob.ts';
import type { LedgerEntry } from '../ledger/ledger-entry.ts';

/** Which lines of the books a bucket counts. */
export interface BucketScope {
  /** Last part of the name, e.g. `rpm` or `budget.month.cny`. */
  readonly word: string;
  /** Start of a window, ms; null for others. */
  readonly startMs: number | null;
  /** Null: every key of the team. */
  readonly key: string | null;
  /** Of the requests for some models only. */
  readonly ofModel: boolean;
  readonly covers: (entry: Pick<LedgerEntry, 'key' | 'askedModel'>) => boolean;
}

/**
 * Reads a bucket's name: `team/rpm`, `key/<key>/tpm`, `team/model/<pattern>/rpm`, `key/<key>/model/<pattern>/budget.day.cny@<start>`. Null for
 * another form, e.g. that of a later release.
 */
export function scopeOf(bucket: string): BucketScope | null {
  const [path = '', start] = bucket.split('@');
  const startMs = start === undefined ? null : Number(start);
  const parts = path.split('/');
  const word = parts.pop() ?? '';
  const key = parts[0] === 'key' ? decoded(parts[1]) : null;
  const rest = parts.slice(key === null ? 1 : 2);
  if ((parts[0] !== 'team' && key === null) || (startMs !== null && !Number.isSafeInteger(startMs))) return null;
  if (rest.length !== 0 && (rest.length !== 2 || rest[0] !== 'model')) return null;
  const pattern = decoded(rest[1]);
  const covers: BucketScope['covers'] = (entry) =>
    (key === null || entry.key === key) && (pattern === null || globMatches(pattern, entry.askedModel));
  return { word, startMs, key, ofModel: pattern !== null, covers };
}

const decoded = (part: string | undefined): string | null => (part === undefined ? null : decodeURIComponent(part));
