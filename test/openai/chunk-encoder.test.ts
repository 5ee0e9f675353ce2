import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkEncoder } from '../../openai/chat/chunk-encoder.ts';
import type { Usage } from '../../openai/chat/events.ts';
import { checkCompletion, checkStream, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { answers, collect, type Event, encode, HEAD } from './play.ts';

const USAGE: Usage = { prompt: 7, completion: 5, cached: 2, reasoning: 1 };

/** The deltas and finish words of a stream without its fixed parts. */
function deltas(raw: string): unknown[] {
  return checkStream(Buffer.from(raw), { includeUsage: false }).chunks.flatMap((chunk) =>
    (chunk as { choices: { delta: unknown; finish_reason: unknown }[] }).choices.map(({ delta, finish_reason: finish }) => finish ?? delta),
  );
}

const FIRST = { role: 'assistant', content: '', refusal: null };
const FIRST_CALL = { role: 'assistant', content: null, refusal: null };

describe('any answer', () => {
  test('is a good stream, and the same answer as the collected one', () => {
    fc.assert(
      fc.property(answers, fc.boolean(), (events, includeUsage) => {
        const stream = checkStream(Buffer.from(encode(events, includeUsage)), { includeUsage });
        expect(stream.problems).toEqual([]);
        expect(stream.done).toBe(true);
        const { text, value } = collect(events);
        expect(checkCompletion(value).filter((problem) => !problem.includes('must be null beside tool_calls'))).toEqual([]);
        expect(text.isWellFormed()).toBe(true);
        const folded = foldStream(stream.chunks);
        const whole = foldCompletion(value);
        expect(withoutMadeIds({ ...folded, usage: null })).toEqual(withoutMadeIds({ ...whole, usage: null }));
        if (includeUsage) expect(folded.usage).toEqual(whole.usage);
      }),
      { numRuns: 1500 },
    );
  });

  test('taken at once is the same as taken event by event', () => {
    fc.assert(
      fc.property(answers, (events) => {
        const encoder = new ChunkEncoder(HEAD, true);
        for (const event of events) event(encoder);
        encoder.done();
        expect(withoutMadeIds(encoder.take())).toEqual(withoutMadeIds(encode(events, true)));
        expect(encoder.pending).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('without reasoning shown is a good stream too, and tells none', () => {
    fc.assert(
      fc.property(answers, (events) => {
        const raw = encode(events, true, { showReasoning: false });
        expect(checkStream(Buffer.from(raw), { includeUsage: true }).problems).toEqual([]);
        expect(raw).not.toContain('reasoning_content');
        expect(collect(events, { showReasoning: false }).text).not.toContain('reasoning_content');
      }),
      { numRuns: 200 },
    );
  });
});

/** Ids that the relay makes up differ between two runs. */
function withoutMadeIds<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replace(/call_[0-9a-f]{24}/g, 'call_made')) as T;
}

describe('the form of OpenAI', () => {
  test.each<[string, Event[], unknown[]]>([
    ['text', [(e) => e.text(0, 'Hi'), (e) => e.finish(0, 'stop')], [FIRST, { content: 'Hi' }, 'stop']],
    ['nothing said', [(e) => e.finish(0, 'stop')], [FIRST, 'stop']],
    ['empty pieces say nothing', [(e) => e.text(0, ''), (e) => e.reasoning(0, ''), (e) => e.finish(0, 'stop')], [FIRST, 'stop']],
    [
      'thinking first',
      [(e) => e.reasoning(0, 'Hm'), (e) => e.text(0, 'Hi'), (e) => e.finish(0, 'stop')],
      [FIRST, { reasoning_content: 'Hm' }, { content: 'Hi' }, 'stop'],
    ],
    [
      'a call first has content null; id and name once',
      [
        (e) => e.tool(0, 0, 'call_a', 'look'),
        (e) => e.args(0, 0, '{"a'),
        (e) => e.args(0, 0, ''),
        (e) => e.args(0, 0, '":1}'),
        (e) => e.finish(0, 'tool_calls'),
      ],
      [
        FIRST_CALL,
        { tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'look', arguments: '' } }] },
        { tool_calls: [{ index: 0, function: { arguments: '{"a' } }] },
        { tool_calls: [{ index: 0, function: { arguments: '":1}' } }] },
        'tool_calls',
      ],
    ],
    ['nothing after the end', [(e) => e.finish(0, 'stop'), (e) => e.text(0, 'x'), (e) => e.finish(0, 'length')], [FIRST, 'stop']],
    [
      'halves of a character',
      [(e) => e.text(0, 'a\ud83d'), (e) => e.text(0, '\ude00'), (e) => e.finish(0, 'stop')],
      [FIRST, { content: 'a' }, { content: '😀' }, 'stop'],
    ],
    ['a half at the end', [(e) => e.text(0, '\ud83d'), (e) => e.finish(0, 'length')], [FIRST, { content: '\ufffd' }, 'length']],
    [
      'halves in arguments',
      [
        (e) => e.tool(0, 0, 'call_a', 'look'),
        (e) => e.args(0, 0, '{"a":"\ud83d'),
        (e) => e.args(0, 0, '\ude00"}'),
        (e) => e.finish(0, 'tool_calls'),
      ],
      [
        FIRST_CALL,
        { tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'look', arguments: '' } }] },
        { tool_calls: [{ index: 0, function: { arguments: '{"a":"' } }] },
        { tool_calls: [{ index: 0, function: { arguments: '😀"}' } }] },
        'tool_calls',
      ],
    ],
  ])('%s', (_name, events, expected) => {
    expect(deltas(encode(events, false))).toEqual(expected);
  });

  test('the deprecated functions', () => {
    const events: Event[] = [(e) => e.tool(0, 0, 'call_a', 'look'), (e) => e.args(0, 0, '{}'), (e) => e.finish(0, 'tool_calls')];
    expect(deltas(encode(events, false, { legacyFunctions: true }))).toEqual([
      FIRST_CALL,
      { function_call: { name: 'look', arguments: '' } },
      { function_call: { arguments: '{}' } },
      'function_call',
    ]);
  });

  test('a missing id is made, once', () => {
    const raw = encode([(e) => e.tool(0, 0, '', 'a'), (e) => e.tool(0, 1, '', 'b'), (e) => e.finish(0, 'tool_calls')], false);
    expect(new Set(raw.match(/call_[0-9a-f]{24}/g)).size).toBe(2);
  });

  test('logprobs ride on their text', () => {
    const logprobs = [{ token: 'Hi', logprob: -0.1, bytes: null, top_logprobs: [] }];
    const raw = encode([(e) => e.text(0, 'Hi', logprobs), (e) => e.finish(0, 'stop')], false);
    expect(raw).toContain(`"logprobs":{"content":${JSON.stringify(logprobs)},"refusal":null},"finish_reason":null`);
    expect(checkStream(raw, { includeUsage: false }).problems).toEqual([]);
  });
});

describe('usage', () => {
  const events: Event[] = [
    (e) => e.usage({ ...USAGE, prompt: 1 }),
    (e) => e.text(0, 'Hi'),
    (e) => e.finish(0, 'stop'),
    (e) => e.usage(USAGE),
  ];

  test('asked for: null on each chunk, the last count on a chunk of its own', () => {
    const { chunks, problems } = checkStream(encode(events, true), { includeUsage: true });
    expect(problems).toEqual([]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } });
    expect((chunks.at(-1) as { usage: unknown }).usage).toMatchObject({
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 1 },
    });
  });

  test('not asked for: no such key, but the relay knows it', () => {
    expect(encode(events, false)).not.toContain('"usage"');
    const encoder = new ChunkEncoder(HEAD, false);
    for (const event of events) event(encoder);
    expect(encoder.lastUsage).toEqual(USAGE);
  });
});

test('nothing is pending before the first visible event', () => {
  const encoder = new ChunkEncoder(HEAD, true);
  encoder.usage(USAGE);
  encoder.text(0, '');
  expect([encoder.pending, encoder.take()]).toEqual([false, '']);
  encoder.text(0, 'a');
  expect(encoder.pending).toBe(true);
});
