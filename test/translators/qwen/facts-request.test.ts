/**
 * Alibaba's chat reference and error page about requests as tables, a row for each rule that no other table of this folder has: what an app sends
 * that the vendor would refuse or misread, and what goes to it instead.
 */
import { describe, expect, test } from 'vitest';
import { ask, extras, HI, refusal, type Situation, TOOLS, tool } from './ask.ts';

type Row = [fact: string, asked: Record<string, unknown>, sent: Record<string, unknown>, changes: string[], situation?: Situation];

const THINKS: Situation = { model: 'qwen3.7-plus', thinking: 'high' };
const call = (id: string, args = '{}', name = 'look') => ({ id, type: 'function', function: { name, arguments: args } });
const asks = (...calls: object[]) => ({ role: 'assistant', content: null, tool_calls: calls });
const answers = (id: string, content: unknown = 'seen') => ({ role: 'tool', tool_call_id: id, content });

describe('Chat reference, fields', () => {
  test.each<Row>([
    ['defaults of OpenAI are not injected', {}, {}, []],
    ['temperature [0, 2): 2 is refused', { temperature: 1.9999 }, { temperature: 1.99 }, ['temperature=clamped!']],
    ['top_p (0, 1]: 0 is refused', { top_p: 0.0001 }, { top_p: 0.001 }, ['top_p=clamped!']],
    ['top_k is the vendor’s own', { top_k: 0 }, { top_k: 0 }, []],
    ['seed [0, 2^31-1]', { seed: -2 }, { seed: 2 }, ['seed=clamped']],
    ['max_tokens from 1', { max_tokens: 1 }, { max_tokens: 1 }, []],
    ['stop: a list of four words', { stop: ['a', 'b', 'c', 'd'] }, { stop: ['a', 'b', 'c', 'd'] }, []],
    ['stream_options only with stream', { stream_options: { include_usage: true } }, {}, ['stream_options=dropped']],
    ['tools: [] is refused', { tools: [], tool_choice: 'none' }, {}, ['tools=dropped', 'tool_choice=dropped']],
    ['tool_stream', { tool_stream: true }, { tool_stream: true }, []],
    ['ocr_options', { ocr_options: { task: 'table_parsing' } }, { ocr_options: { task: 'table_parsing' } }, []],
    ['asr_options', { asr_options: { language: 'zh' } }, { asr_options: { language: 'zh' } }, []],
    ['enable_code_interpreter only while thinking', { enable_code_interpreter: true }, {}, ['enable_code_interpreter=dropped!']],
    ['enable_code_interpreter, off', { enable_code_interpreter: false }, {}, ['enable_code_interpreter=dropped']],
    ['clear_thinking is for GLM', { clear_thinking: true }, {}, ['clear_thinking=dropped!']],
    [
      'objects of other vendors break the body',
      { thinking: { type: 'enabled' }, reasoning: { effort: 'low' }, output_config: {}, extra_body: { top_k: 1 } },
      {},
      ['thinking=dropped!', 'reasoning=dropped!', 'output_config=dropped!', 'extra_body=dropped!'],
    ],
  ])('%s', (_fact, asked, sent, changes, situation) => {
    expect(extras(asked, situation)).toEqual({ body: sent, changes });
  });

  test('enable_code_interpreter goes to a model that thinks', () => {
    expect(ask({ enable_code_interpreter: true }, THINKS).body['enable_code_interpreter']).toBe(true);
  });

  test('stop: what goes beyond four words is cut by the relay', () => {
    const { body, emulation } = ask({ stop: ['a', 'b', 'c', 'd', 'e'] });
    expect((body['stop'] as string[]).length).toBeLessThanOrEqual(4);
    expect(emulation.stop).toContain('e');
  });
});

