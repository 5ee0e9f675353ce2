import type { Attempt, RequestRecord } from '../../relay/records/request-record.ts';
import type { MetricSet } from './metric-set.ts';

/**
 * Counts where a settled request could not go, and what was tried until it went somewhere. Labels are names of backends in the
 * configuration, rules and error names: the part of a place after its slash may be a caller's own words and is left away.
 */
export function countRouting(set: MetricSet, { decision, attempts }: Pick<RequestRecord, 'decision' | 'attempts'>): void {
  for (const { to, rule } of decision.skipped) set.leftOut.inc({ backend: to.slice(0, to.indexOf('/')), rule });
  for (const { backend, unsent, error } of attempts) if (unsent === true && error !== null) set.leftOut.inc({ backend, rule: 'breaker' });
  for (const [index, attempt] of attempts.entries()) {
    if (attempt.queuedMs !== undefined) {
      const outcome = index === attempts.length - 1 ? 'in vain' : 'room';
      set.queueSeconds.observe({ outcome }, Math.max(0, attempt.queuedMs) / 1000);
    }
    const before = attempts[index - 1];
    if (before !== undefined && isAgain(before, attempt)) set.retries.inc({ backend: attempt.backend, cause: before.error ?? 'none' });
  }
  const last = attempts.at(-1);
  const [first] = decision.order;
  if (last === undefined || last.error !== null || last.unsent === true || first === undefined || first.to === placeOf(last)) return;
  const cause = attempts.findLast((attempt) => placeOf(attempt) === first.to)?.error;
  set.fallbacks.inc({ backend: last.backend, cause: cause ?? 'none' });
}

/** Asked again where it had just failed; whoever has waited in a queue was not asked before. */
const isAgain = (before: Attempt, attempt: Attempt): boolean =>
  before.unsent !== true && before.queuedMs === undefined && attempt.unsent !== true && placeOf(before) === placeOf(attempt);

const placeOf = ({ backend, model }: Attempt): string => `${backend}/${model}`;
