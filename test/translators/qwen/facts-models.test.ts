/**
 * Alibaba's pages on models, thinking and structured output as a table, a row for each model they print: laid beside what the relay sends to it.
 * A model on an old list, and one of another maker, have rows too: their names live on in configurations.
 */
import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { ask, HI, refusal, TOOLS } from './ask.ts';

/** Thinking: always; by default and can be switched off; on request; never. */
type Class = 'only' | 'on' | 'off' | 'none';
/** What `response_format` it has while it does not think. */
type Structured = 'json_schema' | 'json_object' | 'words';

interface Fact {
  readonly thinking: Class;
  readonly sees: boolean;
  readonly json: Structured;
  /** Answers nothing but streams. */
  readonly streams?: true;
  /** Largest answer; absent: not printed, or the pages disagree. */
  readonly output?: number;
  /** Largest `thinking_budget`; with k = 1,000, the smaller of two readings. */
  readonly budget?: number;
  /** Has `reasoning_effort`. */
  readonly effort?: true;
  /** Has `max_completion_tokens`. */
  readonly total?: true;
  readonly tools?: false;
}

const text = (thinking: Class, json: Structured, more: Partial<Fact> = {}): Fact => ({ thinking, json, sees: false, ...more });
const sight = (thinking: Class, json: Structured, more: Partial<Fact> = {}): Fact => ({ thinking, json, sees: true, ...more });
const K64 = 65_536;
const OPEN = { budget: 38_000 };

const FACTS: Record<string, Fact> = {
  'qwen3.8-max': sight('on', 'json_schema', { output: 131_072, budget: 256_000, effort: true, total: true }),
  'qwen3.8-max-0902': sight('on', 'json_schema', { output: 131_072, budget: 256_000, effort: true, total: true }),
  'qwen3.8-flash': sight('on', 'json_schema', { effort: true, total: true }),
  'qwen3.8-omni-flash': sight('on', 'json_schema', { streams: true, effort: true, total: true }),
  'qwen3.7-max': text('on', 'json_schema', { budget: 256_000, total: true }),
  'qwen3.7-plus': sight('on', 'json_schema', { budget: 256_000, total: true }),
  'qwen3.7-flash': sight('on', 'json_schema', { budget: 256_000, total: true }),
  'qwen3.6-plus': sight('on', 'json_object', { output: K64, budget: 80_000, total: true }),
  'qwen3.6-flash': sight('on', 'json_object', { output: K64, budget: 80_000, total: true }),
  'qwen3.6-max-preview': text('on', 'json_object', { output: K64, budget: 128_000 }),
  'qwen3.5-plus': sight('on', 'json_object', { output: K64, budget: 80_000, total: true }),
  'qwen3.5-flash': sight('on', 'json_object', { output: K64, budget: 80_000, total: true }),
  'qwen3.5-397b-a17b': sight('on', 'json_object', { output: K64, budget: 80_000 }),
  'qwen3.5-27b': sight('on', 'json_object', { budget: 80_000 }),
  'qwen3-max': text('off', 'json_schema', { output: K64, budget: 80_000 }),
  'qwen3-max-preview': text('off', 'json_schema', { budget: 80_000 }),
  'qwen-plus': text('off', 'json_schema', { output: 32_768, budget: 80_000 }),
  'qwen-plus-latest': text('off', 'json_schema', { output: 32_768, budget: 80_000 }),
  'qwen-flash': text('off', 'json_schema', { output: 32_768, budget: 80_000 }),
  'qwen-turbo': text('off', 'json_object', { output: 16_384, budget: 38_000 }),
  'qwen-max': text('none', 'json_object', { output: 8192 }),
  'qwen-long': text('none', 'words'),
  'qwen3-coder-plus': text('none', 'json_object', { output: K64 }),
  'qwen3-coder-flash': text('none', 'json_object', { output: K64 }),
  'qwen3-coder-next': text('none', 'json_object', { output: K64 }),
  'qwen3-235b-a22b': text('on', 'json_object', OPEN),
  'qwen3-32b': text('on', 'json_object', OPEN),
  'qwen3-30b-a3b': text('on', 'json_object', OPEN),
  'qwen3-14b': text('on', 'json_object', OPEN),
  'qwen3-8b': text('on', 'json_object', OPEN),
  'qwen3-4b': text('on', 'json_object', OPEN),
  'qwen3-1.7b': text('on', 'json_object', { budget: 30_000 }),
  'qwen3-0.6b': text('on', 'json_object', { budget: 30_000 }),
  'qwen3-235b-a22b-thinking-2507': text('only', 'words', { budget: 80_000 }),
  'qwen3-235b-a22b-instruct-2507': text('none', 'json_object'),
  'qwen3-vl-plus': sight('off', 'json_object', { output: 32_768, budget: 80_000 }),
  'qwen3-vl-flash': sight('off', 'json_object', { budget: 80_000 }),
  'qwen-vl-max': sight('none', 'json_object', { output: 8192 }),
  'qwen-vl-plus': sight('none', 'json_object', { output: 8192 }),
  'qwq-plus': text('only', 'words', { streams: true, budget: 32_000 }),
  'qwq-32b': text('only', 'words', { streams: true }),
  'qvq-max': sight('only', 'words', { streams: true, tools: false }),
  'qwen3-omni-flash': sight('off', 'words', { streams: true }),
  'qwen-omni-turbo': sight('none', 'words', { streams: true }),
  'qwen-mt-plus': text('none', 'words', { tools: false }),
  'qwen-mt-turbo': text('none', 'words', { tools: false }),
  'qwen-vl-ocr': sight('none', 'words', { tools: false }),
  'deepseek-v4-pro': text('off', 'json_object', { effort: true, total: true }),
  'deepseek-v4-flash': text('off', 'json_object', { effort: true, total: true }),
  'deepseek-v3.2': text('off', 'json_object', { total: true }),
  'deepseek-r1': text('only', 'words'),
};

