import { describe, expect, test } from 'vitest';
import { type Situation, thinking } from './ask.ts';

describe('token limits', () => {
  const total: Situation = { model: 'qwen3.7-plus', thinking: 'default' };
  const apart: Situation = { model: 'qwen3-235b-a22b', thinking: 'default', facts: { maxOutputTokens: 16_000 } };
  const rows: [string, Record<string, unknown>, Situation, Record<string, unknown>, string[]][] = [
    ['max_tokens', { max_tokens: 100 }, {}, { max_tokens: 100 }, []],
    ['max_tokens above the most', { max_tokens: 1_000_000 }, {}, { max_tokens: 32_768 }, ['max_tokens=clamped']],
    ['max_completion_tokens without thinking', { max_completion_tokens: 100 }, {}, { max_tokens: 100 }, ['max_completion_tokens=renamed']],
    [
      'both',
      { max_completion_tokens: 100, max_tokens: 50 },
      {},
      { max_tokens: 100 },
      ['max_tokens=dropped', 'max_completion_tokens=renamed'],
    ],
    ['a most that is not known', { max_tokens: 1_000_000 }, { facts: { maxOutputTokens: null } }, { max_tokens: 1_000_000 }, []],
    [
      'one bound for both',
      { max_completion_tokens: 1000 },
      total,
      { max_completion_tokens: 1000, thinking_budget: 750 },
      ['thinking_budget=defaulted'],
    ],
    [
      'one bound for both, by the old name',
      { max_tokens: 1000 },
      total,
      { max_completion_tokens: 1000, thinking_budget: 750 },
      ['max_tokens=renamed', 'thinking_budget=defaulted'],
    ],
    [
      'a bound of one token',
      { max_completion_tokens: 1 },
      total,
      { max_completion_tokens: 1, thinking_budget: 1 },
      ['thinking_budget=defaulted'],
    ],
    [
      'a bound above all',
      { max_completion_tokens: Number.MAX_SAFE_INTEGER },
      total,
      { max_completion_tokens: 65_536 + 256_000, thinking_budget: 241_152 },
      ['max_completion_tokens=clamped', 'thinking_budget=defaulted'],
    ],
    [
      'a bound where the most is not known',
      { max_completion_tokens: 1_000_000 },
      { ...total, facts: { maxOutputTokens: null } },
      { max_completion_tokens: 1_000_000 },
      [],
    ],
    [
      'a budget below the bound',
      { max_completion_tokens: 1000, enable_thinking: true, thinking_budget: 500 },
      total,
      { max_completion_tokens: 1000, thinking_budget: 500 },
      [],
    ],
    [
      'a budget above the bound',
      { max_completion_tokens: 1000, enable_thinking: true, thinking_budget: 5000 },
      total,
      { max_completion_tokens: 1000, thinking_budget: 750 },
      ['thinking_budget=clamped'],
    ],
    [
      'an effort as a budget above the bound',
      { max_completion_tokens: 1000, reasoning_effort: 'high' },
      total,
      { max_completion_tokens: 1000, thinking_budget: 750 },
      ['reasoning_effort=emulated', 'thinking_budget=defaulted'],
    ],
    [
      'an effort in words has no budget beside it',
      { max_completion_tokens: 1000, reasoning_effort: 'low' },
      { model: 'qwen3.8-max' },
      { max_completion_tokens: 1000, reasoning_effort: 'low' },
      [],
    ],
    [
      'no effort: a budget',
      { max_completion_tokens: 1000 },
      { model: 'qwen3.8-max', thinking: 'default' },
      { max_completion_tokens: 1000, thinking_budget: 750 },
      ['thinking_budget=defaulted'],
    ],
    [
      'a hosted model has no budget',
      { max_completion_tokens: 1000, enable_thinking: true },
      { model: 'deepseek-v4-pro' },
      { max_completion_tokens: 1000 },
      [],
    ],
    ['split', { max_completion_tokens: 1000 }, apart, { max_tokens: 250, thinking_budget: 750 }, ['max_completion_tokens=emulated!']],
    [
      'split, of one token',
      { max_completion_tokens: 1 },
      apart,
      { max_tokens: 1, thinking_budget: 1 },
      ['max_completion_tokens=emulated!'],
    ],
    [
      'split, beyond the most',
      { max_completion_tokens: 1_000_000 },
      apart,
      { max_tokens: 16_000, thinking_budget: 38_000 },
      ['max_completion_tokens=clamped', 'max_completion_tokens=emulated!'],
    ],
    [
      'split around a budget',
      { max_completion_tokens: 1000, enable_thinking: true, thinking_budget: 100 },
      apart,
      { max_tokens: 900, thinking_budget: 100 },
      ['max_completion_tokens=emulated!'],
    ],
    ['the answer alone', { max_tokens: 1000 }, apart, { max_tokens: 1000, thinking_budget: 8192 }, ['max_tokens=emulated!']],
    [
      'the answer alone, beside an effort',
      { max_tokens: 1000, reasoning_effort: 'low' },
      apart,
      { max_tokens: 1000, thinking_budget: 2048 },
      ['reasoning_effort=emulated', 'max_tokens=emulated!'],
    ],
    [
      'the answer alone, most not known',
      { max_tokens: 99_999 },
      { ...apart, facts: { maxOutputTokens: null } },
      { max_tokens: 99_999, thinking_budget: 8192 },
      ['max_tokens=emulated!'],
    ],
    [
      'always thinking',
      { max_completion_tokens: 1000 },
      { model: 'qwq-plus' },
      { max_tokens: 250, thinking_budget: 750 },
      ['max_completion_tokens=emulated!'],
    ],
  ];
  test.each(rows)('%s', (_name, asked, situation, sent, noted) => {
    const [{ enable_thinking: _enable, ...body }, changes] = thinking(asked, situation);
    expect([body, changes.filter((change) => !change.startsWith('enable'))]).toEqual([sent, noted]);
  });
});
