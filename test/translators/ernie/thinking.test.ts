import { describe, expect, test } from 'vitest';
import type { Effort } from '../../../openai/chat/request.ts';
import { plan } from './plan.ts';

const KEYS = ['enable_thinking', 'thinking', 'thinking_budget', 'reasoning_effort', 'thinking_strategy'];

/** What of the body is about thinking, and whether the backend is asked to stream. */
function switches(model: string, request: Record<string, unknown>, thinking: Effort | 'default' = 'default') {
  const { body, changes } = plan(request, { model, thinking });
  return { sent: Object.fromEntries(KEYS.filter((key) => key in body).map((key) => [key, body[key]])), stream: body['stream'], changes };
}

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
const enable = (...budgets: (number | null)[]) =>
  budgets.map((budget) =>
    budget === null
      ? { enable_thinking: false }
      : budget === 0
        ? { enable_thinking: true }
        : { enable_thinking: true, thinking_budget: budget },
  );
const ON = { thinking: { type: 'enabled' } };
const OFF = { thinking: { type: 'disabled' } };
const same = (value: Record<string, unknown>) => EFFORTS.map(() => value);

/** What goes out for each of EFFORTS in turn. */
describe.each<[string, Record<string, unknown>[]]>([
  ['ernie-5.0-thinking-latest', enable(null, null, 2048, 8192, 16_384, 16_384, 16_384)],
  ['ernie-5.0-thinking-preview', enable(null, null, 2048, 8192, 16_384, 16_384, 16_384)],
  ['qwen3-32b', enable(null, null, 2048, 8192, 16_384, 16_384, 16_384)],
  ['ernie-5.0', enable(null, null, 0, 0, 0, 0, 0)],
  ['ernie-4.5-turbo-vl-preview', enable(null, null, 0, 0, 0, 0, 0)],
  ['ernie-4.5-turbo-vl-32k-preview', enable(null, null, 0, 0, 0, 0, 0)],
  ['ernie-4.5-vl-28b-a3b', enable(null, null, 0, 0, 0, 0, 0)],
  ['deepseek-v3.2', [OFF, OFF, ON, ON, ON, ON, ON]],
  ['kimi-k2.5', [OFF, OFF, ON, ON, ON, ON, ON]],
  ['glm-4.7', [OFF, OFF, ON, ON, ON, ON, ON]],
  ['glm-5', [OFF, OFF, ON, ON, ON, ON, ON]],
  ['deepseek-v3.1-250821', [OFF, OFF, ...[2048, 8192, 16_384, 16_384, 16_384].map((thinking_budget) => ({ ...ON, thinking_budget }))]],
  ['deepseek-v4-pro', [OFF, OFF, ...['high', 'high', 'high', 'max', 'max'].map((reasoning_effort) => ({ ...ON, reasoning_effort }))]],
  ['deepseek-r1', [{}, {}, ...[2048, 8192, 16_384, 16_384, 16_384].map((thinking_budget) => ({ thinking_budget }))]],
  ['ernie-x1.1', same({})],
  ['ernie-x1-turbo-32k', same({})],
  ['ernie-4.5-turbo-128k', same({})],
  ['ernie-4.5-turbo-vl-32k', same({})],
  ['ernie-4.5-8k-preview', same({})],
  ['qianfan-70b', same({})],
  ['qwen3-coder-480b-a35b-instruct', same({})],
  ['ernie-5.1', same({})],
  ['ernie-5.5-flash-preview', same({})],
  ['ernie-4.5-turbo-vl', same({})],
  ['some-new-model', same({})],
])('%s', (model, expected) => {
  test.each(EFFORTS.map((effort, index) => [effort, expected[index]] as const))('effort %s', (effort, sent) => {
    const asked = switches(model, { reasoning_effort: effort });
    expect(asked.sent).toEqual(sent);
    // The request's own effort and the one an OpenAI model's name stands for mean the same.
    expect(switches(model, {}, effort).sent).toEqual(sent);
    const silent = Object.keys(sent ?? {}).length === 0;
    const dropped = asked.changes.some((change) => change.startsWith('reasoning_effort=dropped'));
    expect(dropped).toBe(silent);
  });
});

