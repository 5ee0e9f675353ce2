import type { SettingsContext } from './check-context.ts';
import type { KeyPermit, Limits, ModelLimits } from './config.ts';
import { globMatches, globsOverlap } from './glob.ts';
import type { Path } from './problem.ts';

type Budget = NonNullable<ModelLimits['budget']>;

/** Longest window of each kind, in days. */
const DAYS: Readonly<Record<Budget['per'], number>> = { hour: 1, day: 1, week: 7, month: 31, never: Number.POSITIVE_INFINITY };

/**
 * `limits` of a team or key: reserves that no limit can hold, entries of `models` that nobody's request can meet.
 * @param permits those a request has to pass, as far as there are any
 */
export function checkLimits(
  limits: Limits | undefined,
  path: Path,
  permits: readonly (KeyPermit | undefined)[],
  context: SettingsContext,
): void {
  if (limits === undefined) return;
  const here = [...path, 'limits'];
  const { models = {}, ...own } = limits;
  warnReserve(own, [own], here, context);
  const globs = permits.flatMap((permit) => (permit?.models === undefined ? [] : [permit.models]));
  const earlier: string[] = [];
  for (const [name, entry] of Object.entries(models)) {
    const at = [...here, 'models', name];
    warnReserve(entry, [own, entry], at, context);
    checkBudget(entry.budget, at, context);
    const why = unaskable(name, globs, earlier, context);
    if (why !== null) context.warnings.add(at, `has no effect: ${why}`, { at: 'key' });
    if (name.includes('*')) earlier.push(name);
  }
}

function warnReserve({ outputReserve }: ModelLimits, holding: readonly ModelLimits[], path: Path, { warnings }: SettingsContext): void {
  const tightest = Math.min(...holding.flatMap(({ tpm, tpd }) => [tpm ?? Number.POSITIVE_INFINITY, tpd ?? Number.POSITIVE_INFINITY]));
  if (outputReserve === undefined || outputReserve <= tightest) return;
  warnings.add(
    [...path, 'outputReserve'],
    `is more than the limit of ${tightest} tokens: all requests without max_tokens would be refused`,
  );
}

/** What was spent on names is known from the lines of the books only: their hourly sums are by the vendor's model. */
function checkBudget(budget: Budget | undefined, path: Path, { problems, retentionDays = Number.MAX_SAFE_INTEGER }: SettingsContext): void {
  if (budget === undefined || DAYS[budget.per] <= retentionDays) return;
  problems.add(
    [...path, 'budget', 'per'],
    `${budget.per} is longer than books.retentionDays, but what a model cost is read from the lines of the books: choose a shorter window or keep lines longer`,
  );
}

/** Why no request meets an entry, or null. A name without pattern must lead somewhere; what patterns may match is not known here. */
function unaskable(
  name: string,
  permits: readonly (readonly string[])[],
  earlier: readonly string[],
  { isModel = () => true }: SettingsContext,
): string | null {
  const isPattern = name.includes('*');
  if (!permits.every((globs) => globs.some((glob) => (isPattern ? globsOverlap(glob, name) : globMatches(glob, name))))) {
    return 'the permit does not include this name';
  }
  if (!isPattern) return isModel(name) ? null : 'no model and no backend of this file has that name';
  // A star of the later one is met by a star of the earlier one only: whatever it stands for, the earlier one matches too.
  const wider = earlier.find((glob) => globMatches(glob, name));
  return wider === undefined ? null : `${JSON.stringify(wider)} comes before it and matches all its names`;
}
