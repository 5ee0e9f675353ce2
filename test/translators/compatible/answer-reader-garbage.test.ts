import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerReader } from '../../../translators/compatible/answer-reader.ts';
import { DIALECT, delta, END, Log, read, whole } from './reading.ts';

describe('an answer that is not whole', () => {
  test.each<[string, unknown[], string]>([
    ['nothing', [], 'upstream_truncated'],
    ['text without an end', [delta({ content: 'Hi' })], 'upstream_truncated'],
    ['[DONE] without an end', [delta({ content: 'Hi' }), '[DONE]'], 'upstream_truncated'],
    ['[DONE] alone', ['[DONE]'], 'upstream_truncated'],
    ['one of two choices ended', [{ choices: [{ index: 1, delta: { content: 'b' } }] }, END], 'upstream_truncated'],
    [
      'usage without an end',
      [delta({ content: 'Hi' }), { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }],
      'upstream_truncated',
    ],
    ['half a frame', [delta({ content: 'Hi' }), '{"choices":[{"in'], 'upstream_invalid_response'],
    ['an error frame', [delta({ content: 'Hi' }), { error: { code: 'x' } }], 'upstream_overloaded'],
    ['an error as text', [{ error: 'broken' }], 'upstream_overloaded'],
    ['a flat error', [{ code: 'InternalError', message: 'm' }], 'upstream_overloaded'],
    ['success false', [{ success: false }], 'upstream_overloaded'],
  ])('%s', (_name, frames, kind) => {
    expect(read(frames).at(-1)).toBe(`error ${kind}`);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['nothing', undefined],
    ['a number', 5],
    ['a text', 'Hi'],
    ['a list', []],
    ['an empty object', {}],
    ['no choice', { choices: [] }],
    ['a choice that is null', { choices: [null] }],
    ['a choice without an end', { choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: null }] }],
  ])('whole body: %s', (_name, body) => {
    expect(whole(body).at(-1)).toBe('error upstream_invalid_response');
  });

  test('whole body: an error in disguise', () => {
    expect(whole({ error: { message: 'm' }, choices: null })).toEqual(['error upstream_overloaded']);
    expect(whole({ error_code: 17, error_msg: 'm' })).toEqual(['error upstream_overloaded']);
  });
});

describe('garbage', () => {
  test.each<[string, unknown]>([
    ['null', 'null'],
    ['a number', '17'],
    ['a list', '[]'],
    ['a word', 'hello'],
    ['HTML', '<html>502</html>'],
    ['a choice that is a number', { choices: [5] }],
    ['a choice that is a text', { choices: ['x'] }],
    ['index -1', { choices: [{ index: -1, delta: {} }] }],
    ['index 1e9', { choices: [{ index: 1e9, delta: {} }] }],
    ['index 0.5', { choices: [{ index: 0.5, delta: {} }] }],
    ['index "0"', { choices: [{ index: '0', delta: {} }] }],
    ['a delta that is a text', { choices: [{ index: 0, delta: 'Hi' }] }],
    ['a delta that is a list', { choices: [{ index: 0, delta: [] }] }],
    ['a content that is a number', { choices: [{ index: 0, delta: { content: 5 } }] }],
    ['a finish reason that is a number', { choices: [{ index: 0, delta: {}, finish_reason: 1 }] }],
    ['a finish reason that is an object', { choices: [{ index: 0, delta: {}, finish_reason: { type: 'stop' } }] }],
  ])('%s', (_name, frame) => {
    expect(read([delta({ content: 'Hi' }), frame, END])).toEqual(['text 0 Hi', 'error upstream_invalid_response']);
  });

  test('a choice that is null says nothing', () => {
    expect(read([{ choices: [null] }, END])).toEqual(['finish 0 stop']);
  });

  test('every failure may be tried elsewhere', () => {
    const reader = new AnswerReader(new Log(), DIALECT);
    for (const frame of ['5', '{"choices":[5]}', 'x']) {
      expect(() => reader.frame(frame)).toThrow(expect.objectContaining({ details: expect.objectContaining({ fallback: true }) }));
    }
    expect(() => reader.end()).toThrow(expect.objectContaining({ details: expect.objectContaining({ fallback: true }) }));
  });

  test('any JSON, whole or framed: an answer or one of our errors, and never an event out of order', () => {
    const node = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>(null, '', 'stop', 'null', 'a', 0, 1, -1, 1e9, true, [], {}),
        tie('object'),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
      object: fc.dictionary(
        fc.constantFrom(
          'choices',
          'index',
          'delta',
          'message',
          'content',
          'reasoning_content',
          'tool_calls',
          'id',
          'function',
          'name',
          'arguments',
          'finish_reason',
          'logprobs',
          'usage',
          'prompt_tokens',
          'text',
          'error',
          '__proto__',
          'constructor',
        ),
        tie('value'),
        { maxKeys: 6 },
      ),
    }));
    const choice = fc.record(
      {
        index: fc.constantFrom<unknown>(0, 1, null),
        delta: node.value,
        message: node.value,
        finish_reason: node.value,
        logprobs: node.value,
      },
      { requiredKeys: [] },
    );
    const frame = fc.oneof(node.value, fc.record({ choices: fc.array(choice, { maxLength: 3 }), usage: node.value }));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
        for (const lines of [read(frames), whole(frames[0])]) {
          const finished = new Set<string>();
          const open = new Set<string>();
          for (const line of lines) {
            const [kind, place = ''] = line.split(' ');
            const choice = place.split('.')[0] as string;
            if (kind === 'usage' || kind === 'error') continue;
            expect(finished.has(choice)).toBe(false);
            if (kind === 'finish') finished.add(choice);
            if (kind === 'tool') {
              expect(place).toBe(`${choice}.${[...open].filter((call) => call.startsWith(`${choice}.`)).length}`);
              open.add(place);
            }
            if (kind === 'args') expect(open.has(place)).toBe(true);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
