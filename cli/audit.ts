import type { Config } from '../config/config.ts';
import { type AuditedLimits, auditedLimits, uncoveredLimits } from '../relay/audit/audited-limits.ts';
import { LedgerFault } from '../relay/ledger/ledger-store.ts';
import { backendLimits, ownerOf } from '../relay/quota/backend-gate.ts';
import { StoreGone } from '../relay/quota/store-breaker.ts';
import { directory } from '../server/access/access-view.ts';
import { accessView } from '../server/database/open-access.ts';
import { auditReader } from '../server/database/open-ledger.ts';
import { auditStore } from '../server/quota-audit.ts';
import { SETTINGS } from './access-session.ts';
import { type AuditReport, auditText } from './audit-report.ts';
import { loadOrExplain } from './load.ts';
import { unreachable, withRedisStore } from './redis-store.ts';

export interface AuditOptions {
  readonly team?: string;
  readonly listen: number;
  readonly json?: boolean;
  readonly config: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** A time on the command line, in ms: `500ms`, `10s`, `2m`. @throws Error that says what is wrong */
export function listeningTime(text: string): number {
  const [, count, unit] = /^(\d{1,6})(ms|s|m)$/.exec(text) ?? [];
  const ms = Number(count) * ({ ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm'] ?? Number.NaN);
  if (!(ms >= 0 && ms <= 300_000)) throw new Error('must be a time such as 500ms, 10s or 2m, at most 5m');
  return ms;
}

/**
 * `estafet audit`: do the books agree with themselves, and the levels in Redis with the books? Exit code 0 and one line when they do; 1
 * when they do not, or some of it cannot be read.
 */
export async function audit({ team, listen, json = false, config: file }: AuditOptions): Promise<void> {
  const loaded = loadOrExplain(file);
  if (loaded === null) {
    process.exitCode = 1;
    return;
  }
  let report: AuditReport;
  try {
    report = await auditedBy(loaded.config, team ?? null, listen);
  } catch (error) {
    console.error(`estafet: ${explained(error)}`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : auditText(report));
  process.exitCode = report.ok ? 0 : 1;
}

async function auditedBy(config: Config, team: string | null, listenMs: number): Promise<AuditReport> {
  const books = auditReader(config.database);
  try {
    await books.open();
    // Lines older than that are deleted within the next hour.
    const oldest = Date.now() - config.books.retentionDays * DAY_MS + HOUR_MS;
    const retainedMs = Math.max(0, Math.ceil(oldest / HOUR_MS) * HOUR_MS);
    const teams = await teamsOf(config, team);
    const backends = Object.values(team === null ? config.backends : {});
    const limited = backends.map((backend) => [ownerOf(backend), uncoveredLimits(backendLimits(backend))] as const);
    const owners = new Map([...teams, ...limited]);
    const levels =
      config.redis === undefined
        ? null
        : await withRedisStore({ ...config, redis: config.redis }, (store) => auditStore({ store, books, owners, listenMs, retainedMs }));
    const { hours, lines, drifts } = await books.sums(retainedMs, team);
    const findings = drifts.map(({ hourMs, of, column, expected, found }) => ({
      owner: new Date(hourMs).toISOString(),
      bucket: `${of} ${column}`,
      kind: 'sum' as const,
      expected: Number(expected),
      found: Number(found),
    }));
    const all = [...findings, ...(levels?.findings ?? [])].map((finding) => ({ ...finding, by: finding.found - finding.expected }));
    const unread = [...(levels?.unread ?? [])].map(([owner, gone]) => ({ owner, reason: unreachable(gone) }));
    return {
      ok: all.length === 0 && unread.length === 0,
      teams: teams.size,
      hours,
      lines,
      buckets: levels?.buckets ?? null,
      listened_ms: levels === null ? null : listenMs,
      drifts: all,
      unread,
      notes: levels?.notes ?? ['redis is not configured: limits are kept in the relay process, so only the books were checked.'],
    };
  } finally {
    await books.close();
  }
}

/** The limits of each team and its keys, of the file and of the database. @throws Error for a team that there never was */
async function teamsOf(config: Config, only: string | null): Promise<ReadonlyMap<string, AuditedLimits>> {
  const view = accessView(config.database);
  try {
    await view?.open();
    const { teams, keys } = await directory(config, SETTINGS, view, Date.now());
    const wanted = teams.filter(({ name }) => only === null || name === only);
    if (only !== null && wanted.length === 0) throw new Error(`there is no team ${JSON.stringify(only)}`);
    // Of two with one name the file's comes last, and is in force.
    const found = new Map(
      wanted.filter(({ state }) => state !== 'active').map(({ name }) => [`team/${name}`, auditedLimits({ name }, [])]),
    );
    for (const { name, limits, timeZone } of wanted.filter(({ state }) => state === 'active')) {
      const own = keys.filter((key) => key.team === name && key.state === 'active');
      const ofKeys = own.map((key) => ({ name: key.name, ...(key.limits && { limits: key.limits }) }));
      found.set(`team/${name}`, auditedLimits({ name, timeZone, ...(limits && { limits }) }, ofKeys));
    }
    return found;
  } finally {
    await view?.close();
  }
}

function explained(error: unknown): string {
  if (error instanceof LedgerFault) return error.message;
  if (error instanceof StoreGone) return unreachable(error);
  return error instanceof Error ? error.message : String(error);
}
