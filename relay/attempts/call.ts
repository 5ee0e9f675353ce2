import type { Usage } from '../../openai/chat/events.ts';
import { asOpenAIError, OpenAIError } from '../../openai/errors.ts';
import { Receipt } from '../../translators/receipt.ts';
import { attemptId } from '../exchange.ts';
import { type Cost, costOf } from '../ledger/cost.ts';
import { attemptOf, discardedOf } from '../records/attempt-of.ts';
import { isUnsent, type Settled } from '../records/record-of.ts';
import { type Attempt, HEDGED } from '../records/request-record.ts';
import type { RelayServices } from '../relay.ts';
import type { Entering } from '../routing/backend-health.ts';
import type { Full } from '../routing/backend-queues.ts';
import { waitOf } from '../routing/latencies.ts';
import { type Candidate, type Place, placeName } from '../routing/route-table.ts';
import { ofCallersModel } from '../routing/unknown-model.ts';
import type { Terms, Told } from '../surface.ts';
import type { Asking } from './asking.ts';
import { tooLate } from './too-late.ts';

/** Something has been sent to the caller, or the whole answer is there; or the caller has left. */
export interface Answered<R> {
  readonly kind: 'answered';
  readonly result: R;
  readonly attempt: Attempt;
  readonly receipt: Receipt;
}

/** Cancelled, since the other of two calls was first. */
export interface Outrun {
  readonly kind: 'outrun';
  /** Null: nothing was sent. */
  readonly attempt: Attempt | null;
}

/** Nothing has been sent to the caller. */
export interface Failed {
  readonly kind: 'failed';
  readonly failure: OpenAIError;
  readonly attempt: Attempt;
  readonly receipt: Receipt;
  /** It got as far as the vendor, or on its way there. */
  readonly sent: boolean;
  /** The backend's own limits left no room, and nothing was sent to it; null otherwise. */
  readonly full: Full | null;
}

/** A breaker stands in the way: nothing was sent. */
export interface Barred {
  readonly kind: 'barred';
  readonly failure: OpenAIError;
  readonly attempt: Attempt;
}

/**
 * One call to one candidate, if its breakers and its limits let it through; all who learn from it are told how it ended.
 *
 * @param number of attempts made before
 * @param startedAt now
 */
