import { OpenAIError } from '../../openai/errors.ts';
import { goDuration } from './duration.ts';
import { rateLimitHeaders } from './headers.ts';
import { capacity, type Limit } from './limits.ts';
import type { Refusal } from './store.ts';

/** The last word of a limit's name → OpenAI's words for it. */
const WORDS: Readonly<Record<string, string>> = {
  rpm: 'requests per min (RPM)',
  rpd: 'requests per day (RPD)',
  tpm: 'tokens per min (TPM)',
  tpd: 'tokens per day (TPD)',
  concurrency: 'concurrent requests',
};

/** What a caller without a free slot is told to wait. */
const SLOT_WAIT_MS = 1000;
/** At least; a store that is back in less is rare. */
const UNAVAILABLE_WAIT_MS = 1000;
/** A longer wait is not for a client's retries: SDKs would wait minutes, or take a long `retry-after` for none and come back at once. */
const LONGEST_RETRY_MS = 60_000;

/**
 * A refusal as OpenAI would tell it: rates and slots say when to come again, a spent budget and a demand larger than the whole limit say not
 * to (the SDKs then make one attempt).
 */
export function refusalError(refusal: Refusal, model: string, asked: (limit: Limit) => number): OpenAIError {
  if (refusal.kind === 'closed') return quotaUnavailable(undefined);
  const { limit, tightest, retryAfterMs } = refusal;
  const details = { limit: limit.name, headers: rateLimitHeaders(tightest) };
  const words = WORDS[limit.name.split('.').at(-1) as string] ?? limit.name;
  const kind = limit.measure === 'tokens' ? 'rate_limit_tokens' : 'rate_limit_requests';
  const most = capacity(limit);
  const requested = asked(limit);
  if (refusal.kind === 'spent') {
    return new OpenAIError(
      'insufficient_quota',
      'You exceeded your current quota: the budget of this key or its team is spent. Ask the administrator of this relay.',
      {
        ...details,
        retryAfterMs: retryAfterMs ?? undefined,
      },
    );
  }
  if (refusal.kind === 'too_large') {
    if (limit.law.kind === 'window') {
      return new OpenAIError('insufficient_quota', 'The request may cost more than the whole budget of this key or its team.', details);
    }
    return new OpenAIError(
      kind,
      `Request too large for ${model} on ${words}: Limit ${most}, Requested ${requested}. The input or output tokens must be reduced in order to run successfully.`,
      { ...details, retry: false },
    );
  }
  // Only leases bound when a running answer ends, and by a minute: a second is when asking again is worth it.
  const waitMs = limit.law.kind === 'slots' ? Math.min(SLOT_WAIT_MS, refusal.retryAfterMs) : refusal.retryAfterMs;
  const level = limit.measure === 'tokens' ? tightest.tokens : tightest.requests;
  // Of a limit that is not the tightest, only its size is known here.
  const used = limit.measure === 'concurrency' ? most : level?.limit === limit ? most - level.remaining : null;
  return new OpenAIError(
    kind,
    `Rate limit reached for ${model} on ${words}: Limit ${most}, ${used === null ? '' : `Used ${used}, `}Requested ${requested}. Please try again in ${goDuration(waitMs)}.`,
    { ...details, retryAfterMs: waitMs, ...(waitMs > LONGEST_RETRY_MS ? { retry: false } : {}) },
  );
}

/**
 * A backend's own limits refuse: another backend may be asked. Whoever asked learns which kind of limit it was and when to come again;
 * whose account it is and how much that holds are the admin's business.
 */
export function backendRefusal(refusal: Refusal, model: string): OpenAIError {
  if (refusal.kind === 'closed') return backendsUnavailable(undefined);
  const { limit, retryAfterMs } = refusal;
  const kind = limit.measure === 'tokens' ? 'backend_limit_tokens' : 'backend_limit_requests';
  const words = WORDS[limit.name.split('.').at(-1) as string] ?? limit.name;
  const details = { limit: limit.name, fallback: true };
  if (retryAfterMs === null) {
    const message = `Request too large for ${model} on ${words} of its backends. The input or output tokens, or \`n\`, must be reduced in order to run successfully.`;
    return new OpenAIError(kind, message, { ...details, retry: false });
  }
  const waitMs = limit.law.kind === 'slots' ? Math.min(SLOT_WAIT_MS, retryAfterMs) : retryAfterMs;
  return new OpenAIError(
    kind,
    `The backends of ${model} have reached their limit on ${words}. Please try again in ${goDuration(waitMs)}.`,
    { ...details, retryAfterMs: waitMs, ...(waitMs > LONGEST_RETRY_MS ? { retry: false } : {}) },
  );
}

/** As many calls run as the vendor was found to bear. */
export const learnedRefusal = (model: string): OpenAIError =>
  new OpenAIError(
    'backend_limit_requests',
    `The backends of ${model} have reached their limit on ${WORDS['concurrency']}. Please try again in ${goDuration(SLOT_WAIT_MS)}.`,
    { limit: 'backend.concurrency', fallback: true, retryAfterMs: SLOT_WAIT_MS },
  );

/** The limits of a backend cannot be checked: it is not asked, another may be. */
export const backendsUnavailable = (cause: unknown, retryAfterMs: number = UNAVAILABLE_WAIT_MS): OpenAIError =>
  new OpenAIError('quota_unavailable', 'The limits of the backends cannot be checked at the moment. Please try again.', {
    cause,
    retryAfterMs: Math.max(UNAVAILABLE_WAIT_MS, retryAfterMs),
    fallback: true,
  });

/** The limits cannot be checked: nothing is admitted. */
export const quotaUnavailable = (cause: unknown, retryAfterMs: number = UNAVAILABLE_WAIT_MS): OpenAIError =>
  new OpenAIError('quota_unavailable', 'The limits of this key cannot be checked at the moment. Please try again.', {
    cause,
    retryAfterMs: Math.max(UNAVAILABLE_WAIT_MS, retryAfterMs),
  });
