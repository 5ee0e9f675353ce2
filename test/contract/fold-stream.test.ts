import { describe, expect, test } from 'vitest';
import { foldCompletion, foldStream } from './openai-schema.ts';
import { chunk, textAnswer, textChunks, toolAnswer, toolChunks, withUsage } from './samples.ts';

describe('folding', () => {
  test.each<[string, object[], object]>([
    ['text', textChunks(), textAnswer()],
    ['tool calls with reasoning', toolChunks(), toolAnswer()],
  ])('a stream folds to what the answer folds to: %s', (_name, chunks, answer) => {
    expect(foldStream(withUsage(chunks))).toEqual(foldCompletion(answer));
  });

  test('keeps choices apart, in order of index', () => {
    const chunks = [1, 0].flatMap((index) => [
      chunk({ role: 'assistant', content: '' }, null, index),
      chunk({ content: `c${index}` }, null, index),
      chunk({}, 'stop', index),
    ]);
    expect(foldStream(chunks).choices).toEqual(
      [0, 1].map((index) => ({ index, content: `c${index}`, refusal: null, finish_reason: 'stop' })),
    );
  });

  test('a stream that broke off has no reason and no usage', () => {
    expect(foldStream(toolChunks().slice(0, 5))).toMatchObject({
      choices: [{ finish_reason: null, content: null, tool_calls: [{ id: 'call_a', function: { arguments: '{"hall"' } }] }],
      usage: null,
    });
  });
});