const SCHEMA = { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } };
const PICTURE = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/a.png' } }] }];
const SWITCH: Readonly<Record<Class, boolean | undefined>> = { only: undefined, on: true, off: false, none: undefined };

describe.each(Object.entries(FACTS))('%s', (model, fact) => {
  const situation = { model, thinking: 'default' as const };

  test('Thinking: its default is said aloud where it has a switch, and only there', () => {
    expect(ask({}, situation).body['enable_thinking']).toBe(SWITCH[fact.thinking]);
    expect(ask({ reasoning_effort: 'none' }, situation).body['enable_thinking']).toBe(
      SWITCH[fact.thinking] === undefined ? undefined : false,
    );
    expect(ask({ reasoning_effort: 'max' }, situation).body['enable_thinking']).toBe(
      SWITCH[fact.thinking] === undefined ? undefined : true,
    );
  });

  test('Thinking: effort in words or in tokens, never both', () => {
    const { body } = ask({ reasoning_effort: 'low' }, situation);
    const amounts = ['reasoning_effort', 'thinking_budget'].filter((field) => body[field] !== undefined);
    expect(amounts).toEqual(fact.thinking === 'none' ? [] : [fact.effort ? 'reasoning_effort' : 'thinking_budget']);
  });

  test('Streaming: what thinks, and what only streams, is streamed for everyone', () => {
    const off = ask({ enable_thinking: false }, situation);
    expect(off.stream).toBe(fact.streams === true || fact.thinking === 'only');
    expect(ask({ enable_thinking: true }, situation).stream).toBe(fact.streams === true || fact.thinking !== 'none');
  });

  test('Structured output: a schema, JSON mode, or words', () => {
    const { body, emulation, changes } = ask({ response_format: SCHEMA }, situation);
    expect((body['response_format'] as { type: string } | undefined)?.type ?? 'words').toBe(fact.json);
    expect(emulation.json).toBeDefined();
    expect(changes.includes('response_format=emulated!')).toBe(fact.json !== 'json_schema');
  });

  test('Visual understanding: an image goes, or is refused by name', () => {
    if (fact.sees) expect(ask({ messages: PICTURE }, situation).body['messages']).toEqual(PICTURE);
    else expect(refusal({ messages: PICTURE }, situation).details.param).toBe('messages[0].content[0]');
  });

  test('Function calling: tools go, or are refused by name', () => {
    if (fact.tools === false) expect(refusal({ tools: TOOLS }, situation).details.param).toBe('tools');
    else if (model !== 'qwen-long') expect(ask({ tools: TOOLS }, situation).body['tools']).toEqual(TOOLS);
  });

  test('Function calling: a call is forced without thinking, or by words', () => {
    if (fact.tools === false || model === 'qwen-long') return;
    const { body, emulation } = ask({ tools: TOOLS, tool_choice: 'required' }, situation);
    const words = fact.thinking === 'only';
    expect([body['enable_thinking'] ?? false, body['tool_choice']]).toEqual([false, words ? 'auto' : 'required']);
    expect(emulation.mustCall).toEqual({ name: null });
  });

  test('Chat reference: the bound of an answer', () => {
    const asked = { max_completion_tokens: 9_999_999, reasoning_effort: 'none' };
    if (fact.output !== undefined && fact.thinking !== 'only') expect(ask(asked, situation).body['max_tokens']).toBe(fact.output);
    const { body } = ask({ max_completion_tokens: 1000, enable_thinking: true }, situation);
    const bound = fact.thinking === 'none' ? 'max_tokens' : fact.total ? 'max_completion_tokens' : 'max_tokens';
    expect(['max_tokens', 'max_completion_tokens'].filter((field) => body[field] !== undefined)).toEqual([bound]);
    if (fact.thinking !== 'none') expect(Number(body['thinking_budget'] ?? 0)).toBeLessThan(1000);
  });
});

