import type { IncomingMessage, ServerResponse } from 'node:http';
import { decimal } from '../../relay/ledger/money.ts';
import type { CallerLevel, HeldByKey } from '../../relay/quota/caller-levels.ts';
import { goDuration } from '../../relay/quota/duration.ts';
import { capacity, type Measure } from '../../relay/quota/limits.ts';
import { authenticate } from '../http/authenticate.ts';
import type { RouteDeps } from '../http/deps.ts';
import { arrivedAt, sendJson } from '../http/reply.ts';

const CURRENCIES: Readonly<Partial<Record<Measure, string>>> = { nanoCny: 'CNY', nanoUsd: 'USD' };

/**
 * `GET /v1/estafet/limits`: the limits of this key and of its team, what is left of them, and what its own running requests hold. Nobody
 * else's (S6): the request is read for nothing but the key. Nothing is reserved by asking. 503 `quota_unavailable` when the limits cannot be
 * read.
 */
export function limitsHandler({ current, levels }: RouteDeps) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const caller = authenticate(request, current(), arrivedAt(response));
    const { limits, open } = await levels(caller);
    const body = {
      object: 'estafet.limits',
      key: caller.key.name,
      team: caller.team.name,
      limits: limits.map(limitJson),
      open: openJson(open),
    };
    sendJson(response, 200, JSON.stringify(body));
  };
}

/** Counts as numbers, money as exact decimals; what is left as in `x-ratelimit-*`, so no debt is told. */
function limitJson({ limit, model, remaining, resetMs, windowEndMs }: CallerLevel): Record<string, unknown> {
  const currency = CURRENCIES[limit.measure] ?? null;
  const amount = (count: number): number | string => (currency === null ? count : decimal(BigInt(count)));
  return {
    name: limit.name,
    model,
    measure: currency === null ? limit.measure : 'money',
    currency,
    limit: amount(capacity(limit)),
    remaining: amount(Math.max(0, remaining)),
    reset: resetMs === null ? null : goDuration(resetMs),
    window_end: windowEndMs === null ? null : new Date(windowEndMs).toISOString(),
  };
}

function openJson({ requests, tokens, costNano }: HeldByKey): Record<string, unknown> {
  const cost = Object.fromEntries(Object.entries(costNano).map(([currency, nano]) => [currency, decimal(BigInt(nano))]));
  return { requests, tokens, cost };
}
