import type { Settled } from '../records/record-of.ts';
import type { RelayServices } from '../relay.ts';
import type { Candidate } from '../routing/route-table.ts';
import { untilRoom } from '../routing/until-room.ts';
import type { Waiting } from '../routing/waiting.ts';
import type { Asking } from './asking.ts';
import { Course, type Round, type Tried } from './course.ts';
import { round } from './round.ts';

/**
 * All candidates; where nobody has answered and some had no room, those again whenever there may be some, as long as it may wait. Rejects
 * only for a fault of our own.
 */
export async function rounds<R extends Settled>(
  services: RelayServices,
  asking: Omit<Asking<R>, 'waiting'>,
  candidates: readonly Candidate[],
): Promise<Tried<R>> {
  const { exchange, endBy, hedge } = asking;
  if (hedge !== null) services.hedging.budget(hedge).earn();
  const course = new Course<R>();
  let latest = await round(services, { ...asking, waiting: null }, course, candidates);
  for (;;) {
    const waiting = latest.full.length === 0 ? null : services.queues.join(exchange.caller.team.name, latest.full, endBy);
    if (waiting === null) return latest;
    latest = await queued(services, { ...asking, waiting }, course, candidates);
  }
}

/**
 * Waits, and asks whenever there may be room, until a call has been made or the wait is over. A call that fails has cost it its place:
 * whoever is still to be waited for then, is waited for anew.
 */
async function queued<R extends Settled>(
  services: RelayServices,
  asking: Asking<R> & { readonly waiting: Waiting },
  course: Course<R>,
  candidates: readonly Candidate[],
): Promise<Round<R>> {
  const { wheel, inFlight } = services;
  const { exchange, waiting } = asking;
  const startedAt = wheel.now();
  try {
    for (;;) {
      const woken = await untilRoom(waiting, exchange.onGone, inFlight);
      course.waited(Math.round(wheel.now() - startedAt));
      if (woken.kind !== 'room') return course.gaveUp(woken.kind === 'cut' ? woken.error : null, woken.kind === 'gone');
      const left = candidates.filter((candidate) => course.mayAnswer(candidate));
      const isWoken = ({ backend }: Candidate): boolean => backend.name === woken.backend;
      const order = [...left.filter(isWoken), ...left.filter((candidate) => !isWoken(candidate))];
      const latest = await round(services, asking, course, order);
      if (!latest.idle || latest.full.length === 0) return latest;
      course.forget();
      waiting.refused(latest.full.find(({ backend }) => backend.name === woken.backend)?.error ?? null);
    }
  } finally {
    waiting.leave();
  }
}
