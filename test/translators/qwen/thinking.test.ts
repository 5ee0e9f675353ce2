import { describe, expect, test } from 'vitest';
import type { Effort } from '../../../openai/chat/request.ts';
import { ask, EFFORTS, HI, refusal, type Situation, thinking } from './ask.ts';

type Sent = [Record<string, unknown>, string[]];

describe('an effort that was asked for', () => {
  const OFF: Sent = [{ enable_thinking: false }, ['reasoning_effort=renamed']];
  const budget = (tokens: number | null): Sent => [
    { enable_thinking: true, ...(tokens === null ? {} : { thinking_budget: tokens }) },
    ['reasoning_effort=emulated'],
  ];
  const effort = (word: string, asked: Effort): Sent => [
    { enable_thinking: true, reasoning_effort: word },
    word === asked ? [] : ['reasoning_effort=clamped'],
  ];
  const always = (tokens: number | null): Sent => [tokens === null ? {} : { thinking_budget: tokens }, ['reasoning_effort=emulated']];
  const none = (alters: boolean): Sent => [{}, [`reasoning_effort=dropped${alters ? '!' : ''}`]];

  /** Model → what becomes of none, minimal, low, medium, high, xhigh, max. */
  const TABLE: Record<string, readonly Sent[]> = {
    'qwen-plus': [OFF, budget(512), budget(2048), budget(8192), budget(32_768), budget(null), budget(null)],
    'qwen3.7-plus': [OFF, budget(512), budget(2048), budget(8192), budget(32_768), budget(null), budget(null)],
    'qwen3-32b': [OFF, budget(512), budget(2048), budget(8192), budget(32_768), budget(null), budget(null)],
    'qwen3-0.6b': [OFF, budget(512), budget(2048), budget(8192), budget(30_000), budget(null), budget(null)],
    'deepseek-v3.2': [OFF, budget(512), budget(2048), budget(8192), budget(32_768), budget(null), budget(null)],
    'qwen3.8-max': [
      OFF,
      effort('low', 'minimal'),
      effort('low', 'low'),
      effort('medium', 'medium'),
      effort('xhigh', 'high'),
      effort('xhigh', 'xhigh'),
      effort('xhigh', 'max'),
    ],
    'qwen3.8-flash': [
      OFF,
      effort('low', 'minimal'),
      effort('low', 'low'),
      effort('medium', 'medium'),
      effort('xhigh', 'high'),
      effort('xhigh', 'xhigh'),
      effort('xhigh', 'max'),
    ],
    'deepseek-v4-pro': [
      OFF,
      effort('high', 'minimal'),
      effort('high', 'low'),
      effort('high', 'medium'),
      effort('high', 'high'),
      effort('max', 'xhigh'),
      effort('max', 'max'),
    ],
    'glm-5.1': [
      OFF,
      effort('high', 'minimal'),
      effort('high', 'low'),
      effort('high', 'medium'),
      effort('high', 'high'),
      effort('max', 'xhigh'),
      effort('max', 'max'),
    ],
    'qwq-plus': [none(true), always(512), always(2048), always(8192), always(null), always(null), always(null)],
    'qwen3-235b-a22b-thinking-2507': [none(true), always(512), always(2048), always(8192), always(null), always(null), always(null)],
    'deepseek-r1': [none(true), always(512), always(2048), always(8192), always(null), always(null), always(null)],
    'qwen-max': [none(false), none(false), none(true), none(true), none(true), none(true), none(true)],
    'qwen3-coder-plus': [none(false), none(false), none(true), none(true), none(true), none(true), none(true)],
    'qwen3-30b-a3b-instruct-2507': [none(false), none(false), none(true), none(true), none(true), none(true), none(true)],
    'never-heard-of': [none(false), none(false), none(true), none(true), none(true), none(true), none(true)],
  };

  const rows = Object.entries(TABLE).flatMap(([model, list]) => EFFORTS.map((asked, at) => [model, asked, list[at] as Sent] as const));
  test.each(rows)('%s, %s', (model, asked, sent) => {
    expect(thinking({ reasoning_effort: asked }, { model, thinking: 'default' })).toEqual(sent);
  });
});

describe("the relay's own setting, always said aloud", () => {
  test.each<[string, NonNullable<Situation['thinking']>, Sent]>([
    ['qwen-plus', 'default', [{ enable_thinking: false }, ['enable_thinking=defaulted']]],
    ['qwen-plus', 'none', [{ enable_thinking: false }, ['enable_thinking=defaulted']]],
    ['qwen-plus', 'low', [{ enable_thinking: true, thinking_budget: 2048 }, ['enable_thinking=defaulted', 'thinking_budget=defaulted']]],
    ['qwen-plus', 'max', [{ enable_thinking: true }, ['enable_thinking=defaulted']]],
    ['qwen3.7-plus', 'default', [{ enable_thinking: true }, ['enable_thinking=defaulted']]],
    ['qwen3.7-plus', 'none', [{ enable_thinking: false }, ['enable_thinking=defaulted']]],
    ['qwen3.8-max', 'default', [{ enable_thinking: true }, ['enable_thinking=defaulted']]],
    [
      'qwen3.8-max',
      'high',
      [{ enable_thinking: true, reasoning_effort: 'xhigh' }, ['enable_thinking=defaulted', 'reasoning_effort=defaulted']],
    ],
    ['qwq-plus', 'none', [{}, []]],
    ['qwq-plus', 'low', [{ thinking_budget: 2048 }, ['thinking_budget=defaulted']]],
    ['qwen-max', 'high', [{}, []]],
  ])('%s, %s', (model, setting, sent) => {
    expect(thinking({}, { model, thinking: setting })).toEqual(sent);
  });
});

