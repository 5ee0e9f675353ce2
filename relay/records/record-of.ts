import type { FinishReason, Usage } from '../../openai/chat/events.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import type { Receipt } from '../../translators/receipt.ts';
import type { Said } from '../chat/transcript.ts';
import type { Exchange } from '../exchange.ts';
import type { Cost } from '../ledger/cost.ts';
import type { HeldBy } from '../quota/guarded-quota.ts';
import type { Decision } from '../routing/decision.ts';
import { CONNECT_TIMEOUT } from '../upstream/connection-error.ts';
import {
  type Attempt,
  type Estimate,
  HEDGED,
  type Hedge,
  MAX_LISTED,
  type Reason,
  type RequestRecord,
  receiptRecord,
  usageRecord,
} from './request-record.ts';

/** What is known of an attempt that got an answer, or part of one, to the caller. */
export interface Settled {
  /** The error a stream was ended with; null when the answer was complete. */
  readonly error: OpenAIError | null;
  readonly usage: Usage;
  /** What was really asked of the vendor: parallel calls pay the prompt each time. */
  readonly paid: readonly Usage[];
  /** Clock of the wheel when the first bytes left; null when none did. */
  readonly firstByteAtMs: number | null;
  readonly gone: boolean;
  /** Gone, and the answer was read to its end all the same. */
  readonly drained?: boolean;
  /** Of the choices that ended; absent where answers have none. */
  readonly finishReasons?: readonly FinishReason[];
  /** Of a stream: chunks that were written, `[DONE]` not counted. */
  readonly chunks?: number;
  /** Only for a team whose prompts are logged, and of answers that have text. It goes into no record. */
  readonly said?: Said;
}

/** How a request ended. */
export interface Ending {
  readonly decision: Decision;
  readonly attempts: readonly Attempt[];
  readonly hedge: Hedge | null;
  /** Of the last attempt that was sent, else of what could not be; null when there was neither. */
  readonly receipt: Receipt | null;
  /** Null when nothing was answered. */
  readonly result: Settled | null;
  readonly error: OpenAIError | null;
  /** The caller had left by then. */
  readonly gone: boolean;
  /** What the limits had reserved. */
  readonly estimate: Estimate | null;
  readonly heldBy: HeldBy | null;
  readonly cost: Cost | null;
  /** From the first byte of the answer to now, in ms. */
  readonly sinceFirstByteMs: number | null;
}

/** The record of a settled request. */
export function recordOf(
  { request, caller, requestId, arrivedAtMs }: Exchange,
  surface: { readonly name: string; readonly stream: boolean },
  ending: Ending,
  nowMs: number,
): RequestRecord {
  const { decision, attempts, hedge, receipt, result, error, estimate, heldBy, cost, sinceFirstByteMs } = ending;
  const refusedBy = error?.details.limit;
  const totalMs = nowMs - arrivedAtMs;
  return {
    id: requestId,
    object: 'estafet.request',
    at: new Date(arrivedAtMs).toISOString(),
    surface: surface.name,
    key: caller.key.name,
    team: caller.team.name,
    model: request.model,
    stream: surface.stream,
    // A stream that failed after it had begun was a 200 all the same.
    status: result === null && error !== null ? error.status : 200,
    reason: reasonOf(ending),
    error: error === null ? null : { code: error.code ?? error.kind, message: error.message },
    decision,
    attempts,
    ...(hedge === null ? {} : { hedge }),
    receipt: receipt === null ? null : receiptRecord(request, receipt),
    usage: result === null || result.paid.length === 0 ? null : usageRecord(result.usage, result.paid),
    estimate,
    ...(refusedBy === undefined ? {} : { refusedBy }),
    ...(heldBy === null ? {} : { heldBy }),
    ...(result?.finishReasons === undefined ? {} : { finishReasons: result.finishReasons.slice(0, MAX_LISTED) }),
    ...(result?.chunks === undefined ? {} : { chunks: result.chunks }),
    cost,
    firstByteMs: sinceFirstByteMs === null ? null : Math.max(0, Math.round(totalMs - sinceFirstByteMs)),
    totalMs,
  };
}

function reasonOf({ error, gone }: Ending): Reason {
  if (gone) return 'client_gone';
  if (error === null) return 'done';
  // No vendor's fault, though a 503: the store of the limits is gone, or took all the time.
  if (error.kind === 'quota_unavailable' || error.kind === 'overloaded') return 'refused';
  return error.status < 500 && error.details.upstreamCode === undefined ? 'refused' : 'vendor_error';
}

/** The caller had left before anything was asked of the vendor, or while every call waited for a connection: nothing was used, and nothing is to be counted. */
export const isUnsent = ({ gone, error, paid }: Pick<Settled, 'gone' | 'error' | 'paid'>): boolean =>
  gone && error === null && paid.length === 0;

/** A call was made, or a connection for it tried. */
export const wasTried = ({ error, upstreamCode, discarded, unsent }: Attempt): boolean =>
  unsent !== true &&
  (error === null || error === HEDGED || upstreamCode !== null || discarded !== undefined || error.startsWith('upstream_'));

/** Was any backend reached? A request that reached none costs nothing and counts nowhere. */
export function reachedBackend(attempts: readonly Attempt[]): boolean {
  return attempts.some((attempt) => {
    const { error, upstreamCode, discarded } = attempt;
    return wasTried(attempt) && (error === null || error === HEDGED || discarded !== undefined || mayHaveReached(error, upstreamCode));
  });
}

/**
 * The vendor saw a call that ended so, or may have: all that is known never to have left is a connection that could not be made, and faults
 * of ours.
 * @param error its name in the catalogue
 */
export function mayHaveReached(error: string, upstreamCode: string | null = null): boolean {
  if (error === 'upstream_unreachable' || upstreamCode === CONNECT_TIMEOUT) return false;
  return error.startsWith('upstream_') || upstreamCode !== null;
}
