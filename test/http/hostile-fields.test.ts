import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkErrorResponse, requestFields } from '../contract/openai-schema.ts';
import { chat, openSimulated, type SimulatedDesk } from './desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated();
});
afterAll(() => desk.close());

/** Values that programs stumble over, among ordinary ones. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1.5,
    1e308,
    -0,
    true,
    [],
    {},
    [null],
    [[]],
    [{}],
    { type: null },
    { type: 'function' },
    '__proto__',
    'none',
  ),
  fc.constantFrom<unknown>(
    [{ role: 'user' }],
    [{ role: 'user', content: [{ type: 'text' }] }],
    [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,' } }] }],
    [{ role: 'assistant', content: null, tool_calls: [{ id: 'x', type: 'function', function: { name: 'f', arguments: '{' } }] }],
    [{ role: 'tool', tool_call_id: 'x', content: 'y' }],
    [{ role: 'assistant', content: '' }],
    [{ role: 'system', content: 'only a system' }],
    [{ role: 'user', content: 'x', name: '\u0000' }],
    [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { a: null } } } }],
    [{ type: 'function', function: { name: 'f', parameters: { $ref: '#' } } }],
    [{ type: 'function', function: { name: 'f', parameters: { type: 'object', required: 'a' } } }],
    { type: 'json_schema', json_schema: { name: 'n', schema: { $ref: '#/nowhere' } } },
    { type: 'json_schema', json_schema: { name: 'n', schema: { type: ['object', null] }, strict: true } },
    { type: 'function', function: { name: 'f' } },
    { include_usage: null },
  ),
);
const FIELDS = [
  ...requestFields(),
  'messages',
  'tools',
  'tool_choice',
  'response_format',
  '__proto__',
  'constructor',
  'toString',
  'x.y[0]',
  '',
];
const field = fc.constantFrom(...FIELDS);
const model = fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'qwen-plus', 'glm-4.6', 'o3');

test('whatever a field holds: an answer, or a refusal in OpenAI\u2019s form; never a fault of ours', async () => {
  await fc.assert(
    fc.asyncProperty(model, fc.array(fc.tuple(field, value), { minLength: 1, maxLength: 4 }), async (name, changes) => {
      // Own properties, whatever their name; as text, so that `__proto__` is a key.
      const body = new Map<string, unknown>([['model', name], ['messages', [{ role: 'user', content: 'x' }]], ...changes]);
      const text = `{${[...body].map(([key, entry]) => `${JSON.stringify(key)}:${JSON.stringify(entry)}`).join(',')}}`;
      desk.log.length = 0;
      const answer = await chat(desk, text);
      const said = await answer.text();
      const seen = `${answer.status} ${said.slice(0, 300)} for ${text}`;
      expect(answer.headers.get('x-request-id'), seen).toMatch(/^req_/);
      if (answer.status !== 200) expect(checkErrorResponse(answer.status, JSON.parse(said)), seen).toEqual([]);
      // 5xx would be ours or the simulator's: it breaks nothing here, so a promise not kept (unmet) is the only one allowed.
      if (answer.status >= 500) expect(said, seen).toContain('upstream_unmet');
      expect(
        desk.log.filter(({ level }) => level === 'error'),
        seen,
      ).toEqual([]);
    }),
    { numRuns: 500 },
  );
}, 120_000);
