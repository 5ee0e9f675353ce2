import type { Finding } from '../relay/audit/finding.ts';

/** What `estafet audit --json` prints. */
export interface AuditReport {
  readonly ok: boolean;
  readonly teams: number;
  /** Of the books against themselves. */
  readonly hours: number;
  readonly lines: number;
  /** Null without Redis. So is the next. */
  readonly buckets: number | null;
  readonly listened_ms: number | null;
  readonly drifts: readonly (Finding & { readonly by: number })[];
  /** Whose levels Redis did not tell: in a Cluster, the owners on a node that is gone. */
  readonly unread: readonly { readonly owner: string; readonly reason: string }[];
  readonly notes: readonly string[];
}

/** Kind of drift → what is wrong, and what it may mean. */
const MEANING: Readonly<Record<Finding['kind'], string>> = {
  sum: 'the hourly sum differs from its lines: lines or sums were changed by hand, or lines were deleted too early',
  window: 'books and open reservations add up to a different amount',
  slots: 'the open reservations hold a different number of slots',
  rate: 'the level does not follow from the books',
  heard: 'the level changed without a line in the books',
};

/** The report for people: one line when all agree, else one for each drift and for each owner that could not be read. */
export function auditText({ ok, teams, hours, lines, buckets, listened_ms, drifts, unread, notes }: AuditReport): string {
  const checked = `${count(lines, 'line')} in ${count(hours, 'hour')} of books`;
  const levels =
    buckets === null ? '' : `, ${count(buckets, 'level')} of ${count(teams, 'team')} in Redis, watched for ${(listened_ms ?? 0) / 1000} s`;
  const told = notes.map((note) => `note: ${note}\n`).join('');
  if (ok) return `no drift: ${checked}${levels}\n${told}`;
  const missed = unread.map(({ owner, reason }) => `not read: ${owner}: ${reason}\n`);
  const found = drifts.map(
    ({ owner, bucket, kind, expected, found, by }) =>
      `drift: ${owner} ${bucket}: expected ${expected}, found ${found} (${by > 0 ? '+' : ''}${by}): ${MEANING[kind]}\n`,
  );
  const left = unread.length === 0 ? '' : `, ${count(unread.length, 'owner')} not read`;
  return `${found.join('')}${missed.join('')}${count(drifts.length, 'drift')}${left}: ${checked}${levels}\n${told}`;
}

const count = (number: number, of: string): string => `${number} ${of}${number === 1 ? '' : 's'}`;
