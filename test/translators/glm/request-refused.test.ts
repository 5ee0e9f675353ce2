import { describe, expect, test } from 'vitest';
import { ask, refusal, type Situation, TOOLS, tool } from './ask.ts';

describe('refused by name', () => {
  const part = (content: unknown) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, content] }] });
  const image = (url: string) => ({ type: 'image_url', image_url: { url } });
  const tuple = tool('look', { type: 'object', properties: { at: { type: 'array', items: [{ type: 'number' }] } } });
  const rows: [string, Record<string, unknown>, string, string, Situation?][] = [
    ['logprobs', { logprobs: true }, 'logprobs', 'unsupported_parameter'],
    ['audio answers', { modalities: ['text', 'audio'] }, 'modalities', 'unsupported_parameter'],
    ['audio', { audio: { voice: 'a' } }, 'audio', 'unsupported_parameter'],
    ['custom tools', { tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0].type', 'unsupported_value'],
    ['tools on a vision model without them', { tools: TOOLS }, 'tools', 'unsupported_parameter', { model: 'glm-4.5v' }],
    ['functions on such a model', { functions: [{ name: 'look' }] }, 'functions', 'unsupported_parameter', { model: 'glm-z1-flash' }],
    ['129 tools', { tools: Array.from({ length: 129 }, (_, index) => tool(`t${index}`)) }, 'tools', 'unsupported_value'],
    ['a tuple schema', { tools: [tool('jump'), tuple] }, 'tools[1].function.parameters', 'unsupported_value'],
    ['a tuple schema in functions', { functions: [tuple.function] }, 'functions[0].parameters', 'unsupported_value'],
    ['a picture on a text model', part(image('https://a.example/b.png')), 'messages[0].content[1]', 'unsupported_value'],
    [
      'base64 on glm-4v-flash',
      part(image('data:image/png;base64,AAAA')),
      'messages[0].content[1].image_url.url',
      'unsupported_value',
      { model: 'glm-4v-flash' },
    ],
    [
      'a picture that is not base64 on glm-4v',
      part(image('data:image/svg+xml,<svg/>')),
      'messages[0].content[1].image_url.url',
      'unsupported_value',
      { model: 'glm-4v' },
    ],
    [
      'two pictures on glm-4v-flash',
      { messages: [{ role: 'user', content: [image('https://a.example/1.png'), image('https://a.example/2.png')] }] },
      'messages',
      'unsupported_value',
      { model: 'glm-4v-flash' },
    ],
    ['sound', part({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }), 'messages[0].content[1]', 'unsupported_value'],
    [
      'a file at bigmodel',
      part({ type: 'file', file: { file_id: 'f' } }),
      'messages[0].content[1]',
      'unsupported_value',
      { model: 'glm-4.6v' },
    ],
    ['thinking that is no object', { thinking: 'on' }, 'thinking', 'unsupported_value'],
    ['an unknown type of thinking', { thinking: { type: 'adaptive' } }, 'thinking.type', 'unsupported_value'],
    ['clear_thinking that is no boolean', { clear_thinking: 1 }, 'clear_thinking', 'unsupported_value'],
    ['do_sample that is no boolean', { do_sample: 'no' }, 'do_sample', 'unsupported_value'],
    ['tool_stream that is no boolean', { tool_stream: 1 }, 'tool_stream', 'unsupported_value'],
  ];
  test.each(rows)('%s', (_what, request, param, kind, situation) => {
    const error = refusal(request, situation);
    expect([error.status, error.details.param, error.kind, error.details.fallback]).toEqual([400, param, kind, true]);
    expect(error.message.length).toBeGreaterThan(20);
  });
  test('a tuple schema of a function that is not sent is nobody’s business', () => {
    const choice = { type: 'function', function: { name: 'jump' } };
    expect(ask({ tools: [tuple, tool('jump')], tool_choice: choice }).body['tools']).toHaveLength(1);
    expect(ask({ tools: [tuple], tool_choice: 'none' }).body['tools']).toBeUndefined();
  });
  test.each([
    ['prefixItems', { type: 'array', prefixItems: [{ type: 'string' }] }],
    ['additionalItems', { type: 'array', items: { type: 'string' }, additionalItems: false }],
    ['inside anyOf', { anyOf: [{ type: 'array', items: [{}] }] }],
  ])('tuple form %s', (_what, schema) => {
    expect(refusal({ tools: [tool('look', { type: 'object', properties: { at: schema } })] }).message).toContain('properties.at');
  });
  test('properties and defaults that only sound like tuples are carried', () => {
    const parameters = {
      type: 'object',
      properties: { prefixItems: { type: 'string' }, items: { type: 'array', items: { type: 'string' }, default: { items: [1] } } },
    };
    expect(ask({ tools: [tool('look', parameters)] }).body['tools']).toEqual([tool('look', parameters)]);
  });
});