describe('nothing asked', () => {
  test.each<[string, Record<string, unknown>, boolean]>([
    ['ernie-5.0-thinking-latest', { enable_thinking: true }, true],
    ['ernie-5.0', { enable_thinking: false }, false],
    ['ernie-4.5-turbo-vl-preview', { enable_thinking: false }, false],
    ['qwen3-32b', { enable_thinking: false }, false],
    ['deepseek-v3.2', OFF, false],
    ['deepseek-v4-pro', OFF, false],
    ['ernie-x1.1', {}, true],
    ['deepseek-r1', {}, true],
    ['ernie-5.1', {}, true],
    ['ernie-4.5-turbo-128k', {}, false],
  ])('%s', (model, sent, stream) => {
    const said = switches(model, {});
    expect(said.sent).toEqual(sent);
    expect(said.stream).toBe(stream);
    expect(said.changes).toEqual([
      ...(sent['enable_thinking'] === undefined ? [] : ['enable_thinking=defaulted']),
      ...(sent['thinking'] === undefined ? [] : ['thinking=defaulted']),
      ...(stream ? ['stream=emulated'] : []),
    ]);
  });
});

describe('a wish that is lost is said to alter the answer', () => {
  test.each<[string, Effort, boolean]>([
    ['ernie-x1.1', 'none', true],
    ['ernie-x1.1', 'minimal', true],
    ['ernie-x1.1', 'high', false],
    ['deepseek-r1', 'none', true],
    ['ernie-4.5-turbo-128k', 'none', false],
    ['ernie-4.5-turbo-128k', 'minimal', false],
    ['ernie-4.5-turbo-128k', 'low', true],
    ['ernie-5.1', 'none', true],
    ['ernie-5.1', 'high', true],
  ])('%s, effort %s: %s', (model, effort, alters) => {
    expect(switches(model, { reasoning_effort: effort }).changes).toContain(`reasoning_effort=dropped${alters ? '!' : ''}`);
  });
});

describe("the client's own switch", () => {
  const enabled = { thinking: { type: 'enabled' } };
  test.each<[string, Record<string, unknown>, Record<string, unknown>, string[]]>([
    ['ernie-5.0', { enable_thinking: true }, { enable_thinking: true }, ['stream=emulated']],
    ['ernie-5.0', enabled, { enable_thinking: true }, ['thinking=renamed', 'stream=emulated']],
    ['deepseek-v3.2', { enable_thinking: true }, ON, ['enable_thinking=renamed', 'stream=emulated']],
    ['deepseek-v3.2', { thinking: { type: 'disabled', extra: 1 } }, OFF, []],
    ['ernie-5.0', { enable_thinking: false, ...enabled }, { enable_thinking: false }, ['thinking=dropped']],
    ['ernie-5.0', { enable_thinking: false, reasoning_effort: 'high' }, { enable_thinking: false }, ['reasoning_effort=dropped']],
    [
      'ernie-5.0',
      { enable_thinking: true, reasoning_effort: 'high' },
      { enable_thinking: true },
      ['reasoning_effort=dropped', 'stream=emulated'],
    ],
    [
      'qwen3-32b',
      { enable_thinking: true, reasoning_effort: 'low' },
      { enable_thinking: true, thinking_budget: 2048 },
      ['reasoning_effort=emulated', 'stream=emulated'],
    ],
    [
      'qwen3-32b',
      { enable_thinking: true, thinking_budget: 500, reasoning_effort: 'low' },
      { enable_thinking: true, thinking_budget: 500 },
      ['reasoning_effort=dropped', 'stream=emulated'],
    ],
    ['ernie-4.5-turbo-128k', { enable_thinking: true }, {}, ['enable_thinking=dropped!']],
    ['ernie-4.5-turbo-128k', { enable_thinking: false }, {}, ['enable_thinking=dropped']],
    [
      'ernie-4.5-turbo-128k',
      { thinking_budget: 500, thinking_strategy: 'short_think' },
      {},
      ['thinking_budget=dropped', 'thinking_strategy=dropped'],
    ],
    ['ernie-x1.1', { enable_thinking: false }, {}, ['enable_thinking=dropped!', 'stream=emulated']],
    ['ernie-5.1', { enable_thinking: true, thinking_budget: 500 }, { enable_thinking: true, thinking_budget: 500 }, ['stream=emulated']],
    ['ernie-5.1', enabled, enabled, ['stream=emulated']],
    ['ernie-5.0', { thinking_budget: 500 }, { enable_thinking: false }, ['thinking_budget=dropped!', 'enable_thinking=defaulted']],
  ])('%s %j', (model, request, sent, changes) => {
    const said = switches(model, request);
    expect(said.sent).toEqual(sent);
    expect(said.changes).toEqual(changes);
  });
});

