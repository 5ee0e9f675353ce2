import type { Team } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';

/** Where a request stands when an attempt at its candidate has failed. */
export interface Standing {
  /** Calls to this candidate so far, the failed one included. */
  readonly tries: number;
  /** How often it may be asked again, from the backend's configuration. */
  readonly retries: number;
  /** No other candidate is left. */
  readonly last: boolean;
  /** Until the deadline of the whole request. */
  readonly leftMs: number;
}

/** Longest wait for a backend while another candidate could be asked: not worth a caller's time. */
const MOST_BESIDE_OTHERS_MS = 250;
/** Longest wait for the last candidate: beyond it the caller does better to decide alone. */
const MOST_WAIT_MS = 5_000;
/** A broken connection says nothing about when it will be better: short, and doubled each time. */
const RECONNECT_MS = 100;
/** Where a vendor told no time. */
const UNTOLD_MS = 1_000;
/** What is added to a time that a vendor told, at most: many who were told the same must not come back together. */
const JITTER = 0.25;

/**
 * How long to wait before the same backend is asked again, in ms; null when that does not help: another candidate is asked, or the caller
 * told. Helps after a limit or an overload, for which vendors give a time, and after a connection that broke before any answer (the call
 * may have been worked on then, and be billed twice by the vendor; the caller is billed once).
 *
 * @param random from 0 to 1
 */
export function waitBeforeRetry(error: OpenAIError, { tries, retries, last, leftMs }: Standing, random: () => number): number | null {
  if (tries > retries) return null;
  const waitMs = Math.ceil(usefulWait(error, 2 ** (tries - 1), random));
  return waitMs <= (last ? MOST_WAIT_MS : MOST_BESIDE_OTHERS_MS) && waitMs < leftMs ? waitMs : null;
}

function usefulWait({ kind, details }: OpenAIError, factor: number, random: () => number): number {
  if (details.unanswered === true && kind !== 'upstream_timeout') return RECONNECT_MS * factor * random();
  const told = kind.startsWith('upstream_rate_limit_') || kind === 'upstream_overloaded';
  return told ? (details.retryAfterMs ?? UNTOLD_MS) * factor * (1 + JITTER * random()) : Number.POSITIVE_INFINITY;
}

/** The same question may be put to another backend: its failure says so, or the team wants moderation not to be the last word. */
export const mayFallBack = ({ kind, details }: OpenAIError, { moderationFallback }: Pick<Team, 'moderationFallback'>): boolean =>
  details.fallback === true || (moderationFallback === true && kind === 'content_filter');

/** The one after which waiting is shortest; one that no waiting helps comes last. */
export function soonest(refusals: readonly OpenAIError[]): OpenAIError | null {
  const wait = ({ details }: OpenAIError): number => details.retryAfterMs ?? Number.POSITIVE_INFINITY;
  return refusals.reduce<OpenAIError | null>((least, error) => (least === null || wait(error) < wait(least) ? error : least), null);
}
