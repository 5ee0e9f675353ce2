import { expect, test } from 'vitest';
import { unsetNulls } from '../../openai/chat/unset-nulls.ts';
import { ASKS, body, CALL, messages, part, SCHEMA, TOOL, tools, USER } from './bodies.ts';

const IMAGE = { type: 'image_url', image_url: { url: 'https://a' } };

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['a field of the request', body({ stop: null, n: 1 }), body({ n: 1 })],
  ['a field of a message', messages({ ...USER, name: null }), messages(USER)],
  [
    'fields of an answer that is sent back',
    messages(
      { ...ASKS, refusal: null, audio: null, function_call: null, parsed: null },
      { role: 'tool', tool_call_id: 'call_1', content: '' },
    ),
    messages(ASKS, { role: 'tool', tool_call_id: 'call_1', content: '' }),
  ],
  ['a field of a call', messages({ ...ASKS, tool_calls: [{ ...CALL, index: null }] }), messages(ASKS)],
  ['a field of a part', part({ type: 'text', text: 'Hi', cache_control: null }), part({ type: 'text', text: 'Hi' })],
  ['a field of an image', part({ ...IMAGE, image_url: { ...IMAGE.image_url, detail: null } }), part(IMAGE)],
  ['a field of a tool', tools({ ...TOOL, custom: null, function: { ...TOOL.function, strict: null, description: null } }), tools(TOOL)],
  ['a field of a function', body({ functions: [{ name: 'look', parameters: null }] }), body({ functions: [{ name: 'look' }] })],
  ['a field of the stream’s options', body({ stream_options: { include_usage: null } }), body({ stream_options: {} })],
  [
    'a field of the format',
    body({ response_format: { ...SCHEMA, json_schema: { ...SCHEMA.json_schema, strict: null } } }),
    body({ response_format: SCHEMA }),
  ],
])('%s', (_name, request, expected) => {
  const before = structuredClone(request);
  expect(unsetNulls(request)).toStrictEqual(expected);
  expect(request).toStrictEqual(before);
});

test.each<[string, Record<string, unknown>]>([
  ['no null at all', body({ tools: [TOOL], stream: true })],
  ['the content of a message that only calls', messages(ASKS)],
  ['values of a JSON Schema', tools({ ...TOOL, function: { name: 'look', parameters: { type: 'object', default: null, enum: [null] } } })],
  ['a schema of the format', body({ response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { const: null } } } })],
  ['what is not documented', body({ vendor_extra: { inner: null } })],
  ['a key of the language', body({ metadata: JSON.parse('{"__proto__":{"constructor":null}}') })],
])('stays as it is: %s', (_name, request) => {
  expect(unsetNulls(request)).toBe(request);
});
