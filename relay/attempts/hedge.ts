import { isUnsent, type Settled } from '../records/record-of.ts';
import type { Attempt } from '../records/request-record.ts';
import type { RelayServices } from '../relay.ts';
import { mayFallBack } from '../routing/retry-policy.ts';
import type { Candidate } from '../routing/route-table.ts';
import type { Asking } from './asking.ts';
import { type Answered, call, type Failed, type Outrun } from './call.ts';
import { type Asked, askCandidate } from './candidate.ts';
import type { Course } from './course.ts';
import { Race } from './race.ts';

/** What came of a candidate and, if it was slow, of the one beside it. */
export interface Hedged<R> {
  /** As if one had been asked after the other. */
  readonly asked: Asked<R>;
  /** Whose it is. */
  readonly by: Candidate;
  /** Who was called beside it, and is not to be asked again; null: nobody. */
  readonly beside: Candidate | null;
}

/**
 * Asks a candidate, and while it is silent for longer than usual another one beside it. Which of two failures counts, and whether it is the
 * last word, is as if the second had been asked after the first: a hedge changes who may answer, never what a failure means.
 *
 * @param others who may be called beside it, best first
 * @param last no other candidate is left
 */
export async function askHedged<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  course: Course<R>,
  candidate: Candidate,
  others: readonly Candidate[],
  last: boolean,
  afterMs: number,
): Promise<Hedged<R>> {
  const { exchange } = asking;
  const race = new Race(exchange, services.wheel, afterMs);
  const isLastWord = (asked: Asked<R>): boolean =>
    asked.kind === 'answered' || asked.kind === 'gone' || (asked.kind === 'failed' && !goesOn(asked, asking));
  const stop = (fault: unknown): never => {
    race.stop();
    throw fault;
  };
  const first = askCandidate(services, { ...asking, line: race.first }, course, candidate, last).then((asked) => {
    race.ended(isLastWord(asked));
    return asked;
  });
  const second = callBeside(services, { ...asking, line: race.second, waiting: null }, course, others, race);
  const [ended, beside] = await Promise.all([
    Promise.race([first.catch(stop), race.first.inVain]),
    Promise.race([second.catch(stop), race.second.inVain]),
  ]);
  const asked = ended ?? OUTRUN;
  if (beside === null) return { asked, by: candidate, beside };
  const { called } = beside;
  const counts = isLastWord(asked);
  if (called.kind !== 'answered') course.beside(beside.candidate, called.attempt, counts && asked.kind !== 'answered');
  if (counts || called.kind === 'outrun') return { asked, by: candidate, beside: beside.candidate };
  if (called.kind === 'failed') {
    course.lastFailure(called);
    race.nameSecond();
  }
  return { asked: called, by: beside.candidate, beside: beside.candidate };
}

const OUTRUN = { kind: 'outrun' } as const;

/** Another candidate may be asked after this failure; after a breaker's in any case. */
export const goesOn = ({ failure }: Extract<Asked<never>, { kind: 'failed' }>, { exchange }: Pick<Asking<Settled>, 'exchange'>): boolean =>
  failure === null || mayFallBack(failure, exchange.caller.team);

/** A call that was sent. */
interface Beside<R> {
  readonly candidate: Candidate;
  readonly called: Answered<R> | Failed | (Outrun & { readonly attempt: Attempt });
}

/** One call, at the first of them that is well and has room: it probes no breaker, takes no place in a queue, and is not made again. */
async function callBeside<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  course: Course<R>,
  others: readonly Candidate[],
  race: Race,
): Promise<Beside<R> | null> {
  const { wheel, hedging } = services;
  if (asking.hedge === null || !(await race.slow)) return null;
  const budget = hedging.budget(asking.hedge);
  if (!budget.take()) {
    course.hedge = 'over-budget';
    return null;
  }
  for (const candidate of others) {
    const startedAt = wheel.now();
    if (race.second.outrun || startedAt >= asking.endBy) break;
    const called = await call(services, asking, candidate, course.nextNumber(), startedAt, 'beside');
    if (called.kind === 'barred' || (called.kind === 'failed' && !called.sent)) continue;
    if (called.attempt === null) break;
    // Its caller has left before it was sent.
    if (called.kind === 'answered' && isUnsent(called.result)) {
      budget.giveBack();
      return { candidate, called };
    }
    const attempt: Attempt = { ...called.attempt, hedge: true };
    course.hedge = called.kind === 'failed' ? 'failed' : called.kind === 'outrun' || called.result.gone ? 'lost' : 'won';
    return { candidate, called: { ...called, attempt } };
  }
  budget.giveBack();
  if (!race.second.outrun) course.hedge = 'no-room';
  return null;
}