describe("the client's own switches win", () => {
  const LIVELY: Situation = { model: 'qwen3.7-plus', thinking: 'none' };
  const EFFORT: Situation = { model: 'qwen3.8-max', thinking: 'none' };
  test.each<[string, Record<string, unknown>, Situation, Sent]>([
    ['on', { enable_thinking: true }, LIVELY, [{ enable_thinking: true }, []]],
    ['off', { enable_thinking: false }, { ...LIVELY, thinking: 'high' }, [{ enable_thinking: false }, []]],
    [
      'on with an effort',
      { enable_thinking: true, reasoning_effort: 'low' },
      LIVELY,
      [{ enable_thinking: true, thinking_budget: 2048 }, ['reasoning_effort=emulated']],
    ],
    [
      'on with the effort none',
      { enable_thinking: true, reasoning_effort: 'none' },
      LIVELY,
      [{ enable_thinking: true }, ['reasoning_effort=dropped!']],
    ],
    [
      'off with an effort',
      { enable_thinking: false, reasoning_effort: 'high' },
      LIVELY,
      [{ enable_thinking: false }, ['reasoning_effort=dropped!']],
    ],
    [
      'off with the effort none',
      { enable_thinking: false, reasoning_effort: 'none' },
      LIVELY,
      [{ enable_thinking: false }, ['reasoning_effort=renamed']],
    ],
    ['a budget', { enable_thinking: true, thinking_budget: 500 }, LIVELY, [{ enable_thinking: true, thinking_budget: 500 }, []]],
    [
      'a budget above the most',
      { enable_thinking: true, thinking_budget: 999_999 },
      LIVELY,
      [{ enable_thinking: true, thinking_budget: 256_000 }, ['thinking_budget=clamped']],
    ],
    [
      'a budget and an effort',
      { reasoning_effort: 'high', thinking_budget: 500 },
      LIVELY,
      [{ enable_thinking: true, thinking_budget: 500 }, ['reasoning_effort=dropped']],
    ],
    [
      'a budget and an effort where both have a name',
      { reasoning_effort: 'high', thinking_budget: 500 },
      EFFORT,
      [{ enable_thinking: true, thinking_budget: 500 }, ['reasoning_effort=dropped']],
    ],
    [
      "a budget and the relay's effort",
      { thinking_budget: 500 },
      { ...EFFORT, thinking: 'high' },
      [{ enable_thinking: true, thinking_budget: 500 }, ['enable_thinking=defaulted']],
    ],
    [
      'a budget without thinking',
      { enable_thinking: false, thinking_budget: 500 },
      LIVELY,
      [{ enable_thinking: false }, ['thinking_budget=dropped']],
    ],
    [
      'on, of a model that does not think',
      { enable_thinking: true, thinking_budget: 5, preserve_thinking: true },
      { model: 'qwen-max' },
      [{}, ['enable_thinking=dropped!', 'thinking_budget=dropped', 'preserve_thinking=dropped']],
    ],
    ['off, of a model that does not think', { enable_thinking: false }, { model: 'qwen-max' }, [{}, ['enable_thinking=dropped']]],
    ['off, of a model that always thinks', { enable_thinking: false }, { model: 'qwq-plus' }, [{}, ['enable_thinking=dropped!']]],
    [
      'on, of a model that always thinks',
      { enable_thinking: true, thinking_budget: 500 },
      { model: 'qwq-plus' },
      [{ thinking_budget: 500 }, ['enable_thinking=dropped']],
    ],
    [
      'earlier thinking',
      { enable_thinking: true, preserve_thinking: true },
      LIVELY,
      [{ enable_thinking: true, preserve_thinking: true }, []],
    ],
  ])('%s', (_name, asked, situation, sent) => {
    expect(thinking(asked, situation)).toEqual(sent);
  });

  test.each([
    ['enable_thinking', 'yes'],
    ['preserve_thinking', 1],
    ['thinking_budget', 0],
    ['thinking_budget', 1.5],
    ['thinking_budget', '500'],
  ])('%s of %j is refused by name', (field, value) => {
    const error = refusal({ enable_thinking: true, [field]: value }, LIVELY);
    expect([error.kind, error.details.param]).toEqual(['unsupported_value', field]);
  });
});

describe('a text to be continued', () => {
  const messages = [...HI, { role: 'assistant', content: 'Once', partial: true }];
  test('switches thinking off', () => {
    const { body } = ask({ messages }, { model: 'qwen3.7-plus', thinking: 'default' });
    expect(body).toMatchObject({ enable_thinking: false, messages });
  });
  test('is refused by models that always think', () => {
    expect(refusal({ messages }, { model: 'qwq-plus' }).details.param).toBe('messages[1].partial');
  });
});
