import { expect } from 'vitest';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import type { RawAnswer } from './rig.ts';

/** What a caller must see of one kind of failure: the relay's own table, in OpenAI's words. */
interface Refusal {
  readonly status: number;
  readonly type: string;
  /** `false`: the SDKs are told not to ask again; `after`: they are told when; null: it is left to them. */
  readonly retry: false | 'after' | null;
}

const bad = { status: 400, type: 'invalid_request_error', retry: null } as const;
const gone = { type: 'server_error', retry: false } as const;

/** By the name used in the tests; the wire code is the same but for the two limits. */
export const REFUSALS = {
  upstream_auth: { status: 502, ...gone },
  upstream_model_unavailable: { status: 502, ...gone },
  model_not_found: { status: 404, type: 'invalid_request_error', retry: null },
  upstream_rejected: { status: 502, ...gone },
  upstream_out_of_credit: { status: 503, ...gone },
  upstream_overloaded: { status: 503, type: 'server_error', retry: 'after' },
  upstream_timeout: { status: 504, type: 'server_error', retry: null },
  upstream_invalid_response: { status: 502, type: 'server_error', retry: null },
  upstream_truncated: { status: 502, type: 'server_error', retry: null },
  limit_requests: { status: 429, type: 'requests', retry: 'after' },
  limit_tokens: { status: 429, type: 'tokens', retry: 'after' },
  content_filter: bad,
  context_length_exceeded: bad,
  invalid_value: bad,
  invalid_image_url: bad,
  missing_required_parameter: bad,
  invalid_request: bad,
  request_too_large: { status: 413, type: 'invalid_request_error', retry: null },
  unsupported_parameter: bad,
} as const satisfies Record<string, Refusal>;

export type RefusalName = keyof typeof REFUSALS;

export const codeOf = (name: RefusalName): string | null =>
  name.startsWith('limit_') ? 'rate_limit_exceeded' : name === 'invalid_request' ? null : name;

/** Words of the relay's own workings and of the vendors' accounts that no caller may read. */
const SECRET = /sk-|bce-v3|127\.0\.0\.1|dashscope|aliyun|bigmodel|qianfan|undici|ECONN|node_modules|\.ts\b|\bat .+:\d+:\d+/i;

/** A refusal with a status of its own. */
export function expectRefusal(answer: RawAnswer, name: RefusalName): void {
  const { status, type, retry }: Refusal = REFUSALS[name];
  expect(answer.status, answer.text).toBe(status);
  expect(checkHeaders(answer.headers, 'json')).toEqual([]);
  expect(checkErrorResponse(answer.status, answer.json())).toEqual([]);
  expect(answer.json()).toMatchObject({ error: { type, code: codeOf(name) } });
  expect(answer.text).not.toMatch(SECRET);
  expect(answer.headers.get('x-should-retry')).toBe(retry === false ? 'false' : null);
  const after = answer.headers.get('retry-after');
  if (retry === 'after') {
    expect(Number(after)).toBeGreaterThanOrEqual(1);
    expect(Number(after)).toBeLessThanOrEqual(60);
    expect(Number(answer.headers.get('retry-after-ms'))).toBeGreaterThan(0);
  } else expect(after).toBeNull();
  expect(answer.headers.get('x-estafet-limit')).toBe(name.startsWith('limit_') ? 'upstream' : null);
}

/** A stream that began and failed: one error event at its end, no finish reason, no `[DONE]`. */
export function expectBrokenStream(answer: RawAnswer, name: RefusalName, includeUsage = false): void {
  expect(answer.status, answer.text).toBe(200);
  expect(checkHeaders(answer.headers, 'stream')).toEqual([]);
  const { problems, chunks, error, done } = answer.stream(includeUsage);
  expect(problems).toEqual([]);
  expect(done).toBe(false);
  expect(error, answer.text.slice(-300)).toMatchObject({ type: REFUSALS[name].type, code: codeOf(name) });
  expect(Object.keys(error ?? {}).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(chunks.length).toBeGreaterThan(0);
  expect(JSON.stringify(chunks)).not.toMatch(/"finish_reason":"/);
  expect(answer.text).not.toContain('[DONE]');
  expect(JSON.stringify(error)).not.toMatch(SECRET);
}