describe('a bound on all tokens leaves room for the answer', () => {
  test.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ max_tokens: 1000 }, { max_completion_tokens: 1000, thinking_budget: 750 }],
    [{ max_completion_tokens: 1000 }, { max_completion_tokens: 1000, thinking_budget: 750 }],
    [{ max_completion_tokens: 134 }, { max_completion_tokens: 134, thinking_budget: 100 }],
    [{ max_completion_tokens: 30_000 }, { max_completion_tokens: 30_000, thinking_budget: undefined }],
    [
      { max_completion_tokens: 3000, reasoning_effort: 'low' },
      { max_completion_tokens: 3000, thinking_budget: 2048 },
    ],
    [
      { max_completion_tokens: 2048, reasoning_effort: 'low' },
      { max_completion_tokens: 2048, thinking_budget: 1536 },
    ],
    [
      { max_completion_tokens: 1000, thinking_budget: 5000 },
      { max_completion_tokens: 1000, thinking_budget: 750 },
    ],
    [
      { max_completion_tokens: 1000, reasoning_effort: 'none' },
      { max_completion_tokens: 1000, thinking_budget: undefined },
    ],
    [
      { max_tokens: 1000, reasoning_effort: 'none' },
      { max_tokens: 1000, thinking_budget: undefined },
    ],
  ])('%j', (request, expected) => {
    const { body } = plan(request, { model: 'ernie-5.0-thinking-latest' });
    for (const [field, value] of Object.entries(expected)) expect([field, body[field]]).toEqual([field, value]);
  });
});

describe('a bound that holds no thinking', () => {
  const FIVE = 'ernie-5.0-thinking-latest';
  const off = { enable_thinking: false, thinking_budget: undefined };
  test.each<[string, string, Record<string, unknown>, Record<string, unknown>, readonly string[]]>([
    ['by default', FIVE, { max_tokens: 133 }, { ...off, max_tokens: 133 }, ['enable_thinking=defaulted!']],
    ['total', FIVE, { max_completion_tokens: 20 }, { ...off, max_completion_tokens: 20 }, ['enable_thinking=defaulted!']],
    ['asked for', FIVE, { max_tokens: 20, reasoning_effort: 'high' }, { ...off, max_tokens: 20 }, ['reasoning_effort=emulated!']],
    [
      'in the words of the vendor',
      FIVE,
      { max_tokens: 20, enable_thinking: true, thinking_budget: 100 },
      { ...off, max_tokens: 20 },
      ['enable_thinking=emulated!', 'thinking_budget=dropped!'],
    ],
    ['not wanted', FIVE, { max_tokens: 20, reasoning_effort: 'none' }, { ...off, max_tokens: 20 }, ['reasoning_effort=emulated']],
    [
      'the other switch',
      'deepseek-v3.1-250821',
      { max_tokens: 20, reasoning_effort: 'low' },
      { thinking: { type: 'disabled' }, thinking_budget: undefined, max_tokens: 20 },
      ['reasoning_effort=emulated!'],
    ],
    [
      'no switch: the bound is raised',
      'deepseek-r1',
      { max_tokens: 20 },
      { max_completion_tokens: 134, thinking_budget: 100 },
      ['max_tokens=clamped!', 'max_tokens=renamed', 'thinking_budget=defaulted', 'stream=emulated'],
    ],
    ['no budget', 'ernie-x1.1', { max_tokens: 20 }, { max_completion_tokens: 20 }, ['max_tokens=renamed', 'stream=emulated']],
  ])('%s', (_what, model, request, body, changes) => {
    const made = plan(request, { model });
    for (const [field, value] of Object.entries(body)) expect([field, made.body[field]]).toEqual([field, value]);
    expect(made.changes).toEqual(changes);
  });
});
