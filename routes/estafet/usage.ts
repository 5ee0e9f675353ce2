import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenAIError } from '../../openai/errors.ts';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';
import { decimal } from '../../relay/ledger/money.ts';
import { NO_USAGE, type UsageTotals } from '../../relay/ledger/usage.ts';
import { authenticate } from '../http/authenticate.ts';
import type { RouteDeps } from '../http/deps.ts';
import { arrivedAt, sendJson } from '../http/reply.ts';

const DAY_MS = 86_400_000;

/**
 * `GET /v1/estafet/usage`: what this key has used today, this month (both UTC) and in all that the books keep. Its own and nobody
 * else's (S6): the request itself is read for nothing but the key.
 */
export function usageHandler({ current, books }: RouteDeps) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const now = arrivedAt(response);
    const { key, team } = authenticate(request, current(), now);
    const since = async (fromMs: number | null): Promise<Record<string, unknown>> => {
      const [row] = await books.usage({ by: null, fromMs, toMs: null, team: team.name, key: key.name });
      return usageJson(row ?? NO_USAGE);
    };
    const today = now - (now % DAY_MS);
    const date = new Date(now);
    const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
    try {
      const body = {
        object: 'estafet.usage',
        key: key.name,
        team: team.name,
        today: { since: new Date(today).toISOString(), ...(await since(today)) },
        this_month: { since: new Date(month).toISOString(), ...(await since(month)) },
        all: await since(null),
      };
      sendJson(response, 200, JSON.stringify(body));
    } catch (error) {
      if (!(error instanceof LedgerFault)) throw error;
      throw new OpenAIError('usage_unavailable', 'The books cannot be read at the moment. Please try again.', {
        retryAfterMs: 5_000,
        cause: error,
      });
    }
  };
}

/** Sums in OpenAI's words where it has some; money as exact decimals, apart by currency. */
export function usageJson(totals: UsageTotals): Record<string, unknown> {
  return {
    requests: totals.requests,
    failed_requests: totals.failed,
    refused_requests: totals.refused,
    prompt_tokens: totals.promptTokens,
    paid_prompt_tokens: totals.paidPromptTokens,
    completion_tokens: totals.completionTokens,
    cached_tokens: totals.cachedTokens,
    reasoning_tokens: totals.reasoningTokens,
    cost: Object.fromEntries(Object.entries(totals.costNano).map(([currency, nano]) => [currency, decimal(nano)])),
    unpriced_requests: totals.unpriced,
    estimated_requests: totals.estimated,
    expired_requests: totals.expired,
  };
}
