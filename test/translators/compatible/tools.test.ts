import { describe, expect, test } from 'vitest';
import { carryTools, type ToolRules } from '../../../translators/compatible/tools.ts';
import { changes, draft, refused } from './drafting.ts';

const RULES: ToolRules = { reservedNames: ['search'], choices: () => 'send', parallelSwitch: true, parallelByDefault: true };
const EMULATE: Partial<ToolRules> = { choices: (wanted) => (wanted === 'auto' ? 'send' : 'emulate') };
const spec = (name: string, more: object = {}) => ({
  name,
  description: `About ${name}`,
  parameters: { type: 'object', properties: {} },
  ...more,
});
const tool = (name: string, more: object = {}) => ({ type: 'function', function: spec(name, more) });
const named = (name: string) => ({ type: 'function', function: { name } });
const TOOLS = [tool('look'), tool('jump')];
const allowed = (mode: string, ...names: string[]) => ({ type: 'allowed_tools', allowed_tools: { mode, tools: names.map(named) } });

function carry(request: Record<string, unknown>, rules: Partial<ToolRules> = {}) {
  const made = draft(request);
  carryTools(made, { ...RULES, ...rules });
  const { model: _model, ...body } = made.body;
  return { body, emulation: made.emulation, instructions: made.instructions, changes: changes(made) };
}

interface Sent {
  body?: object;
  emulation?: object;
  instructions?: string[];
  changes?: string[];
}
type Row = [string, Record<string, unknown>, Sent, Partial<ToolRules>?];

const check = (_name: string, request: Record<string, unknown>, sent: Sent, rules?: Partial<ToolRules>): void => {
  expect(carry(request, rules)).toEqual({ body: {}, emulation: {}, instructions: [], changes: [], ...sent });
};

describe('tools', () => {
  test.each<Row>([
    ['none', {}, {}],
    [
      'an empty list',
      { tools: [], tool_choice: 'auto', parallel_tool_calls: true },
      { changes: ['tools=dropped', 'tool_choice=dropped', 'parallel_tool_calls=dropped'] },
    ],
    ['a deprecated choice of nothing', { function_call: 'auto' }, { changes: ['function_call=dropped'] }],
    ['as they are', { tools: TOOLS }, { body: { tools: TOOLS } }],
    [
      'without description and parameters',
      { tools: [{ type: 'function', function: { name: 'look' } }, tool('jump')] },
      { body: { tools: [tool('look', { description: 'look' }), tool('jump')] }, changes: ['tools=defaulted'] },
    ],
    ['strict', { tools: [tool('look', { strict: true })] }, { body: { tools: [tool('look')] }, changes: ['tools=dropped!'] }],
    ['strict false or null', { tools: [tool('look', { strict: false }), tool('jump', { strict: null })] }, { body: { tools: TOOLS } }],
    [
      'a name that the vendor refuses',
      { tools: [tool('search')], tool_choice: named('search') },
      {
        body: { tools: [tool('search', { name: 'search_' })], tool_choice: named('search_') },
        emulation: { functionNames: new Map([['search_', 'search']]), mustCall: { name: 'search' } },
        changes: ['tools=emulated'],
      },
    ],
    [
      'a name that the vendor refuses, beside the one it would get',
      { tools: [tool('search'), tool('search_')] },
      {
        body: { tools: [tool('search', { name: 'search__' }), tool('search_')] },
        emulation: { functionNames: new Map([['search__', 'search']]) },
        changes: ['tools=emulated'],
      },
    ],
  ])('%s', check);

  test('a custom tool is refused by its place, unless it is not allowed anyhow', () => {
    const tools = [tool('look'), { type: 'custom', custom: { name: 'sql' } }];
    const error = refused(() => carry({ tools }));
    expect([error.kind, error.details.param, error.details.fallback]).toEqual(['unsupported_value', 'tools[1].type', true]);
    expect(carry({ tools, tool_choice: allowed('auto', 'look') }).body).toEqual({ tools: [tool('look')], tool_choice: 'auto' });
    const behind = [tool('look'), tool('jump'), { type: 'custom', custom: { name: 'sql' } }];
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'custom', custom: { name: 'sql' } }] } };
    expect(refused(() => carry({ tools: behind, tool_choice: choice })).details.param).toBe('tools[2].type');
  });

  test.each([
    ['tools', { tools: TOOLS }],
    ['functions', { functions: [spec('look')] }],
  ])('%s of a model that has none are refused', (field, request) => {
    const error = refused(() => carryTools(draft(request, { facts: { tools: false } }), RULES));
    expect([error.kind, error.details.param]).toEqual(['unsupported_parameter', field]);
  });
});

