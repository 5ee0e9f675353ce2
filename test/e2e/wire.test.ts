import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { expectBrokenStream, expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { BOTH, TIME, WEATHER } from './tools.ts';
import { sourceWhenBroken, VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** Text with characters of one to four bytes, a few of them to a token. */
const SAY = '[[sim:say text="Große Türme 灯塔在海边 🗼🚢 and naïve 𠮷 letters, all of them here."]]';

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, thinker }) => {
  const ask = (fault: string, more: Record<string, unknown> = {}) =>
    rig.raw({ model: chat, messages: [user(`${SAY} ${fault}`)], stream: true, ...more });

  test.each([
    ['cut after=1', 'upstream_truncated'],
    ['cut after=5', 'upstream_truncated'],
    ['half-frame after=1', 'upstream_truncated'],
    ['half-frame after=5', 'upstream_truncated'],
    ['end after=1', 'upstream_truncated'],
    ['end after=5', 'upstream_truncated'],
    ['garbage after=1', 'upstream_invalid_response'],
    ['garbage after=5', 'upstream_invalid_response'],
  ] as const)('%s ends a stream in one error event: %s', async (fault, name) => {
    for (const includeUsage of [false, true]) {
      const answer = await ask(`[[sim:${fault}]]`, { stream_options: { include_usage: includeUsage } });
      expectBrokenStream(answer, name, includeUsage);
      expect(answer.record()).toMatchObject({ reason: 'vendor_error', error: { code: name }, usage: { source: sourceWhenBroken(vendor) } });
    }
  });

  test.each([
    ['cut after=0', 'upstream_truncated'],
    ['cut bytes=0', 'upstream_truncated'],
    ['cut bytes=30', 'upstream_truncated'],
    ['half-frame after=0', 'upstream_truncated'],
    ['end after=0', 'upstream_truncated'],
    ['garbage after=0', 'upstream_invalid_response'],
    ['reset', 'upstream_truncated'],
    ['html status=200', 'upstream_invalid_response'],
    ['html status=502', 'upstream_overloaded'],
    ['html status=504', 'upstream_timeout'],
    ['html status=413', 'request_too_large'],
  ] as const)('%s before the first token has a status of its own: %s', async (fault, name) => {
    expectRefusal(await ask(`[[sim:${fault}]]`), name);
  });

  test.each([
    ['cut after=1', 'upstream_truncated'],
    ['cut bytes=0', 'upstream_truncated'],
    ['cut bytes=77', 'upstream_truncated'],
    ['half-frame', 'upstream_truncated'],
    ['end', 'upstream_invalid_response'],
    ['garbage', 'upstream_invalid_response'],
    ['reset', 'upstream_truncated'],
    ['html status=200', 'upstream_invalid_response'],
  ] as const)('%s in a whole answer: %s', async (fault, name) => {
    expectRefusal(await ask(`[[sim:${fault}]]`, { stream: false }), name);
  });

  test('a stream cut in a whole answer of a model that is only asked for streams is told as well', async () => {
    const answer = await rig.raw({ model: thinker, messages: [user(`${SAY} [[sim:cut after=4]]`)] });
    expectRefusal(answer, 'upstream_truncated');
  });

  test.each([false, true])('cut at any byte a stream is whole or an error, never a whole that is not; tools: %s', async (tools) => {
    const fields = tools ? { messages: [user(BOTH)], tools: [WEATHER, TIME] } : { messages: [user(SAY)] };
    const plain = await rig.raw({ model: chat, stream: true, ...fields });
    const size = rig.seen()[0]?.bytesSent ?? 0;
    expect(size).toBeGreaterThan(500);
    const whole = foldStream(plain.stream().chunks).choices;
    const shape = (choices: typeof whole) => JSON.stringify(choices).replaceAll(/"id":"[^"]*"/g, '');
    const seen = { refused: 0, broken: 0, whole: 0 };
    // A step that meets every place of a frame sooner or later.
    for (let bytes = 1; bytes < size; bytes += 37) {
      rig.simulator.clearFaults();
      rig.simulator.setFault({ name: 'cut', vendor, args: { bytes: String(bytes) } });
      const answer = await rig.raw({ model: chat, stream: true, ...fields });
      if (answer.status !== 200) {
        expectRefusal(answer, 'upstream_truncated');
        seen.refused++;
      } else if (answer.stream().done) {
        // The vendor had said how it ended.
        expect(answer.stream().problems).toEqual([]);
        expect(shape(foldStream(answer.stream().chunks).choices)).toBe(shape(whole));
        seen.whole++;
      } else {
        expectBrokenStream(answer, 'upstream_truncated');
        seen.broken++;
      }
    }
    expect(seen.refused).toBeGreaterThan(0);
    expect(seen.broken).toBeGreaterThan(seen.whole);
  });

  test.each([
    'no-done',
    'crlf',
    'no-space',
    'comments',
    'gzip',
    'split bytes=1',
    'split bytes=3',
    'split bytes=7',
    'split bytes=1000',
    'slow chunkMs=1',
    'split bytes=1]] [[sim:crlf]] [[sim:comments]] [[sim:no-space',
    'crlf]] [[sim:no-done]] [[sim:split bytes=5',
  ])('%s changes nothing for the caller', async (fault) => {
    const fields = [
      { messages: [user(`${SAY} [[sim:${fault}]]`)] },
      { messages: [user(`${BOTH} [[sim:${fault}]]`)], tools: [WEATHER, TIME] },
    ];
    for (const more of fields) {
      const body = { model: chat, stream: true, stream_options: { include_usage: true }, ...more };
      const answer = await rig.raw(body);
      const seen = answer.stream(true);
      expect(seen.problems).toEqual([]);
      const plain = await rig.raw({ ...body, stream: false, stream_options: undefined });
      const shape = (choices: unknown) => JSON.stringify(choices).replaceAll(/"id":"[^"]*"/g, '');
      expect(shape(foldStream(seen.chunks).choices)).toBe(shape(foldCompletion(plain.json()).choices));
    }
  });

  test.each([
    ['cut after=4', 'upstream_truncated'],
    ['garbage after=4', 'upstream_invalid_response'],
  ])('the SDK raises an error for %s', async (fault, code) => {
    const runner = rig.client().chat.completions.stream({ model: chat, messages: [user(`${SAY} [[sim:${fault}]]`)] });
    const thrown: unknown = await runner.finalChatCompletion().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ code });
  });

  test('one of several parallel answers that breaks ends them all', async () => {
    // Qwen makes four choices in one call; five take five calls.
    const n = vendor === 'qwen' ? 5 : 2;
    rig.simulator.setFault({ name: 'cut', vendor, args: { after: '3' }, times: 1 });
    const answer = await rig.raw({ model: chat, messages: [user('[[sim:slow chunkMs=1]] Tell me about lighthouses')], n, stream: true });
    expectBrokenStream(answer, 'upstream_truncated');
    await expect.poll(() => rig.seen().every(({ done }) => done)).toBe(true);
    expect(rig.seen().filter(({ aborted }) => aborted)).toHaveLength(n - 1);
  });
});
