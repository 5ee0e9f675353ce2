import type { Backend } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';

/** Who waits, and where. */
interface Waiter {
  readonly places: ReadonlyMap<string, number>;
}

/** A queue before a full backend, as a newcomer finds it. */
interface Standing {
  /** In the order of their turns; within a team first come, first served. */
  readonly teams: ReadonlyMap<string, readonly Waiter[]>;
  /** The newest refusal of the backend's limits, and when it came. */
  readonly refusal: OpenAIError;
  readonly refusedAt: number;
}

/** Other calls hold all that the backend takes at a time. */
export const isOfSlots = ({ details }: OpenAIError): boolean => details.limit === 'backend.concurrency';

/**
 * There may be room after this refusal within so long: calls that end give slots and tokens back; requests per minute and day only come back
 * with time.
 */
export function helps(error: OpenAIError, leftMs: number): boolean {
  const { retryAfterMs } = error.details;
  if (error.retry === false || retryAfterMs === undefined) return false;
  return isOfSlots(error) || error.kind === 'backend_limit_tokens' || retryAfterMs <= leftMs;
}

/** How much later than the refusal says a newcomer of the team is served, at the soonest: others are before it. */
export function aheadMs(queue: Standing, team: string, backend: Backend, error: OpenAIError, now: number): number {
  const sinceRefusedMs = error === queue.refusal ? now - queue.refusedAt : 0;
  return turnsBefore(queue, team) * intervalOf(backend, error) - sinceRefusedMs;
}

/** How many requests. Whoever waits elsewhere, too, may be served there. */
function turnsBefore({ teams }: Pick<Standing, 'teams'>, team: string): number {
  const lengthOf = (line: readonly Waiter[]): number => line.filter(({ places }) => places.size === 1).length;
  const own = lengthOf(teams.get(team) ?? []);
  let turns = own;
  let isAhead = true;
  for (const [name, line] of teams) {
    if (name === team) isAhead = false;
    else turns += Math.min(lengthOf(line), isAhead ? own + 1 : own);
  }
  return turns;
}

/** From one request to the next, where a limit on requests is full; 0: not known. */
function intervalOf({ rpm, rpd }: Backend, { details: { limit } }: OpenAIError): number {
  if (limit === 'backend.rpm' && rpm !== undefined) return 60_000 / rpm;
  return limit === 'backend.rpd' && rpd !== undefined ? 86_400_000 / rpd : 0;
}
