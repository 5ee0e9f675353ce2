import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ernieV2 } from '../../../translators/ernie/v2.ts';
import { checkCompletion, checkStream, validateCompletion } from '../../contract/openai-schema.ts';
import { cuts, fixtures, replay, replayWhole } from '../replay.ts';

const streams = fixtures('ernie', 'stream');
const bodies = fixtures('ernie', 'whole');
const bytesOf = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));

describe.each(streams)('stream $name', ({ name, bytes, expected }) => {
  test('comes out as recorded, and fits the contract', async () => {
    const { out } = replay(ernieV2, bytes);
    expect(checkStream(out, { includeUsage: true }).problems).toEqual([]);
    await expect(out).toMatchFileSnapshot(expected);
  });

  test.each([1, 7])('is the same when bytes arrive %i at a time', (size) => {
    expect(replay(ernieV2, bytes, { size }).out).toBe(replay(ernieV2, bytes).out);
  });

  test('fits the contract without usage', () => {
    expect(checkStream(replay(ernieV2, bytes, { includeUsage: false }).out, { includeUsage: false }).problems).toEqual([]);
  });

  // Without a finish word the driver cannot tell where the vendor had finished: see below.
  if (name === 'end-mark-only') return;
  test('cut anywhere, never looks whole', () => {
    expect(cuts(ernieV2, bytes)).toEqual([]);
  });
});

test('a stream that ends by is_end alone is not finished before it', () => {
  const bytes = bytesOf('end-mark-only.sse');
  const said = bytes.indexOf('"is_end":true') + '"is_end":true'.length;
  expect(said).toBeGreaterThan(100);
  for (let length = 0; length < said; length++) {
    const { out, error } = replay(ernieV2, bytes.subarray(0, length));
    expect(error?.kind).toMatch(/^upstream_(truncated|invalid_response)$/);
    expect(out).not.toMatch(/"finish_reason":"|\[DONE\]/);
  }
  expect(replay(ernieV2, bytes).error).toBeNull();
});

describe.each(bodies)('body $name', ({ bytes, expected }) => {
  test('comes out as recorded, and fits the contract', async () => {
    const { out, error } = replayWhole(ernieV2, bytes);
    if (error === null) {
      const completion: unknown = JSON.parse(out);
      expect([...validateCompletion(completion), ...checkCompletion(completion)]).toEqual([]);
    }
    await expect(error === null ? out : JSON.stringify(error)).toMatchFileSnapshot(expected);
  });
});

test('the folder holds what the tests are about', () => {
  expect(streams.length).toBeGreaterThanOrEqual(20);
  expect(bodies.length).toBeGreaterThanOrEqual(10);
});

const choice = (fields: Record<string, unknown>, delta: Record<string, unknown> = { content: 'secret' }): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ id: 'as-1', choices: [{ index: 0, delta, ...fields }], usage: null })}\n\n`);

describe('finish words', () => {
  test.each([
    ['stop', 'stop'],
    ['normal', 'stop'],
    ['length', 'length'],
    ['content_filter', 'content_filter'],
    // Without a call there is none to make.
    ['tool_calls', 'stop'],
    ['function_call', 'stop'],
    // Of nobody's list, though every object has it.
    ['constructor', 'stop'],
  ])('%s → %s', (word, reason) => {
    expect(replay(ernieV2, choice({ finish_reason: word })).out).toContain(`"finish_reason":"${reason}"`);
  });

  test.each([['tool_calls'], ['function_call'], ['stop'], ['normal']])('%s with a call → tool_calls', (word) => {
    const delta = { tool_calls: [{ id: '0a', type: 'function', function: { name: 'tide', arguments: '{}' } }] };
    expect(replay(ernieV2, choice({ finish_reason: word }, delta)).out).toContain('"finish_reason":"tool_calls"');
  });

  test.each([
    ['""', ''],
    ['null', null],
  ])('%s is none', (_name, word) => {
    expect(replay(ernieV2, choice({ finish_reason: word })).error?.kind).toBe('upstream_truncated');
  });
});

describe('moderation marks', () => {
  test.each([
    [0, true, 'stop'],
    ['0', true, 'stop'],
    [1, true, 'stop'],
    ['1', true, 'stop'],
    [null, true, 'stop'],
    [2, true, 'content_filter'],
    ['2', true, 'content_filter'],
    [3, false, 'content_filter'],
    ['3', false, 'content_filter'],
    [4, false, 'content_filter'],
    ['4', false, 'content_filter'],
  ])('flag %j: text shown %s, %s', (flag, shown, reason) => {
    const { out, error } = replay(ernieV2, choice({ flag, finish_reason: 'stop' }));
    expect(error).toBeNull();
    expect(out.includes('secret')).toBe(shown);
    expect(out).toContain(`"finish_reason":"${reason}"`);
  });

  test('a hidden mark hides reasoning and calls too', () => {
    const delta = { reasoning_content: 'secret', tool_calls: [{ id: '0a', function: { name: 'secret', arguments: '{}' } }] };
    expect(replay(ernieV2, choice({ flag: 3 }, delta)).out).not.toContain('secret');
  });

  test('a mark without a finish word ends the choice: nothing after it is shown, its usage counts', () => {
    const bytes = Buffer.concat([
      choice({ flag: 4 }),
      choice({ finish_reason: 'stop' }, { content: 'more' }),
      Buffer.from('data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}\n\n'),
    ]);
    const { out, error, usage } = replay(ernieV2, bytes);
    expect(error).toBeNull();
    expect(out).not.toMatch(/secret|more/);
    expect(usage).toMatchObject({ prompt: 5, completion: 3 });
  });

  test('need_clear_history ends the choice as flag 2 does', () => {
    expect(replay(ernieV2, choice({ need_clear_history: true })).out).toContain('"finish_reason":"content_filter"');
    expect(replay(ernieV2, choice({ need_clear_history: false })).error?.kind).toBe('upstream_truncated');
  });
});
