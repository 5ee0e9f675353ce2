import { describe, expect, test } from 'vitest';
import { qwenNative } from '../../../../translators/qwen/native.ts';
import { checkCompletion, checkErrorResponse, checkStream, foldStream } from '../../../contract/openai-schema.ts';
import { cuts, fixtures, replay, replayWhole } from '../../replay.ts';
import { ROWS } from '../error-rows.ts';

const streams = fixtures('qwen/native', 'stream');
const bodies = fixtures('qwen/native', 'whole');

describe.each(streams)('stream $name', ({ bytes, expected }) => {
  const whole = replay(qwenNative, bytes);

  test('comes out as recorded, and fits the contract', async () => {
    expect(checkStream(Buffer.from(whole.out), { includeUsage: true }).problems).toEqual([]);
    await expect(whole.out).toMatchFileSnapshot(expected);
  });

  test.each([1, 7, 64])('is the same when bytes arrive %i at a time', (size) => {
    expect(replay(qwenNative, bytes, { size }).out).toBe(whole.out);
  });

  test('cut anywhere, never looks whole', () => {
    // A running finish reason is a word here: it is written as the value that it stands for, so that the first word is the last.
    expect(cuts(qwenNative, Buffer.from(bytes.toString().replaceAll('"finish_reason":"null"', '"finish_reason":null')))).toEqual([]);
    for (let length = 0; length < bytes.length; length++) {
      const { out, error } = replay(qwenNative, bytes.subarray(0, length));
      if (error !== null) expect([length, out.includes('[DONE]')]).toEqual([length, false]);
    }
  });
});

describe.each(bodies)('body $name', ({ bytes, expected }) => {
  test('comes out as recorded, and fits the contract', async () => {
    const { out, error } = replayWhole(qwenNative, bytes);
    if (error === null) expect(checkCompletion(JSON.parse(out))).toEqual([]);
    await expect(error === null ? out : `${error.status} ${JSON.stringify(error)}`).toMatchFileSnapshot(expected);
  });
});

const named = (name: string): Buffer =>
  [...streams, ...bodies].find((fixture) => fixture.name === name)?.bytes ?? Buffer.from('no such fixture');