/** Of the others no document prints one. */
const BUDGETS = Object.entries(FACTS).flatMap(([model, { budget }]) => (budget === undefined ? [] : [[model, budget] as const]));

test.each(BUDGETS)('%s · Thinking: the largest budget is %d', (model, budget) => {
  expect(ask({ enable_thinking: true, thinking_budget: 999_999 }, { model }).body['thinking_budget']).toBe(budget);
});

test.each([
  ['qwen-plus', true],
  ['qwen-flash', true],
  ['qwen3-max', true],
  ['qwen3.7-plus', false],
  ['qwen-max', false],
  ['qwq-plus', false],
  ['qwen3-coder-plus', false],
])('Chat reference, n: %s makes several choices: %s; only without thinking and tools, up to four', (model, several) => {
  const native = (asked: object): unknown => ask(asked as Record<string, unknown>, { model, thinking: 'none' }).body['n'];
  expect(native({ n: 2 })).toBe(several ? 2 : undefined);
  expect(native({ n: 4 })).toBe(several ? 4 : undefined);
  for (const asked of [{ n: 5 }, { n: 2, tools: TOOLS }, { n: 2, reasoning_effort: 'high' }]) {
    expect(native(asked)).toBeUndefined();
    expect(ask(asked, { model, thinking: 'none' }).emulation.choices).toBe(asked.n);
  }
});

test.each([
  ['qwen-plus', true],
  ['qwen-turbo', true],
  ['qwen3-vl-plus', true],
  ['qwen3-vl-flash', true],
  ['qwen3-32b', true],
  ['qwen-flash', false],
  ['qwen3.8-max', false],
  ['qwen3-coder-plus', false],
])('Chat reference, logprobs: %s gives them: %s', (model, gives) => {
  const { body, changes } = ask({ logprobs: true, top_logprobs: 20 }, { model, thinking: 'none' });
  expect([body['logprobs'], body['top_logprobs']]).toEqual(gives ? [true, 5] : [undefined, undefined]);
  expect(changes).toContain(gives ? 'top_logprobs=clamped!' : 'logprobs=dropped!');
});

test('Qwen-Omni: functions only with text, which is said', () => {
  const omni = { model: 'qwen3-omni-flash' };
  expect(ask({ tools: TOOLS }, omni).body['modalities']).toEqual(['text']);
  expect(ask({}, omni).body).not.toHaveProperty('modalities');
  expect(ask({ tools: TOOLS }).body).not.toHaveProperty('modalities');
});

test('an unknown model gets nothing that it might refuse', () => {
  const { body } = ask({ messages: HI, reasoning_effort: 'high', logprobs: true, n: 2 }, { model: 'never-heard-of' });
  expect(Object.keys(body).sort()).toEqual(['messages', 'model', 'stream']);
  expect(refusal({ audio: {} }, { model: 'never-heard-of' })).toBeInstanceOf(OpenAIError);
});
