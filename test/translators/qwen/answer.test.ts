import { describe, expect, test } from 'vitest';
import { qwenCompatible } from '../../../translators/qwen/compatible.ts';
import { checkCompletion, checkStream, foldStream } from '../../contract/openai-schema.ts';
import { cuts, fixtures, replay, replayWhole } from '../replay.ts';

const streams = fixtures('qwen', 'stream');
const bodies = fixtures('qwen', 'whole');

describe.each(streams)('stream $name', ({ bytes, expected }) => {
  const whole = replay(qwenCompatible, bytes);

  test('comes out as recorded, and fits the contract', async () => {
    expect(checkStream(Buffer.from(whole.out), { includeUsage: true }).problems).toEqual([]);
    await expect(whole.out).toMatchFileSnapshot(expected);
  });

  test.each([1, 7, 64])('is the same when bytes arrive %i at a time', (size) => {
    expect(replay(qwenCompatible, bytes, { size }).out).toBe(whole.out);
  });

  test('fits the contract without usage and without thinking shown', () => {
    const { out } = replay(qwenCompatible, bytes, { includeUsage: false, head: { showReasoning: false } });
    expect(checkStream(Buffer.from(out), { includeUsage: false }).problems).toEqual([]);
    expect(out).not.toContain('reasoning_content');
  });

  test('cut anywhere, never looks whole', () => {
    expect(cuts(qwenCompatible, bytes)).toEqual([]);
  });
});

describe.each(bodies)('body $name', ({ bytes, expected }) => {
  test('comes out as recorded, and fits the contract', async () => {
    const { out, error } = replayWhole(qwenCompatible, bytes);
    if (error === null) expect(checkCompletion(JSON.parse(out))).toEqual([]);
    await expect(error === null ? out : `${error.status} ${JSON.stringify(error)}`).toMatchFileSnapshot(expected);
  });
});

test('the folder holds what the tests are about', () => {
  expect(streams.length).toBeGreaterThanOrEqual(40);
  expect(bodies.length).toBeGreaterThanOrEqual(15);
});

const named = (name: string): Buffer =>
  [...streams, ...bodies].find((fixture) => fixture.name === name)?.bytes ?? Buffer.from('no such fixture');

/** [stream, error, the vendor's code, whether another backend may do better] */
test.each([
  ['moderation-midway', 'content_filter', 'data_inspection_failed', false],
  ['error-bare', 'content_filter', 'data_inspection_failed', false],
  ['error-first', 'upstream_rate_limit_requests', 'limit_requests', true],
  ['error-midway', 'upstream_overloaded', 'internal_error', true],
  ['error-native', 'upstream_timeout', 'RequestTimeOut', true],
  ['no-finish', 'upstream_truncated', undefined, true],
  ['done-alone', 'upstream_truncated', undefined, true],
  ['malformed', 'upstream_invalid_response', undefined, true],
  ['number-for-a-frame', 'upstream_invalid_response', undefined, true],
  ['unknown-finish', 'upstream_invalid_response', 'constructor', true],
])('%s is %s', (name, kind, upstreamCode, fallback) => {
  const { error, out } = replay(qwenCompatible, named(name));
  expect([error?.kind, error?.details.upstreamCode, error?.details.fallback]).toEqual([kind, upstreamCode, fallback]);
  expect(out).not.toMatch(/10\.1\.2\.3|\[DONE\]|"finish_reason":"/);
});

/** What an SDK makes of the fragments. */
test.each<[string, [string, string, string][]]>([
  ['tools', [['call_8d1f0a2b3c4d5e6f70819203', 'get_weather', '{"city": "杭州"}']]],
  ['tools-trailing-arguments', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{"zone":"utc"}']]],
  ['tools-trailing-empty-object', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{}']]],
  ['tools-repeated-id', [['call_8d1f0a2b3c4d5e6f70819203', 'get_weather', '{"city":"x"}']]],
  ['tools-name-null', [['call_8d1f0a2b3c4d5e6f70819203', 'get_weather', '{"city":"x"}']]],
  [
    'tools-parallel',
    [
      ['call_aaaaaaaaaaaaaaaaaaaaaaaa', 'get_weather', '{"city":"a"}'],
      ['call_bbbbbbbbbbbbbbbbbbbbbbbb', 'get_weather', '{"city":"b"}'],
    ],
  ],
  [
    'tools-one-frame',
    [
      ['call_a', 'get_weather', '{"city":"a"}'],
      ['call_b', 'get_time', '{}'],
    ],
  ],
  ['tools-no-id', [['call_made_1', 'get_time', '{}']]],
  ['tools-no-arguments', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{}']]],
  ['tools-on-finish', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{"a":1}']]],
  ['tools-stop', [['call_8d1f0a2b3c4d5e6f70819203', 'get_time', '{}']]],
])('%s: whole calls, and finish_reason tool_calls', (name, calls) => {
  const { chunks } = checkStream(replay(qwenCompatible, named(name)).out, { includeUsage: true });
  const [choice] = foldStream(chunks).choices;
  expect(choice?.tool_calls?.map(({ id, function: { name: called, arguments: json } }) => [id, called, json])).toEqual(calls);
  expect(choice?.finish_reason).toBe('tool_calls');
});

test('usage: the last count, its details, or none', () => {
  const usageOf = (name: string) => replay(qwenCompatible, named(name)).usage;
  expect(usageOf('plain')).toEqual({ prompt: 21, completion: 9, cached: 0, reasoning: 0 });
  expect(usageOf('thinking')).toEqual({ prompt: 21, completion: 190, cached: 0, reasoning: 176 });
  expect(usageOf('cached')).toEqual({ prompt: 21, completion: 9, cached: 16, reasoning: 0 });
  expect(usageOf('usage-every-frame')).toEqual(usageOf('usage-on-finish'));
  expect(usageOf('no-usage')).toBeNull();
});

test('an answer that the gateway refused inside HTTP 200 tells no key', () => {
  const { error } = replayWhole(qwenCompatible, named('whole-gateway-error'));
  expect([error?.kind, JSON.stringify(error).includes('sk-')]).toEqual(['upstream_auth', false]);
});
