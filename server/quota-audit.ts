import { setTimeout as sleep } from 'node:timers/promises';
import { OwnerAuditor } from '../relay/audit/audit-owner.ts';
import type { AuditedLimits } from '../relay/audit/audited-limits.ts';
import type { Finding, OwnerAudit } from '../relay/audit/finding.ts';
import type { Line } from '../relay/quota/lines.ts';
import type { QuotaStore, Snapshot } from '../relay/quota/store.ts';
import { StoreGone } from '../relay/quota/store-breaker.ts';
import type { AuditReader } from './database/audit-reader.ts';

export interface LevelsAudit extends OwnerAudit {
  /** Buckets that were looked at. */
  readonly buckets: number;
  /** Owners whose levels could not be read (in a Cluster: on a node that is gone), and why. Nothing is found of them. */
  readonly unread: ReadonlyMap<string, StoreGone>;
}

export interface LevelsAuditOptions {
  readonly store: QuotaStore;
  readonly books: Pick<AuditReader, 'lines' | 'usage'>;
  /** `team/<name>` or `backend/<name>`, and the limits that hold for it. */
  readonly owners: ReadonlyMap<string, AuditedLimits>;
  /** For how long every step is heard before the books are read; a second lets the last lines of before come in. */
  readonly listenMs: number;
  /** The books' lines are whole from this full hour on. */
  readonly retainedMs: number;
}

/** Reading the books may take this much longer than listening. */
const READING_MS = 290_000;
const LINES = 1_000;

interface Listened {
  readonly before: Snapshot;
  readonly auditor: OwnerAuditor;
}

/**
 * Before what was found is looked at again: a line may have been on its way to the books, a settlement on its way to Redis. Only what is
 * found each time is told.
 */
const PAUSES_MS = [1_000, 3_000] as const;

/**
 * Levels in the store against the books, bucket by bucket, while requests come and go. Beside the reading of levels it writes one field per
 * team, which makes the scripts keep their lines, and takes it away again.
 * @throws StoreGone when nothing could be read; what the books throw
 */
export async function auditStore(options: LevelsAuditOptions): Promise<LevelsAudit> {
  const first = await audited(options);
  const audits = new Map(first.audits);
  const unread = new Map(first.unread);
  for (const pauseMs of PAUSES_MS) {
    const owners = new Map([...options.owners].filter(([owner]) => audits.get(owner)?.findings.some(({ kind }) => kind !== 'heard')));
    if (owners.size === 0) break;
    await sleep(pauseMs);
    const again = await audited({ ...options, owners });
    for (const [owner, gone] of again.unread) {
      unread.set(owner, gone);
      audits.delete(owner);
    }
    for (const [owner, { findings, notes }] of again.audits) {
      const before = audits.get(owner)?.findings ?? [];
      // A step that nobody accounts for is seen once: what it did stays.
      const heard = [...before, ...findings].filter(({ kind }) => kind === 'heard');
      audits.set(owner, {
        findings: [...heard, ...findings.filter((finding) => finding.kind !== 'heard' && before.some((one) => isSame(one, finding)))],
        notes,
      });
    }
  }
  const [gone] = unread.values();
  if (gone !== undefined && audits.size === 0) throw gone;
  const all = [...audits.values()];
  const buckets = [...audits.keys()].reduce((sum, owner) => sum + (first.buckets.get(owner) ?? 0), 0);
  return { findings: all.flatMap(({ findings }) => findings), notes: all.flatMap(({ notes }) => notes), buckets, unread };
}

const isSame = (one: Finding, other: Finding): boolean => one.bucket === other.bucket && one.kind === other.kind;

async function audited({ store, books, owners, listenMs, retainedMs }: LevelsAuditOptions) {
  const listened = new Map<string, Listened>();
  const unread = new Map<string, StoreGone>();
  const reading = async (owner: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreGone)) throw error;
      unread.set(owner, error);
    }
  };
  try {
    for (const [owner, limits] of owners) {
      await reading(owner, async () => {
        const before = await store.listen(owner, listenMs + READING_MS);
        listened.set(owner, { before, auditor: new OwnerAuditor(owner, before, await allLines(store, owner), limits) });
      });
    }
    if (listened.size > 0) await sleep(listenMs);
    for (const [owner, { auditor }] of listened) await readBooks(books, owner, auditor, retainedMs);
    const audits = new Map<string, OwnerAudit>();
    for (const [owner, { before, auditor }] of listened) {
      await reading(owner, async () => {
        const after = await store.levels(owner);
        if (after.nowUs - before.nowUs >= (listenMs + READING_MS) * 1000)
          throw new Error(`Reading the books took more than ${READING_MS / 1000} s, so the levels could not be checked.`);
        audits.set(owner, auditor.end(await allLines(store, owner), after));
      });
    }
    return { audits, unread, buckets: new Map([...listened].map(([owner, { before }]) => [owner, before.buckets.size])) };
  } finally {
    // What was kept meanwhile goes with the nodes' next sweep. A store that is gone forgets it by itself.
    await Promise.allSettled([...owners.keys()].map((owner) => store.listen(owner, 0)));
  }
}

async function readBooks(books: LevelsAuditOptions['books'], owner: string, auditor: OwnerAuditor, retainedMs: number): Promise<void> {
  const { fromMs } = auditor;
  if (fromMs === null) return;
  const team = owner.slice('team/'.length);
  for (const { bucket, startMs, key, ofModel } of auditor.windows.begunBefore(retainedMs)) {
    const query = { by: null, fromMs: startMs, toMs: retainedMs, team, key };
    const [sum] = ofModel ? [] : await books.usage(query);
    const nano = { nanoCny: Number(sum?.costNano.CNY ?? 0n), nanoUsd: Number(sum?.costNano.USD ?? 0n), unpriced: sum?.unpriced ?? 0 };
    auditor.windows.carry(bucket, ofModel ? null : nano);
  }
  for await (const entries of books.lines({ fromMs: Math.max(fromMs, retainedMs), toMs: null, team })) {
    for (const entry of entries) auditor.add(entry);
  }
}

async function allLines(store: QuotaStore, owner: string): Promise<Line[]> {
  const all: Line[] = [];
  for (;;) {
    const lines = await store.lines(owner, LINES, all.at(-1)?.line);
    all.push(...lines);
    if (lines.length < LINES) return all;
  }
}
