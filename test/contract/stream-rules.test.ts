import { describe, expect, test } from 'vitest';
import { checkStream } from './openai-schema.ts';
import { chunk, DONE, damage, errorBody, frames, textChunks, toolChunks, USAGE, usageChunk, withUsage } from './samples.ts';

/** A stream from chunks with one of them damaged. */
const broken = (chunks: object[], at: number, path: string, ...value: unknown[]): string => {
  damage(chunks[at], path, ...value);
  return frames(chunks) + DONE;
};
const inserted = (chunks: object[], at: number, ...more: object[]): string => frames(chunks.toSpliced(at, 0, ...more)) + DONE;
const good = frames(textChunks()) + DONE;
const cut = Buffer.from(good).indexOf(Buffer.from('Ł')) + 1;

describe('checkStream', () => {
  test.each<[string, string, boolean]>([
    ['text', good, false],
    ['text with usage', frames(withUsage(textChunks())) + DONE, true],
    ['tool calls', frames(toolChunks()) + DONE, false],
    ['keep-alives', `: keep-alive\n\n${good.replaceAll('data: {', ': keep-alive\n\ndata: {')}`, false],
    ['two choices', frames([...textChunks(), ...textChunks().map((each) => damage(each, 'choices.0.index', 1))]) + DONE, false],
    ['a cut call', frames([...toolChunks().slice(0, 5), chunk({}, 'length')]) + DONE, false],
  ])('a good stream passes: %s', (_name, raw, includeUsage) => {
    for (const bytes of [raw, Buffer.from(raw)]) {
      expect(checkStream(bytes, { includeUsage })).toMatchObject({ problems: [], error: null, done: true });
    }
  });

  test('an error event is a good end too, before or after the first chunk', () => {
    const chunks = textChunks().slice(0, 2);
    const { problems, ...rest } = checkStream(frames([...chunks, errorBody()]), { includeUsage: false });
    expect(problems).toEqual([]);
    expect(rest).toEqual({ chunks, error: errorBody().error, done: false });
    expect(checkStream(frames([errorBody()]), { includeUsage: true }).problems).toEqual([]);
  });

  test.each<[string, Buffer | string, string | RegExp]>([
    ['no blank line at the end', good.slice(0, -1), 'stream ends without a blank line after "data: [DONE]\\n"'],
    ['an event: line', good.replace('data: {', 'event: x\ndata: {'), 'block 0: line "event: x" is neither data nor comment'],
    ['an id: line', `id: 1\n\n${good}`, 'block 0: line "id: 1" is neither data nor comment'],
    ['a retry: line', `retry: 9\n\n${good}`, 'block 0: line "retry: 9" is neither data nor comment'],
    ['empty data', `data: \n\n${good}`, 'block 0: line "data: " is neither data nor comment'],
    ['no space after the colon', good.replace('data: {', 'data:{'), /block 0: line "data:\{.+ is neither data nor comment/],
    ['a blank line too many', good.replace('\n\n', '\n\n\n'), /block 1: line "" is neither data nor comment/],
    ['CRLF', good.replaceAll('\n', '\r\n'), 'stream has a carriage return'],
    ['two data lines in one event', good.replace('}\n\n', '}\n'), 'block 0: 2 data lines in one event'],
    ['a comment inside an event', good.replace('data: {', ': x\ndata: {'), 'block 0: data shares its event with other lines'],
    ['a byte order mark', Buffer.from(`\uFEFF${good}`), /block 0: line "\uFEFFdata: .+ is neither data nor comment/],
    [
      'a character cut in two',
      Buffer.concat([Buffer.from(good).subarray(0, cut), Buffer.from(good).subarray(cut + 1)]),
      'stream is not valid UTF-8',
    ],
    [
      'a cut character hidden by decoding',
      good.replace('Ł', '\uFFFD'),
      'stream is not valid UTF-8 (replacement character in the decoded text)',
    ],
    ['half a surrogate pair', inserted(textChunks(), 1, chunk({ content: '\ud83d' })), 'block 1: a string has half a surrogate pair'],
    ['half a JSON text', good.replace('"stop"}]}', '"stop"}'), 'block 3: data is not one complete JSON object'],
    ['a JSON list', `data: []\n\n${good}`, 'block 0: data is not a JSON object'],
    ['no [DONE]', frames(textChunks()), 'stream has neither [DONE] nor an error'],
    ['something after [DONE]', `${good}: bye\n\n`, 'block 5: something follows [DONE]'],
    ['two [DONE]', good + DONE, 'block 5: something follows [DONE]'],
    ['nothing', '', 'stream has neither [DONE] nor an error'],
    ['only [DONE]', DONE, 'stream has no choice'],
    ['[DONE] after an error', frames([...textChunks(), errorBody()]) + DONE, 'stream has [DONE] after an error'],
    ['a chunk after an error', frames([errorBody(), ...textChunks()]), 'block 1: something follows the error'],
    ['an error of three keys', frames([damage(errorBody(), 'error.param')]), "error event: /error must have required property 'param'"],
    ['a flat error', frames([{ error: 'x' }]), 'error event: /error must be object'],
    ['a foreign id', frames(textChunks().map((each) => damage(each, 'id', '8f1'))) + DONE, 'chunk 0: /id "8f1" is not chatcmpl-…'],
    ['another id', broken(textChunks(), 2, 'id', 'chatcmpl-2'), "chunk 2: /id differs from the first chunk's"],
    ['another created', broken(textChunks(), 1, 'created', 1), "chunk 1: /created differs from the first chunk's"],
    ['another model', broken(textChunks(), 3, 'model', 'qwen-plus'), "chunk 3: /model differs from the first chunk's"],
    ['a chunk off the schema', broken(textChunks(), 1, 'choices.0.delta.content', 7), 'chunk 1: /choices/0/delta/content must be string'],
    [
      'the string "null" as reason',
      broken(textChunks(), 1, 'choices.0.finish_reason', 'null'),
      /chunk 1: \/choices\/0\/finish_reason must be equal to one of/,
    ],
    ['a vendor key in a chunk', broken(textChunks(), 1, 'request_id', 'x'), 'chunk 1: /request_id is not a known key'],
    ['a vendor key in a delta', broken(textChunks(), 1, 'choices.0.delta.extra', 1), 'chunk 1: /delta/extra is not a known key'],
    ['no role', broken(textChunks(), 0, 'choices.0.delta.role'), 'chunk 0: first chunk of choice 0 has no role assistant'],
    [
      'text in the role chunk',
      broken(textChunks(), 0, 'choices.0.delta.content', 'a'),
      'chunk 0: first chunk of choice 0 needs content "" or null',
    ],
    ['role again', broken(textChunks(), 1, 'choices.0.delta.role', 'assistant'), 'chunk 1: role again'],
    ['content null later', broken(toolChunks(), 4, 'choices.0.delta.content', null), 'chunk 4: content null after the first chunk'],
    [
      'text in the finish chunk',
      broken(textChunks(), 3, 'choices.0.delta.content', ''),
      'chunk 3: finish chunk has a delta that is not empty',
    ],
    ['no finish chunk', frames(textChunks().slice(0, 3)) + DONE, 'stream has no finish chunk for choice 0'],
    ['two finish chunks', inserted(textChunks(), 4, chunk({}, 'stop')), 'chunk 4: choice 0 goes on after its finish chunk'],
    ['text after the finish chunk', inserted(textChunks(), 4, chunk({ content: 'x' })), 'chunk 4: choice 0 goes on after its finish chunk'],
    ['stop after tool calls', broken(toolChunks(), 8, 'choices.0.finish_reason', 'stop'), 'chunk 8: finish_reason stop after tool calls'],
    [
      'tool_calls promised, none there',
      broken(textChunks(), 3, 'choices.0.finish_reason', 'tool_calls'),
      'chunk 3: finish_reason tool_calls without a tool call',
    ],
    ['tool_calls []', broken(textChunks(), 1, 'choices.0.delta.tool_calls', []), 'chunk 1: tool_calls is empty'],
    ['a call without index', broken(toolChunks(), 4, 'choices.0.delta.tool_calls.0.index'), 'chunk 4: tool call without index'],
    ['id again', broken(toolChunks(), 4, 'choices.0.delta.tool_calls.0.id', ''), 'chunk 4: tool call 0 has id again'],
    ['name again', broken(toolChunks(), 5, 'choices.0.delta.tool_calls.0.function.name', 'count'), 'chunk 5: tool call 0 has name again'],
    ['type again', broken(toolChunks(), 5, 'choices.0.delta.tool_calls.0.type', 'function'), 'chunk 5: tool call 0 has type again'],
    ['a call without id', broken(toolChunks(), 3, 'choices.0.delta.tool_calls.0.id'), 'chunk 3: tool call 0 begins without id'],
    [
      'a call without type',
      broken(toolChunks(), 3, 'choices.0.delta.tool_calls.0.type'),
      'chunk 3: tool call 0 begins without type function',
    ],
    [
      'a call without name',
      broken(toolChunks(), 3, 'choices.0.delta.tool_calls.0.function.name'),
      'chunk 3: tool call 0 begins without name',
    ],
    [
      'arguments in the first delta',
      broken(toolChunks(), 6, 'choices.0.delta.tool_calls.0.function.arguments', ' '),
      'chunk 6: tool call 1 begins with arguments other than ""',
    ],
    [
      'a delta without arguments',
      broken(toolChunks(), 5, 'choices.0.delta.tool_calls.0.function'),
      'chunk 5: tool call 0 has no arguments string',
    ],
    [
      'a call that begins out of order',
      broken(toolChunks(), 6, 'choices.0.delta.tool_calls.0.index', 2),
      'chunk 6: tool call 2 begins out of order',
    ],
    [
      'a call that goes on late',
      broken(toolChunks(), 7, 'choices.0.delta.tool_calls.0.index', 0),
      'chunk 7: tool call 0 goes on after the next one began',
    ],
    [
      'one id for two calls',
      broken(toolChunks(), 6, 'choices.0.delta.tool_calls.0.id', 'call_a'),
      'choice 0 joined: tool_calls/1/id "call_a" repeats',
    ],
    [
      'arguments that are no JSON',
      frames(toolChunks().toSpliced(5, 1)) + DONE,
      'choice 0 joined: tool_calls/0/function/arguments does not parse as JSON',
    ],
    [
      'two choices in one chunk',
      inserted(textChunks(), 1, { ...chunk({}), choices: [0, 1].flatMap((index) => chunk({ content: 'x' }, null, index).choices) }),
      'chunk 1: more than one choice (they interleave, one a chunk)',
    ],
    ['a chunk of nothing', inserted(textChunks(), 1, { ...chunk({}), choices: [] }), 'chunk 1: no choices and no usage'],
    ['usage unasked', inserted(textChunks(), 4, usageChunk()), 'chunk 4: usage without include_usage'],
    ['usage null unasked', broken(textChunks(), 1, 'usage', null), 'chunk 1: usage without include_usage'],
  ])('%s is found', (_name, raw, problem) => {
    const matcher: unknown = typeof problem === 'string' ? problem : expect.stringMatching(problem);
    expect(checkStream(raw, { includeUsage: false }).problems).toContainEqual(matcher);
  });

  test.each<[string, object[], string]>([
    ['no usage chunk', withUsage(textChunks()).slice(0, -1), 'stream has no usage chunk although include_usage'],
    ['two usage chunks', [...withUsage(textChunks()), usageChunk()], 'stream has 2 usage chunks'],
    ['no usage key', [...textChunks(), usageChunk()], 'chunk 0: no usage key although include_usage'],
    [
      'usage in the finish chunk',
      textChunks().map((each, at) => ({ ...each, usage: at === 3 ? USAGE : null })),
      'chunk 3: usage in a chunk that has choices',
    ],
    ['usage before the end', withUsage(textChunks()).slice(0, -1).toSpliced(1, 0, usageChunk()), 'stream has chunks after the usage chunk'],
    [
      'a wrong sum',
      [...withUsage(textChunks()).slice(0, -1), damage(usageChunk(), 'usage.total_tokens', 1)],
      'chunk 4: /usage/total_tokens is 1, expected 12 + 4',
    ],
  ])('with include_usage, %s is found', (_name, chunks, problem) => {
    expect(checkStream(frames(chunks) + DONE, { includeUsage: true }).problems).toContain(problem);
  });
});
