import { expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { plan, type Wish } from './plan.ts';

const TIDE = { type: 'function', function: { name: 'tide' } };
const TOOLS = { tools: [TIDE] };

test.each<[string, Record<string, unknown>, string, Wish?]>([
  ['tools of a model without', TOOLS, 'tools', { model: 'ernie-char-fiction-8k' }],
  ['functions of a model without', { functions: [{ name: 'a' }] }, 'functions', { model: 'ernie-speed-pro-128k' }],
  ['custom tool', { tools: [TIDE, { type: 'custom', custom: { name: 'c' } }] }, 'tools[1].type'],
  ['audio', { audio: { voice: 'x' } }, 'audio'],
  ['modalities', { modalities: ['text', 'audio'] }, 'modalities'],
  ['penalty_score', { penalty_score: 0 }, 'penalty_score'],
  ['repetition_penalty', { repetition_penalty: '1' }, 'repetition_penalty'],
  ['thinking_budget', { thinking_budget: 99 }, 'thinking_budget'],
  ['thinking_strategy', { thinking_strategy: 'long' }, 'thinking_strategy'],
  ['enable_thinking', { enable_thinking: 'yes' }, 'enable_thinking'],
  ['thinking', { thinking: { type: 'on' } }, 'thinking'],
  ['web_search', { web_search: true }, 'web_search'],
  ['web_search.search_number', { web_search: { search_number: 29 } }, 'web_search.search_number'],
])('%s is refused by name', (_name, request, param, wish) => {
  const thrown = (() => {
    try {
      return plan(request, wish);
    } catch (error) {
      return error as OpenAIError;
    }
  })();
  expect(thrown).toBeInstanceOf(OpenAIError);
  expect(thrown).toMatchObject({ status: 400, details: { param, fallback: true } });
});