describe('Chat reference, messages', () => {
  test.each<[fact: string, messages: unknown[], sent: unknown[], changes: string[]]>([
    [
      'developer is no role: system, and first',
      [...HI, { role: 'developer', content: 'Be brief' }],
      [{ role: 'system', content: 'Be brief' }, ...HI],
      ['messages[1].role=renamed', 'messages[1]=emulated!'],
    ],
    [
      'several system messages are one',
      [{ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, ...HI],
      [{ role: 'system', content: 'A\n\nB' }, ...HI],
      ['messages[1].role=renamed', 'messages[1]=emulated'],
    ],
    ['what a user types is never stripped', [{ role: 'user', content: '/no_think Hi' }], [{ role: 'user', content: '/no_think Hi' }], []],
    [
      'a content is required: "" beside calls',
      [...HI, asks(call('call_1')), answers('call_1')],
      [...HI, { ...asks(call('call_1')), content: '' }, answers('call_1')],
      [],
    ],
    [
      'arguments must be JSON',
      [...HI, asks(call('call_1', ''), call('call_2', '{"a":')), answers('call_1'), answers('call_2')],
      [...HI, { ...asks(call('call_1'), call('call_2', '{"text":"{\\"a\\":"}')), content: '' }, answers('call_1'), answers('call_2')],
      ['messages[1].tool_calls[1].function.arguments=emulated!'],
    ],
    [
      'a tool’s answer is a string',
      [...HI, asks(call('call_1')), answers('call_1', [{ type: 'text', text: 'A' }])],
      [...HI, { ...asks(call('call_1')), content: '' }, answers('call_1', 'A')],
      [],
    ],
    [
      'the function role is a tool’s, with the id of the call',
      [
        ...HI,
        { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{}' } },
        { role: 'function', name: 'look', content: 'seen' },
      ],
      [...HI, { ...asks(call('call_legacy_2')), content: '' }, answers('call_legacy_2')],
      ['messages[1].function_call=renamed', 'messages[2].role=renamed'],
    ],
    [
      'thinking of earlier turns is not used',
      [...HI, { role: 'assistant', content: 'A', reasoning_content: 'Hm' }, ...HI],
      [...HI, { role: 'assistant', content: 'A' }, ...HI],
      ['messages[1].reasoning_content=dropped'],
    ],
    [
      'thinking of the open tool loop is needed',
      [...HI, { ...asks(call('call_1')), reasoning_content: 'Hm' }, answers('call_1')],
      [...HI, { ...asks(call('call_1')), content: '', reasoning_content: 'Hm' }, answers('call_1')],
      [],
    ],
    [
      'name is not documented',
      [{ role: 'system', content: 'A', name: 'B' }, ...HI],
      [{ role: 'system', content: 'A' }, ...HI],
      ['messages[0].name=dropped'],
    ],
  ])('%s', (_fact, messages, sent, changes) => {
    const asked = ask({ messages });
    expect(asked.body['messages']).toEqual(sent);
    expect(asked.changes.filter((change) => change.startsWith('messages'))).toEqual(changes);
  });

  test.each<[fact: string, asked: Record<string, unknown>, param: string, situation?: Situation]>([
    [
      'partial only without thinking',
      { messages: [...HI, { role: 'assistant', content: 'A', partial: true }] },
      'messages[1].partial',
      { model: 'qwq-plus' },
    ],
    ['no audio out', { modalities: ['text', 'audio'], audio: { voice: 'Cherry', format: 'wav' } }, 'modalities'],
    [
      'files are for qwen-long, by an id in the system message',
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
      'messages[0].content[0]',
    ],
  ])('%s', (_fact, asked, param, situation) => {
    expect(refusal(asked, situation)).toMatchObject({ status: 400, details: { param } });
  });
});

describe('Function calling', () => {
  const { strict: _strict, ...plain } = { ...tool('look'), strict: undefined };
  test.each<Row>([
    [
      'a description and parameters are required',
      { tools: [{ type: 'function', function: { name: 'look' } }], parallel_tool_calls: true },
      { tools: [tool('look', { description: 'look' })], parallel_tool_calls: true },
      ['tools=defaulted'],
    ],
    [
      'strict is not listed',
      { tools: [tool('look', { strict: true })], parallel_tool_calls: true },
      { tools: [plain], parallel_tool_calls: true },
      ['tools=dropped!'],
    ],
    [
      'allowed_tools are the tools',
      {
        tools: TOOLS,
        tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'jump' } }] } },
        parallel_tool_calls: true,
      },
      { tools: [TOOLS[1]], tool_choice: 'auto', parallel_tool_calls: true },
      ['tool_choice=emulated'],
    ],
    [
      'one call at a time is the vendor’s default',
      { tools: TOOLS, parallel_tool_calls: false },
      { tools: TOOLS, parallel_tool_calls: false },
      [],
    ],
    [
      'without tools there is nothing to choose',
      { tool_choice: 'none', parallel_tool_calls: true },
      {},
      ['tool_choice=dropped', 'parallel_tool_calls=dropped'],
    ],
  ])('%s', (_fact, asked, sent, changes, situation) => {
    expect(extras(asked, situation)).toEqual({ body: sent, changes });
  });

  test.each([
    [{ parallel_tool_calls: false }, { firstCallOnly: true }],
    [{ tool_choice: 'none' }, { noCalls: true }],
    [{ tool_choice: 'required' }, { mustCall: { name: null } }],
    [{ tool_choice: { type: 'function', function: { name: 'jump' } } }, { mustCall: { name: 'jump' } }],
    [
      { tools: [tool('search')], tool_choice: { type: 'function', function: { name: 'search' } } },
      { mustCall: { name: 'search' }, functionNames: new Map([['search_', 'search']]) },
    ],
  ])('the answer is held to %j', (asked, emulation) => {
    expect(ask({ tools: TOOLS, ...asked }).emulation).toEqual(emulation);
  });

  test('earlier calls of a renamed function are renamed', () => {
    const messages = [...HI, asks(call('call_1', '{}', 'search')), answers('call_1')];
    const { body } = ask({ tools: [tool('search')], messages });
    expect(JSON.stringify(body['messages'])).toContain('"name":"search_"');
  });
});

test('the whole request of a thinking model: a stream with usage, and a switch said aloud', () => {
  expect(ask({}, { model: 'qwen3.7-plus', thinking: 'default' }).body).toEqual({
    model: 'qwen3.7-plus',
    messages: HI,
    stream: true,
    stream_options: { include_usage: true },
    enable_thinking: true,
  });
});