/** [stream, error, the vendor's code, whether another backend may do better] */
test.each([
  ['error-first', 'upstream_rate_limit_tokens', 'Throttling.AllocationQuota', true],
  ['error-parameter', 'invalid_value', 'InvalidParameter', false],
  ['error-midway', 'upstream_overloaded', 'InternalError', true],
  ['moderation-midway', 'content_filter', 'DataInspectionFailed', false],
  // The status in the comment decides where the code says nothing, or several things.
  ['error-unknown-code', 'invalid_request', 'SomethingNew', false],
  ['error-no-code', 'upstream_overloaded', 'http_503', true],
  ['error-voices', 'invalid_request', 'Throttling.AllocationQuota', false],
  ['no-finish', 'upstream_truncated', undefined, true],
  ['empty', 'upstream_truncated', undefined, true],
  ['malformed', 'upstream_invalid_response', undefined, true],
  ['number-for-a-frame', 'upstream_invalid_response', undefined, true],
  ['output-is-a-list', 'upstream_truncated', undefined, true],
  ['unknown-finish', 'upstream_invalid_response', 'constructor', true],
])('%s is %s', (name, kind, upstreamCode, fallback) => {
  const { error, out } = replay(qwenNative, named(name));
  expect([error?.kind, error?.details.upstreamCode, error?.details.fallback]).toEqual([kind, upstreamCode, fallback]);
  expect(out).not.toMatch(/10\.1\.2\.3|\[DONE\]|"finish_reason":"/);
});

test.each([
  ['whole-error', 'upstream_out_of_credit', 'Arrearage'],
  ['whole-gateway-error', 'upstream_auth', 'BailianGateway.Workspace.NotAuthorised'],
  ['whole-not-finished', 'upstream_invalid_response', undefined],
  ['whole-empty-object', 'upstream_invalid_response', undefined],
  ['whole-null-output', 'upstream_invalid_response', undefined],
])('%s is %s', (name, kind, upstreamCode) => {
  const { error } = replayWhole(qwenNative, named(name));
  expect([error?.kind, error?.details.upstreamCode, JSON.stringify(error).includes('sk-')]).toEqual([kind, upstreamCode, false]);
});

/** The error pages, as events of a stream whose own status is 200. */
describe.each(ROWS.filter(([status, code]) => code !== '' || status >= 400))('%i %s %j inside a stream', (status, code, message, told) => {
  test.each(['first', 'midway'])('%s', (place) => {
    const event = `id:1\nevent:error\n:HTTP_STATUS/${status}\ndata:${JSON.stringify({ code, message, request_id: 'r' })}\n\n`;
    const before =
      place === 'first'
        ? ''
        : 'id:1\n:HTTP_STATUS/200\ndata:{"output":{"choices":[{"message":{"content":"a"},"finish_reason":"null"}]}}\n\n';
    const { error, out } = replay(qwenNative, Buffer.from(before + event));
    expect([error?.kind, error?.details.param, error?.details.retryAfterMs, error?.details.fallback]).toEqual([
      told.to,
      told.param,
      told.retryAfterMs,
      told.fallback ?? false,
    ]);
    expect(checkErrorResponse(error?.status ?? 0, error?.toJSON())).toEqual([]);
    expect(out).not.toContain('[DONE]');
  });
});

/** What an SDK makes of the fragments. */
test.each<[string, [string, string, string][]]>([
  ['tools', [['call_8d1f0a2b3c4d5e6f70819203', 'get_weather', '{"city":"杭州"}']]],
  ['tools-begun-with-arguments', [['call_8d1f0a2b3c4d5e6f70819203', 'get_weather', '{"city":"x"}']]],
  ['tools-stop', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{}']]],
  ['tools-null-name', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{"z":1}']]],
  ['tools-after-thinking', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{}']]],
  [
    'tools-two-at-once',
    [
      ['call_aaaaaaaaaaaaaaaaaaaaaaaa', 'get_weather', '{"city":"a"}'],
      ['call_bbbbbbbbbbbbbbbbbbbbbbbb', 'get_weather', '{"city":"b"}'],
    ],
  ],
  ['tools-no-id', [['call_made_1', 'get_time', '{}']]],
  [
    'tools-parallel',
    [
      ['call_aaaaaaaaaaaaaaaaaaaaaaaa', 'get_weather', '{"city":"a"}'],
      ['call_bbbbbbbbbbbbbbbbbbbbbbbb', 'get_weather', '{"city":"b"}'],
    ],
  ],
])('%s: whole calls, and finish_reason tool_calls', (name, calls) => {
  const { chunks } = checkStream(replay(qwenNative, named(name)).out, { includeUsage: true });
  const [choice] = foldStream(chunks).choices;
  expect(choice?.tool_calls?.map(({ id, function: { name: called, arguments: json } }) => [id, called, json])).toEqual(calls);
  expect(choice?.finish_reason).toBe('tool_calls');
});

test('however the frames are written, the answer is the same', () => {
  const plain = replay(qwenNative, named('plain')).out;
  expect(plain).toContain('浙江 😀');
  for (const name of ['plain-crlf', 'plain-space', 'plain-no-blank-lines', 'comments', 'after-finish-error'])
    expect([name, replay(qwenNative, named(name)).out]).toEqual([name, plain]);
});

test('usage: the last count, its details, or none', () => {
  const usageOf = (name: string) => replay(qwenNative, named(name)).usage;
  expect(usageOf('plain')).toEqual({ prompt: 18, completion: 8, cached: 0, reasoning: 0 });
  expect(usageOf('thinking')).toEqual({ prompt: 18, completion: 60, cached: 0, reasoning: 55 });
  expect(usageOf('multimodal')).toEqual({ prompt: 300, completion: 5, cached: 0, reasoning: 2 });
  expect(usageOf('cached')).toEqual({ prompt: 300, completion: 1, cached: 256, reasoning: 0 });
  expect(usageOf('no-usage')).toBeNull();
});
