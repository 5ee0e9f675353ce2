import type { Usage } from '../../openai/chat/events.ts';
import { asOpenAIError, OpenAIError } from '../../openai/errors.ts';
import { Receipt } from '../../translators/receipt.ts';
import { attemptId } from '../exchange.ts';
import { type Cost, costOf } from '../ledger/cost.ts';
import { attemptOf, discardedOf } from '../records/attempt-of.ts';
import type { Settled } from '../records/record-of.ts';
import type { Attempt } from '../records/request-record.ts';
import type { RelayServices } from '../relay.ts';
import type { Full } from '../routing/backend-queues.ts';
import { waitOf } from '../routing/latencies.ts';
import { type Candidate, type Place, placeName } from '../routing/route-table.ts';
import type { Terms, Told } from '../surface.ts';
import type { Asking } from './asking.ts';

/** Something has been sent to the caller, or the whole answer is there; or the caller has left. */
export interface Answered<R> {
  readonly kind: 'answered';
  readonly result: R;
  readonly attempt: Attempt;
  readonly receipt: Receipt;
}

/** Nothing has been sent to the caller. */
export interface Failed {
  readonly kind: 'failed';
  readonly failure: OpenAIError;
  readonly attempt: Attempt;
  readonly receipt: Receipt;
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
 * @param again it has been asked before, and has waited as long as its failure said
 */
export async function call<R extends Settled>(
  services: RelayServices,
  asking: Asking<R>,
  candidate: Candidate,
  number: number,
  startedAt: number,
  again: boolean,
): Promise<Answered<R> | Failed | Barred> {
  const { wheel, health, latencies, queues } = services;
  const { exchange, surface, endBy } = asking;
  const { backend } = candidate;
  const entered = health.enter(candidate, again);
  // A promise only where it would be the one probe of several processes.
  const pass = entered instanceof Promise ? await entered : entered;
  if (pass instanceof OpenAIError) {
    return { kind: 'barred', failure: pass, attempt: { ...attemptOf(candidate, pass, 0, {}), skipped: true } };
  }
  const told: Told = { usages: [], signals: {} };
  const receipt = new Receipt(exchange.caller.key.strict);
  const startMs = Date.now() - exchange.arrivedAtMs;
  const traceparent = backend.traceparent ? (exchange.trace?.parentOf(number) ?? null) : null;
  const terms: Terms = { key: pass.key, withinMs: endBy - startedAt, traceparent, began: () => pass.began() };
  const rooms = queues.rooms(backend.name);
  const running = latencies.begin(placeName(candidate), surface.stream);
  const sent = await send(services, asking, candidate, receipt, number, told, terms);
  const attemptWith = (error: OpenAIError | null): Attempt => ({
    ...attemptOf(candidate, error, wheel.now() - startedAt, told.signals),
    startMs,
  });
  if ('result' in sent) {
    const { result } = sent;
    running.ended(waitOf(result, wheel.now(), startedAt));
    if (result.error !== null) pass.failed(result.error);
    else if (result.gone) pass.unused();
    else pass.answered();
    return { kind: 'answered', result, attempt: attemptWith(result.error), receipt };
  }
  const { failure } = sent;
  running.ended(null, failure.kind.startsWith('upstream_'));
  // Patience that the deadline cut short is not the backend's failure.
  if (failure.kind === 'upstream_timeout' && terms.withinMs < backend.timeouts.firstByteMs) pass.unused();
  else pass.failed(failure);
  const discarded = discardedOf(told.usages, (usages) => priced(services, candidate, usages));
  const full = failure.kind.startsWith('backend_limit_') ? { backend, error: failure, rooms } : null;
  return { kind: 'failed', failure, attempt: { ...attemptWith(failure), ...discarded }, receipt, full };
}

/** One step more for a backend with limits of its own; none for others. */
async function send<R extends Settled>(
  { backends, queues }: RelayServices,
  { exchange: { requestId, request }, surface, waiting }: Asking<R>,
  candidate: Candidate,
  receipt: Receipt,
  number: number,
  told: Told,
  terms: Terms,
): Promise<{ readonly result: R } | { readonly failure: OpenAIError }> {
  const { backend, model } = candidate;
  try {
    // Who has waited longer goes first.
    const standing = queues.standing(backend, waiting);
    if (standing !== null) return { failure: standing };
    const prepared = surface.prepare(candidate, receipt, number);
    const { calls, atOnce, prompts } = prepared;
    const sending = (): Promise<R> => {
      waiting?.leave();
      return prepared.send(told, terms);
    };
    const expected = () => {
      const { prompt, completion } = surface.expected(null, { vendor: backend.vendor, model });
      return { prompt: prompt * prompts, completion };
    };
    const asked = { id: attemptId(requestId, number), backend, model: request.model, calls, atOnce, expected };
    return { result: await backends.within(backends.limitsOf(backend), asked, told.usages, sending) };
  } catch (thrown) {
    return { failure: asOpenAIError(thrown) };
  }
}

/** What the vendor will bill; null where no price is known. */
export function priced({ priceOf }: Pick<RelayServices, 'priceOf'>, { backend, model }: Place, paid: readonly Usage[]): Cost | null {
  const price = priceOf(backend, model);
  return price === null ? null : costOf(price, paid);
}
