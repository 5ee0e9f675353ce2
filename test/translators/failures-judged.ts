/** What becomes of a vendor's refusal: may the same backend be asked again, and another. For the `facts-retry.test.ts` of each vendor. */
import { mayFallBack, waitBeforeRetry } from '../../relay/routing/retry-policy.ts';
import type { ChatTranslator } from '../../translators/translator.ts';

/** `again` = the same backend as the last candidate, within seconds; `another` = the next candidate. */
export function judged(translator: ChatTranslator, status: number, body: unknown): { again: boolean; another: boolean } {
  const error = translator.failure({ status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const wait = waitBeforeRetry(error, { tries: 1, retries: 2, last: true, leftMs: 60_000 }, () => 0);
  return { again: wait !== null, another: mayFallBack(error, {}) };
}
