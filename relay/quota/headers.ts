import { goDuration } from './duration.ts';
import { capacity } from './limits.ts';
import type { Level, Refusal, Tightest } from './store.ts';

/** Shortest wait a client is told: the header counts whole seconds, and OpenAI's document wants at least one. */
const LEAST_RETRY_S = 1;

type LevelNames = Readonly<Record<'limit' | 'remaining' | 'reset', string>>;

const namesOf = (measure: keyof Tightest): LevelNames => ({
  limit: `x-ratelimit-limit-${measure}`,
  remaining: `x-ratelimit-remaining-${measure}`,
  reset: `x-ratelimit-reset-${measure}`,
});

const NAMES: Readonly<Record<keyof Tightest, LevelNames>> = { requests: namesOf('requests'), tokens: namesOf('tokens') };

/**
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` of the tightest limit of each measure, on success and on 429. A measure without a
 * limit has none; `reset` is the time until the bucket is full again, and is left out where a window never starts anew.
 */
export function rateLimitHeaders({ requests, tokens }: Tightest): Record<string, string> {
  const headers: Record<string, string> = {};
  if (requests !== null) addLevel(headers, NAMES.requests, requests);
  if (tokens !== null) addLevel(headers, NAMES.tokens, tokens);
  return headers;
}

/** The headers of a refusal: those of the limits, which limit it was, and when (or that never) to come again. */
export function refusalHeaders(refusal: Refusal): Record<string, string> {
  // The id was settled or released before it was reserved: its caller has had an answer, and asking again is another request.
  if (refusal.kind === 'closed') return { 'x-should-retry': 'false' };
  const headers = { ...rateLimitHeaders(refusal.tightest), 'x-estafet-limit': refusal.limit.name };
  const waiting = refusal.retryAfterMs === null ? {} : retryAfter(refusal.retryAfterMs);
  return refusal.kind === 'wait' ? { ...headers, ...waiting } : { ...headers, ...waiting, 'x-should-retry': 'false' };
}

export function retryAfter(ms: number): Record<'retry-after' | 'retry-after-ms', string> {
  return { 'retry-after': `${Math.max(LEAST_RETRY_S, Math.ceil(ms / 1000))}`, 'retry-after-ms': `${Math.ceil(ms)}` };
}

function addLevel(headers: Record<string, string>, names: LevelNames, { limit, remaining, resetMs }: Level): void {
  headers[names.limit] = `${capacity(limit)}`;
  // A debt is nobody's business but the next caller's wait.
  headers[names.remaining] = `${Math.max(0, remaining)}`;
  if (resetMs !== null) headers[names.reset] = goDuration(resetMs);
}