export async function call<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  candidate: Candidate,
  number: number,
  startedAt: number,
  how: Entering,
): Promise<Answered<R> | Outrun | Failed | Barred> {
  const { wheel, health, latencies, hedging, queues } = services;
  const { exchange, line, surface, endBy, hedge } = asking;
  const { backend } = candidate;
  const entered = health.enter(candidate, how);
  // A promise only where it would be the one probe of several processes.
  const pass = entered instanceof Promise ? await entered : entered;
  if (pass instanceof OpenAIError) {
    return { kind: 'barred', failure: pass, attempt: { ...attemptOf(candidate, pass, 0, {}), number, unsent: true } };
  }
  const told: Told = { usages: [], signals: {} };
  const receipt = new Receipt(exchange.caller.key.strict);
  const startMs = Date.now() - exchange.arrivedAtMs;
  const traceparent = backend.traceparent ? (exchange.trace?.parentOf(number) ?? null) : null;
  const began = (): void => {
    line.won?.();
    pass.began();
  };
  const terms = { key: pass.key, traceparent, began, onGone: line.onGone };
  const rooms = queues.rooms(backend.name);
  const place = placeName(candidate);
  const running = latencies.begin(place, surface.stream);
  const sent = await send(services, asking, candidate, receipt, number, told, terms);
  const attemptWith = (error: Parameters<typeof attemptOf>[1]): Attempt => ({
    ...attemptOf(candidate, error, wheel.now() - startedAt, told.signals),
    startMs,
    number,
  });
  if ('result' in sent) {
    const { result } = sent;
    const now = wheel.now();
    if (line.outrun === true) {
      pass.unused();
      running.outrun(now - startedAt);
      if (isUnsent(result)) return { kind: 'outrun', attempt: null };
      if (hedge !== null) hedging.outrun(place, surface.stream, now - startedAt);
      return { kind: 'outrun', attempt: { ...attemptWith(HEDGED), ...discarded(services, candidate, result.paid) } };
    }
    const waitMs = waitOf(result, now, startedAt);
    running.ended(waitMs);
    if (hedge !== null && waitMs !== null) hedging.answered(place, surface.stream, waitMs);
    if (result.error !== null) pass.failed(result.error);
    else if (result.gone && result.drained !== true) pass.unused();
    else pass.answered();
    const attempt = attemptWith(result.error);
    return { kind: 'answered', result, attempt: isUnsent(result) ? { ...attempt, unsent: true } : attempt, receipt };
  }
  const { failure } = sent;
  running.ended(null, failure.kind.startsWith('upstream_'));
  // It is not the backend's failure that all its connections were taken, or that the deadline cut patience short; it cuts no answer short that has begun.
  const { unsent: untaken, unanswered } = failure.details;
  // The time was over before any call of it had a connection.
  const unsent = untaken === true && told.sent === 0;
  if (failure.kind === 'upstream_timeout' && (untaken === true || (unanswered === true && wheel.now() >= endBy))) pass.unused();
  else pass.failed(failure);
  const full = failure.kind.startsWith('backend_limit_') ? { backend, error: failure, rooms } : null;
  return {
    kind: 'failed',
    failure,
    attempt: { ...attemptWith(failure), ...(unsent ? { unsent } : {}), ...discarded(services, candidate, told.usages) },
    receipt,
    sent: sent.sent && !unsent,
    full,
  };
}

/** One step more for a backend with limits of its own; none for others. */
async function send<R extends Settled>(
  { backends, queues, wheel }: RelayServices,
  { exchange: { requestId, request }, line, surface, endBy, waiting }: Asking<R>,
  candidate: Candidate,
  receipt: Receipt,
  number: number,
  told: Told,
  terms: Omit<Terms, 'withinMs'>,
): Promise<{ readonly result: R } | Pick<Failed, 'failure' | 'sent'>> {
  const { backend, model } = candidate;
  let sent = false;
  try {
    // Who has waited longer goes first.
    const standing = queues.standing(backend, waiting);
    if (standing !== null) return { failure: standing, sent };
    const prepared = surface.prepare(candidate, receipt, number);
    const { calls, atOnce, prompts } = prepared;
    const sending = (): Promise<R> => {
      const withinMs = endBy - wheel.now();
      if (withinMs <= 0) throw tooLate();
      sent = true;
      waiting?.leave();
      line.onChosen(backend.name, receipt.header());
      return prepared.send(told, { ...terms, withinMs });
    };
    const expected = () => {
      const { prompt, completion } = surface.expected(null, { vendor: backend.vendor, model });
      return { prompt: prompt * prompts, completion };
    };
    const asked = {
      id: attemptId(requestId, number),
      backend,
      model: request.model,
      calls,
      atOnce,
      expected,
      outrun: () => line.outrun === true,
      sent: () => told.sent ?? 0,
    };
    return { result: await backends.within(backends.limitsOf(backend), asked, told.usages, sending) };
  } catch (thrown) {
    return { failure: ofCallersModel(asOpenAIError(thrown), candidate, request.model), sent };
  }
}

const discarded = (services: RelayServices, place: Place, paid: readonly Usage[]): Pick<Attempt, 'discarded'> =>
  discardedOf(paid, (usages) => priced(services, place, usages));

/** What the vendor will bill; null where no price is known. */
export function priced({ priceOf }: Pick<RelayServices, 'priceOf'>, { backend, model }: Place, paid: readonly Usage[]): Cost | null {
  const price = priceOf(backend, model);
  return price === null ? null : costOf(price, paid);
}
