import type { OpenAIError } from '../../openai/errors.ts';
import type { Settled } from '../records/record-of.ts';
import type { RelayServices } from '../relay.ts';
import type { Entering } from '../routing/backend-health.ts';
import { pause } from '../routing/pause.ts';
import { waitBeforeRetry } from '../routing/retry-policy.ts';
import type { Candidate } from '../routing/route-table.ts';
import type { Asking, Line } from './asking.ts';
import { type Answered, call } from './call.ts';
import type { Course } from './course.ts';

/** How often an answer that broke an emulated promise is asked for again, before anything has been sent. */
const UNMET_RETRIES = 1;
/** Other keys are not tried without end. */
const MOST_BESIDES = 10;

/** What asking one candidate came to. `over`: the deadline has passed · `gone`: the caller has left. */
export type Asked<R> =
  | Answered<R>
  /** The other of two calls was first. */
  | { readonly kind: 'outrun' }
  /** The failure of its last call; null when a breaker kept it from being called. */
  | { readonly kind: 'failed'; readonly failure: OpenAIError | null }
  | { readonly kind: 'over' | 'gone' };

/** @param last no other candidate is left: waits that are longer are worth it */
export async function askCandidate<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  course: Course<R>,
  candidate: Candidate,
  last: boolean,
): Promise<Asked<R>> {
  const { wheel, random, health } = services;
  const { backend } = candidate;
  const { line, endBy } = asking;
  const spent = course.spent(candidate);
  for (let how: Entering = 'first'; ; how = 'again') {
    const startedAt = wheel.now();
    if (startedAt >= endBy) return { kind: 'over' };
    const called = await call(services, asking, candidate, course.nextNumber(), startedAt, how);
    if (called.kind === 'answered') return called;
    if (called.kind === 'outrun') {
      if (called.attempt !== null) course.beside(candidate, called.attempt);
      return { kind: 'outrun' };
    }
    // Kept from being sent until the other had the answer: no part of the request, whose record may be closed.
    if (line.outrun === true && (called.kind === 'barred' || !called.sent)) return { kind: 'outrun' };
    if (called.kind === 'barred') {
      course.barred(called);
      return { kind: 'failed', failure: null };
    }
    course.failed(candidate, called);
    // In the moment in which it failed the caller has left, or the other has won: no further call, and no last word.
    if (isLeft(line)) return { kind: leftBy(line) };
    line.failed?.();
    const { failure } = called;
    if (called.full !== null) return { kind: 'failed', failure };
    const again = failure.kind === 'upstream_unmet' ? spent.besides < UNMET_RETRIES : health.hasOtherKey(candidate, failure);
    if (again && spent.besides < MOST_BESIDES) {
      spent.besides++;
      continue;
    }
    spent.tries++;
    const standing = { tries: spent.tries, retries: backend.retries, last, leftMs: endBy - wheel.now() };
    const waitMs = waitBeforeRetry(failure, standing, random);
    if (waitMs === null) return { kind: 'failed', failure };
    if (!(await pause(waitMs, wheel, line.onGone))) return { kind: leftBy(line) };
  }
}

/** Nobody waits any more. */
function isLeft({ onGone }: Line): boolean {
  let left = false;
  onGone(() => {
    left = true;
  });
  return left;
}

const leftBy = ({ outrun }: Line): 'outrun' | 'gone' => (outrun === true ? 'outrun' : 'gone');
