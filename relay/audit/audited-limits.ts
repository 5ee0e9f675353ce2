import type { Key, Team } from '../../config/config.ts';
import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import { configuredLimits, type Limit, type Scope } from '../quota/limits.ts';
import { ModelEntries } from '../quota/model-entries.ts';

/** A limit that holds now, and which lines of the books its bucket counts. */
export interface AuditedLimit {
  readonly limit: Limit;
  /** Null: every key of the team. */
  readonly key: string | null;
  /** Of the requests for some models only. */
  readonly ofModel: boolean;
  readonly covers: (entry: Pick<LedgerEntry, 'key' | 'askedModel'>) => boolean;
}

/** By bucket, of a window without its start. What is not in it belongs to a limit that holds no more: nobody counts there. */
export type AuditedLimits = ReadonlyMap<string, AuditedLimit>;

/** A team's limits and those of its keys, all of them, for all requests and for those of single models. */
export function auditedLimits(
  { name, limits, timeZone = 'UTC' }: Pick<Team, 'name' | 'limits' | 'timeZone'>,
  keys: readonly Pick<Key, 'name' | 'limits'>[],
): AuditedLimits {
  const found = new Map<string, AuditedLimit>();
  const add = (scope: Exclude<Scope, { kind: 'backend' }>, own: Team['limits'], key: string | null): void => {
    for (const limit of [
      ...configuredLimits(scope, own ?? {}, timeZone),
      ...new ModelEntries(scope, own?.models, timeZone).limits.map(({ limit }) => limit),
    ]) {
      const ofModel = limit.covers !== undefined;
      const covers: AuditedLimit['covers'] = (entry) => (key === null || entry.key === key) && (limit.covers?.(entry.askedModel) ?? true);
      found.set(limit.bucket, { limit, key, ofModel, covers });
    }
  };
  add({ kind: 'team', team: name }, limits, null);
  for (const { name: key, limits: own } of keys) add({ kind: 'key', key }, own, key);
  return found;
}

/** The limits of a backend: the books' lines do not tell what its attempts reserved. */
export function uncoveredLimits(limits: readonly Limit[]): AuditedLimits {
  return new Map(limits.map((limit) => [limit.bucket, { limit, key: null, ofModel: false, covers: () => false }]));
}

/** A bucket's name, of a window without its start. */
export const baseOf = (bucket: string): string => bucket.split('@', 1)[0] as string;
