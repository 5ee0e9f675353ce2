/**
 * Rate limits and their headers. Qianfan counts requests and tokens per minute for an account and a model,
 * refuses excess at once, and sends neither a reset header nor `Retry-After`.
 */

import type { Call } from './call.ts';
import { Refusal } from './errors.ts';
import { keysOfAccount, type Limits } from './keys.ts';

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/** @throws Refusal 429 of the limit that is full */
export function checkLimits(call: Call, model: string): void {
  const limits = limitsOf(call);
  const { requests, tokens } = spentBy(call, model, MINUTE_MS);
  if (requests >= limits.rpm) throw new Refusal('rpm_rate_limit_exceeded');
  if (tokens >= limits.tpm) throw new Refusal('tpm_rate_limit_exceeded');
  if (spentBy(call, model, SECOND_MS).requests >= limits.qps) throw new Refusal('user_rate_limit_exceeded');
}

/**
 * The newer set splits tokens into input and output; the older one, of 2025, has one number. The simulator gives
 * input and output the same limit. `used` counts the request being answered, in tokens.
 */
export function rateHeaders(call: Call, model: string, used: { requests: number; tokens: number }): Record<string, string> {
  const style = call.wishes.rateHeaders ?? (call.wishes.profile === '2025' ? 'old' : 'new');
  if (style === 'none') return {};
  const limits = limitsOf(call);
  const spent = spentBy(call, model, MINUTE_MS);
  const requestsLeft = String(Math.max(0, limits.rpm - spent.requests - used.requests));
  const tokensLeft = String(Math.max(0, limits.tpm - spent.tokens - used.tokens));
  const tpm = String(limits.tpm);
  const requests = { 'x-ratelimit-limit-requests': String(limits.rpm), 'x-ratelimit-remaining-requests': requestsLeft };
  const older = { 'x-ratelimit-limit-tokens': tpm, 'x-ratelimit-remaining-tokens': tokensLeft };
  const newer = {
    'x-ratelimit-limit-input-tokens': tpm,
    'x-ratelimit-limit-output-tokens': tpm,
    'x-ratelimit-remaining-input-tokens': tokensLeft,
    'x-ratelimit-remaining-output-tokens': tokensLeft,
  };
  return { ...requests, ...(style === 'new' ? {} : older), ...(style === 'old' ? {} : newer) };
}

/** A fault may lower the key's limits, as the end of a token pack does. */
function limitsOf(call: Call): Limits {
  return { ...call.key.limits, ...call.wishes.limits };
}

function spentBy(call: Call, model: string, windowMs: number): { requests: number; tokens: number } {
  let requests = 0;
  let tokens = 0;
  for (const name of keysOfAccount(call.key.account)) {
    const spent = call.kernel.spent(name, model, windowMs);
    requests += spent.requests;
    tokens += spent.tokens;
  }
  return { requests, tokens };
}
