import type { Settled } from '../records/record-of.ts';
import type { Attempt } from '../records/request-record.ts';
import type { RelayServices } from '../relay.ts';
import { mayFallBack } from '../routing/retry-policy.ts';
import type { Candidate } from '../routing/route-table.ts';
import type { Asking } from './asking.ts';
import { askCandidate } from './candidate.ts';
import { Course, type Round } from './course.ts';

/**
 * Candidate after candidate, each as often as helps, while the failure of one says that another may do better.
 * @param before attempts of the request so far: all of them were refusals of full backends
 */
export async function round<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  candidates: readonly Candidate[],
  before: readonly Attempt[],
): Promise<Round<R>> {
  const course = new Course<R>(before);
  for (const [index, candidate] of candidates.entries()) {
    const asked = await askCandidate(services, asking, course, candidate, index === candidates.length - 1);
    if (asked.kind === 'answered') return course.answered(candidate, asked);
    if (asked.kind !== 'failed') return course.ended(asked.kind === 'gone');
    if (asked.failure !== null && !mayFallBack(asked.failure, asking.exchange.caller.team)) break;
  }
  return course.ended(false);
}