describe('tool_choice', () => {
  const must = (name: string | null) => ({ mustCall: { name } });
  test.each<Row>([
    ['auto', { tools: TOOLS, tool_choice: 'auto' }, { body: { tools: TOOLS, tool_choice: 'auto' } }],
    ['none', { tools: TOOLS, tool_choice: 'none' }, { body: { tools: TOOLS, tool_choice: 'none' }, emulation: { noCalls: true } }],
    [
      'none, emulated',
      { tools: TOOLS, tool_choice: 'none', parallel_tool_calls: true },
      { emulation: { noCalls: true }, changes: ['tool_choice=emulated', 'tools=dropped', 'parallel_tool_calls=dropped'] },
      EMULATE,
    ],
    ['required', { tools: TOOLS, tool_choice: 'required' }, { body: { tools: TOOLS, tool_choice: 'required' }, emulation: must(null) }],
    [
      'required, emulated',
      { tools: TOOLS, tool_choice: 'required' },
      {
        body: { tools: TOOLS, tool_choice: 'auto' },
        emulation: must(null),
        instructions: ['You must call at least one of the provided functions. Do not answer with text.'],
        changes: ['tool_choice=emulated!'],
      },
      EMULATE,
    ],
    [
      'named',
      { tools: TOOLS, tool_choice: named('jump') },
      { body: { tools: TOOLS, tool_choice: named('jump') }, emulation: must('jump') },
    ],
    [
      'named, emulated',
      { tools: TOOLS, tool_choice: named('jump') },
      {
        body: { tools: [tool('jump')], tool_choice: 'auto' },
        emulation: must('jump'),
        instructions: ['You must call the function "jump". Do not answer with text.'],
        changes: ['tool_choice=emulated!'],
      },
      EMULATE,
    ],
    [
      'some allowed',
      { tools: TOOLS, tool_choice: allowed('auto', 'jump') },
      { body: { tools: [tool('jump')], tool_choice: 'auto' }, changes: ['tool_choice=emulated'] },
    ],
    [
      'some allowed, one required',
      { tools: TOOLS, tool_choice: allowed('required', 'jump') },
      { body: { tools: [tool('jump')], tool_choice: 'required' }, emulation: must(null), changes: ['tool_choice=emulated'] },
    ],
  ])('%s', check);
});

describe('parallel_tool_calls', () => {
  const first = { firstCallOnly: true };
  test.each<Row>([
    ['absent, and the vendor does', { tools: TOOLS }, { body: { tools: TOOLS } }],
    [
      'absent, and the vendor does not',
      { tools: TOOLS },
      { body: { tools: TOOLS, parallel_tool_calls: true }, changes: ['parallel_tool_calls=defaulted'] },
      { parallelByDefault: false },
    ],
    ['true', { tools: TOOLS, parallel_tool_calls: true }, { body: { tools: TOOLS, parallel_tool_calls: true } }],
    [
      'true, without a switch',
      { tools: TOOLS, parallel_tool_calls: true },
      { body: { tools: TOOLS }, changes: ['parallel_tool_calls=dropped'] },
      { parallelSwitch: false },
    ],
    ['false', { tools: TOOLS, parallel_tool_calls: false }, { body: { tools: TOOLS, parallel_tool_calls: false }, emulation: first }],
    [
      'false, without a switch',
      { tools: TOOLS, parallel_tool_calls: false },
      { body: { tools: TOOLS }, emulation: first, changes: ['parallel_tool_calls=emulated!'] },
      { parallelSwitch: false },
    ],
  ])('%s', check);
});

describe('the deprecated form', () => {
  const functions = [spec('look')];
  const one = { tools: [tool('look')], parallel_tool_calls: false };
  test.each<Row>([
    ['functions', { functions }, { body: one, emulation: { firstCallOnly: true }, changes: ['functions=renamed'] }],
    [
      'with parallel_tool_calls',
      { functions, parallel_tool_calls: true },
      { body: one, emulation: { firstCallOnly: true }, changes: ['functions=renamed', 'parallel_tool_calls=dropped'] },
    ],
    [
      'auto',
      { functions, function_call: 'auto' },
      {
        body: { ...one, tool_choice: 'auto' },
        emulation: { firstCallOnly: true },
        changes: ['functions=renamed', 'function_call=renamed'],
      },
    ],
    [
      'none',
      { functions, function_call: 'none' },
      {
        body: { ...one, tool_choice: 'none' },
        emulation: { firstCallOnly: true, noCalls: true },
        changes: ['functions=renamed', 'function_call=renamed'],
      },
    ],
    [
      'named',
      { functions, function_call: { name: 'look' } },
      {
        body: { ...one, tool_choice: named('look') },
        emulation: { firstCallOnly: true, mustCall: { name: 'look' } },
        changes: ['functions=renamed', 'function_call=renamed'],
      },
    ],
    [
      'named, emulated',
      { functions, function_call: { name: 'look' } },
      {
        body: { ...one, tool_choice: 'auto' },
        emulation: { firstCallOnly: true, mustCall: { name: 'look' } },
        instructions: ['You must call the function "look". Do not answer with text.'],
        changes: ['functions=renamed', 'function_call=renamed', 'function_call=emulated!'],
      },
      EMULATE,
    ],
    [
      'none, emulated',
      { functions, function_call: 'none' },
      {
        emulation: { noCalls: true },
        changes: ['functions=renamed', 'function_call=renamed', 'function_call=emulated', 'functions=dropped'],
      },
      EMULATE,
    ],
  ])('%s', check);
});
