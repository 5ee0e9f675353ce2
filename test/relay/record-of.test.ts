import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../openai/errors.ts';
import type { Exchange } from '../../relay/exchange.ts';
import { type Ending, recordOf } from '../../relay/records/record-of.ts';
import type { Attempt } from '../../relay/records/request-record.ts';

const exchange = { request: { model: 'm' }, caller: { key: { name: 'k' }, team: { name: 't' } }, requestId: 'req_1', arrivedAtMs: 0 };
const attempt = (told: Partial<Attempt>): Attempt => ({ error: null, upstreamCode: null, ...told }) as Attempt;
const failed = (kind: ConstructorParameters<typeof OpenAIError>[0], attempts: readonly Attempt[] = [], gone = false): Ending => ({
  decision: {} as Ending['decision'],
  attempts,
  hedge: null,
  receipt: null,
  result: null,
  error: new OpenAIError(kind, 'x'),
  gone,
  estimate: null,
  heldBy: null,
  cost: null,
  sinceFirstByteMs: null,
});

describe('why a request ended', () => {
  test.each<[string, Ending, number, string]>([
    ['a limit', failed('rate_limit_requests'), 429, 'refused'],
    ['limits that cannot be checked: no vendor is to blame', failed('quota_unavailable'), 503, 'refused'],
    ['those of its backend', failed('quota_unavailable', [attempt({ error: 'quota_unavailable', unsent: true })]), 503, 'refused'],
    ['no time: no vendor is to blame', failed('overloaded'), 503, 'refused'],
    ['the vendor', failed('upstream_overloaded', [attempt({ error: 'upstream_overloaded' })]), 503, 'vendor_error'],
    ['a caller that left', failed('quota_unavailable', [], true), 503, 'client_gone'],
  ])('%s', (_, ending, status, reason) => {
    const record = recordOf(exchange as unknown as Exchange, { name: 'chat.completions', stream: false }, ending, 5);
    expect([record.status, record.reason]).toEqual([status, reason]);
  });
});
