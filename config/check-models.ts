import { type CheckContext, emptyRecord, reportUnknownName } from './check-context.ts';
import type { Candidate, HedgeSettings, ModelEntry } from './config.ts';
import type { Path } from './problem.ts';
import type { ConfigInput } from './schema.ts';

type EntryInput = ConfigInput['models'][string];
type CandidateInput = Exclude<Extract<EntryInput, readonly unknown[]>[number], string>;

/** `models`: every candidate names a backend that exists, none twice; both forms become one. */
export function checkModels(input: ConfigInput['models'], context: CheckContext): Record<string, ModelEntry> {
  const models = emptyRecord<ModelEntry>();
  for (const [alias, entry] of Object.entries(input)) {
    const path = ['models', alias];
    const prefix = alias.includes('/') ? alias.slice(0, alias.indexOf('/')) : '';
    if (context.backendNames.includes(prefix)) {
      context.warnings.add(path, `hides the model of backend ${prefix} with that name`, { at: 'key' });
    }
    models[alias] = Array.isArray(entry) ? shortForm(entry, path, context) : longForm(entry, path, context);
  }
  return models;
}

/** Neighbours with a weight form one tier; every other candidate is a tier of its own. */
function shortForm(entries: readonly (string | CandidateInput)[], path: Path, context: CheckContext): ModelEntry {
  let tier = -1;
  let weighted = false;
  const to = candidatesIn(entries, path, context, ({ weight, tier: written }, here) => {
    if (written !== undefined)
      context.problems.add([...here, 'tier'], 'needs a strategy, as in { strategy: weighted, to: [ … ] }', { at: 'key' });
    if (weight === undefined || !weighted) tier++;
    weighted = weight !== undefined;
    return tier;
  });
  const strategy = to.some(({ weight }) => weight !== null) ? 'weighted' : 'order';
  return { to, form: 'list', strategy, affinity: false, cnyPerUsd: null, hedge: null, totalDeadlineMs: null };
}

function longForm(entry: Exclude<EntryInput, readonly unknown[]>, path: Path, context: CheckContext): ModelEntry {
  const { strategy, affinity, cnyPerUsd = null, totalDeadlineMs = null } = entry;
  const useless = (here: Path, message: string): void => context.warnings.add(here, message, { at: 'key' });
  const to = candidatesIn(entry.to, [...path, 'to'], context, ({ weight, tier }, here, index) => {
    if (weight !== undefined && strategy !== 'weighted') useless([...here, 'weight'], `has no effect with strategy ${strategy}`);
    if (strategy !== 'order') return tier ?? 0;
    if (tier !== undefined) useless([...here, 'tier'], 'has no effect with strategy order, which follows the list');
    return index;
  });
  if (cnyPerUsd !== null && strategy !== 'cost') useless([...path, 'cnyPerUsd'], `has no effect with strategy ${strategy}`);
  if (context.isWritten([...path, 'affinity']) && strategy !== 'weighted' && strategy !== 'latency')
    useless([...path, 'affinity'], `has no effect with strategy ${strategy}`);
  const hedge = hedgeOf(entry.hedge);
  if (hedge !== null) checkHedge(to, strategy, [...path, 'hedge'], context);
  return {
    to,
    form: 'settings',
    strategy,
    affinity: affinity === 'on' && (strategy === 'weighted' || strategy === 'latency'),
    cnyPerUsd,
    hedge,
    totalDeadlineMs,
  };
}

const hedgeOf = (written: Exclude<EntryInput, readonly unknown[]>['hedge']): HedgeSettings | null =>
  written === 'off' ? null : typeof written === 'object' ? written : { after: written, mostPercent: 10 };

/** Another chat model may stand in, within the tier where there are tiers; vectors and scores of another one are worthless. */
function checkHedge(to: readonly Candidate[], strategy: ModelEntry['strategy'], path: Path, context: CheckContext): void {
  const other = to.find(({ backend, model }) => !context.isChat(backend, model));
  if (other !== undefined) {
    context.problems.add(path, `is for chat models only, and ${other.backend}/${other.model} is not one`, { at: 'key' });
    return;
  }
  const tiers = Map.groupBy(to, ({ tier }) => (strategy === 'order' ? 0 : tier));
  if ([...tiers.values()].some(({ length }) => length > 1)) return;
  const where = to.length > 1 ? ' of one tier' : '';
  context.problems.add(path, `needs at least two candidates${where}`, { at: 'key' });
}

function candidatesIn(
  entries: readonly (string | CandidateInput)[],
  path: Path,
  context: CheckContext,
  tierOf: (entry: Pick<CandidateInput, 'weight' | 'tier'>, path: Path, index: number) => number,
): Candidate[] {
  const seen = new Set<string>();
  return entries.map((entry, index) => {
    const { to, weight, tier, thinking, force }: CandidateInput =
      typeof entry === 'string' ? { to: entry, thinking: 'auto', force: false } : entry;
    const here = typeof entry === 'string' ? [...path, index] : [...path, index, 'to'];
    const slash = to.indexOf('/');
    const backend = to.slice(0, slash);
    if (!context.backendNames.includes(backend)) reportUnknownName(context, here, 'backend', backend, context.backendNames);
    if (seen.has(to)) context.problems.add(here, `${to} is listed twice`);
    seen.add(to);
    return {
      backend,
      model: to.slice(slash + 1),
      tier: tierOf({ weight, tier }, [...path, index], index),
      weight: weight ?? null,
      thinking,
      force,
    };
  });
}
