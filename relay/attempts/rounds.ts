import type { Settled } from '../records/record-of.ts';
import type { RelayServices } from '../relay.ts';
import type { Candidate } from '../routing/route-table.ts';
import { untilRoom } from '../routing/until-room.ts';
import type { Asking } from './asking.ts';
import type { Tried } from './course.ts';
import { round } from './round.ts';

/** All candidates; where none has room, again whenever one may have, as long as it may wait. Rejects only for a fault of our own. */
export async function rounds<R extends Settled>(
  services: RelayServices,
  asking: Omit<Asking<R>, 'waiting'>,
  candidates: readonly Candidate[],
): Promise<Tried<R>> {
  const { wheel, queues, inFlight } = services;
  const { exchange, endBy, hedge } = asking;
  if (hedge !== null) services.hedging.budget(hedge).earn();
  const first = await round(services, { ...asking, waiting: null }, candidates, []);
  const waiting = first.full.length === 0 ? null : queues.join(exchange.caller.team.name, first.full, endBy);
  if (waiting === null) return first;
  const startedAt = wheel.now();
  let latest = first;
  try {
    for (;;) {
      const woken = await untilRoom(waiting, exchange.onGone, inFlight);
      const queuedMs = Math.round(wheel.now() - startedAt);
      const refused = first.attempts.map((attempt, index) => (index === first.attempts.length - 1 ? { ...attempt, queuedMs } : attempt));
      if (woken.kind !== 'room') {
        return { ...latest, attempts: refused, error: woken.kind === 'cut' ? woken.error : latest.error, gone: woken.kind === 'gone' };
      }
      const isWoken = ({ backend }: Candidate): boolean => backend.name === woken.backend;
      const order = [...candidates.filter(isWoken), ...candidates.filter((candidate) => !isWoken(candidate))];
      latest = await round(services, { ...asking, waiting }, order, refused);
      if (latest.full.length === 0) return latest;
      waiting.refused(latest.full.find(({ backend }) => backend.name === woken.backend)?.error ?? null);
    }
  } finally {
    waiting.leave();
  }
}
