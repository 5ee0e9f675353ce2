import type { Settled } from '../records/record-of.ts';
import type { RelayServices } from '../relay.ts';
import { type Candidate, placeName } from '../routing/route-table.ts';
import type { Asking } from './asking.ts';
import { askCandidate } from './candidate.ts';
import type { Course, Round } from './course.ts';
import { askHedged, goesOn, type Hedged } from './hedge.ts';

/**
 * Candidate after candidate, each as often as helps, while the failure of one says that another may do better. Once in a request, where the
 * name is hedged and a candidate is slow, two at a time.
 * @param course of the request so far
 */
export async function round<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  course: Course<R>,
  candidates: readonly Candidate[],
): Promise<Round<R>> {
  course.begin();
  let left = candidates;
  for (let candidate = left[0]; candidate !== undefined; candidate = left[0]) {
    left = left.slice(1);
    const { asked, by, beside } = await ask(services, asking, course, candidate, left);
    if (asked.kind === 'answered') return course.answered(by, asked);
    if (asked.kind !== 'failed') return course.ended(true, asked.kind === 'gone');
    if (!goesOn(asked, asking)) return course.ended(true);
    if (beside !== null) left = left.filter((other) => other !== beside);
  }
  return course.ended(false);
}

async function ask<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  course: Course<R>,
  candidate: Candidate,
  left: readonly Candidate[],
): Promise<Hedged<R>> {
  const { hedge, surface, strategy } = asking;
  const last = left.length === 0;
  if (hedge !== null && course.hedge === null && !last) {
    const afterMs = services.hedging.afterMs(hedge, placeName(candidate), surface.stream);
    // A higher tier is for when all of a lower one fail: being slow is not failing.
    const others = strategy === 'order' ? left : left.filter(({ tier }) => tier === candidate.tier);
    if (afterMs !== null && others.length > 0) return askHedged(services, asking, course, candidate, others, last, afterMs);
  }
  return { asked: await askCandidate(services, asking, course, candidate, last), by: candidate, beside: null };
}
