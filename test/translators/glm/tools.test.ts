import { describe, expect, test } from 'vitest';
import { ALWAYS, ask, HI, TOOLS } from './ask.ts';

describe('tools', () => {
  const named = { type: 'function', function: { name: 'jump' } };
  const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [named] } };
  test.each([
    ['absent', {}, { tools: TOOLS }, {}, []],
    ['auto', { tool_choice: 'auto' }, { tools: TOOLS, tool_choice: 'auto' }, {}, []],
    ['none', { tool_choice: 'none' }, {}, { noCalls: true }, ['tool_choice=emulated', 'tools=dropped']],
    [
      'required',
      { tool_choice: 'required' },
      { tools: TOOLS, tool_choice: 'auto' },
      { mustCall: { name: null } },
      ['tool_choice=emulated!'],
    ],
    [
      'named',
      { tool_choice: named },
      { tools: [TOOLS[1]], tool_choice: 'auto' },
      { mustCall: { name: 'jump' } },
      ['tool_choice=emulated!'],
    ],
    ['allowed', { tool_choice: allowed }, { tools: [TOOLS[1]], tool_choice: 'auto' }, {}, ['tool_choice=emulated']],
    ['parallel', { parallel_tool_calls: true }, { tools: TOOLS }, {}, ['parallel_tool_calls=dropped']],
    ['one at a time', { parallel_tool_calls: false }, { tools: TOOLS }, { firstCallOnly: true }, ['parallel_tool_calls=emulated!']],
  ])('tool_choice %s', (_what, request, body, emulation, changes) => {
    const asked = ask({ tools: TOOLS, ...request });
    const { messages, ...rest } = asked.body;
    const { messages: _, ...always } = ALWAYS;
    expect(rest).toEqual({ ...always, ...body });
    expect(asked.emulation).toEqual(emulation);
    expect(asked.changes).toEqual(changes);
    const forced = 'mustCall' in emulation;
    expect(messages).toEqual(forced ? [{ role: 'system', content: expect.stringContaining('must call') }, ...HI] : HI);
  });
  test('missing description and parameters are filled, strict is dropped', () => {
    const { body, changes } = ask({ tools: [{ type: 'function', function: { name: 'look', strict: true } }] });
    expect(body['tools']).toEqual([
      { type: 'function', function: { name: 'look', description: 'look', parameters: { type: 'object', properties: {} } } },
    ]);
    expect(changes).toEqual(['tools=dropped!', 'tools=defaulted']);
  });
  test('the deprecated form', () => {
    const asked = ask({ functions: [TOOLS[0]?.function], function_call: 'auto' });
    expect(asked.body).toEqual({ ...ALWAYS, tools: [TOOLS[0]], tool_choice: 'auto' });
    expect(asked.emulation).toEqual({ firstCallOnly: true });
    expect(asked.changes).toEqual(['functions=renamed', 'function_call=renamed']);
    expect(ask({ functions: [TOOLS[0]?.function], function_call: { name: 'look' } }).emulation.mustCall).toEqual({ name: 'look' });
  });
  test.each([
    ['glm-5.3', true],
    ['glm-5.3-flash', true],
    ['glm-5.2', true],
    ['glm-5.1', true],
    ['glm-5', true],
    ['glm-5-turbo', true],
    ['glm-4.7', true],
    ['glm-4.7-flashx', true],
    ['glm-4.6', true],
    ['glm-5-code', undefined],
    ['glm-5v-turbo', undefined],
    ['glm-4.6v', undefined],
    ['glm-4.5', undefined],
    ['glm-4-plus', undefined],
  ])('tool_stream of %s: %s', (model, sent) => {
    expect(ask({ tools: TOOLS, stream: true }, { model }).body['tool_stream']).toBe(sent);
    expect(ask({ tools: TOOLS }, { model }).body['tool_stream']).toBeUndefined();
    expect(ask({ stream: true }, { model }).body['tool_stream']).toBeUndefined();
    expect(ask({ tools: TOOLS, stream: true, tool_choice: 'none' }, { model }).body['tool_stream']).toBeUndefined();
  });
  test('tool_stream is the caller’s if sent', () => {
    expect(ask({ tools: TOOLS, stream: true }).changes).toEqual(['tool_stream=defaulted']);
    expect(ask({ tools: TOOLS, stream: true, tool_stream: false })).toMatchObject({ body: { tool_stream: false }, changes: [] });
    expect(ask({ stream: true, tool_stream: true }).changes).toEqual(['tool_stream=dropped']);
  });
});

describe('JSON modes', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } };
  const format = { type: 'json_schema', json_schema: { name: 'answer', schema } };
  test('json_schema on a text model', () => {
    const asked = ask({ response_format: format });
    expect(asked.body['response_format']).toEqual({ type: 'json_object' });
    expect(asked.emulation).toEqual({ json: { schema } });
    expect(JSON.stringify(asked.body['messages'])).toContain('JSON schema');
    expect(asked.changes).toEqual(['response_format=emulated!']);
  });
  test.each(['glm-4.6v', 'glm-5.3-flash', 'glm-4.5v', 'glm-4v-plus'])('no JSON mode on vision model %s', (model) => {
    for (const response_format of [format, { type: 'json_object' }]) {
      const asked = ask({ response_format }, { model });
      expect(asked.body['response_format']).toBeUndefined();
      expect(asked.emulation.json).toEqual({ schema: response_format === format ? schema : null });
      expect(asked.changes).toEqual(['response_format=emulated!']);
      expect(asked.body['messages']).toMatchObject([{ role: 'system', content: expect.stringContaining('JSON') }, ...HI]);
    }
  });
  test('the catalogue’s word on a vision model does not outweigh the documents', () => {
    expect(
      ask({ response_format: { type: 'json_object' } }, { model: 'glm-5.3-flash', known: { jsonObject: true } }).body['response_format'],
    ).toBeUndefined();
  });
});

test('tool_choice none after calls: the tools stay for the history, and no new call comes out', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
  const messages = [
    ...HI,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call_1', content: 'A' },
  ];
  const { body, emulation, changes } = ask({ messages, tools: TOOLS, tool_choice: 'none' });
  expect(body['tools']).toEqual(TOOLS);
  expect(body).not.toHaveProperty('tool_choice');
  expect(emulation).toEqual({ noCalls: true });
  expect(changes).toEqual(['tool_choice=emulated!']);
});
