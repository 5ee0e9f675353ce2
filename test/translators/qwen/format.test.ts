import { describe, expect, test } from 'vitest';
import { ask, HI, type Situation } from './ask.ts';

const schema = { type: 'object', properties: { tags: { type: 'array', items: { type: 'string' } } }, required: ['tags'] };
const format = (of: object, more: object = {}) => ({
  response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: of, ...more } },
});
const JSON_HI = [{ role: 'user', content: 'Hi, as json' }];
const OBJECT = { response_format: { type: 'json_object' }, messages: JSON_HI };
const CODER: Situation = { model: 'qwen3-coder-plus' };
const ALWAYS_THINKS: Situation = { model: 'qwq-plus' };

describe('text and json_object', () => {
  test('text is dropped', () => {
    const { body, changes } = ask({ response_format: { type: 'text' } });
    expect(body).not.toHaveProperty('response_format');
    expect(changes).toContain('response_format=dropped');
  });

  test('json_object goes as it is', () => {
    const { body, emulation, changes } = ask(OBJECT);
    expect(body).toMatchObject({ response_format: { type: 'json_object' }, messages: JSON_HI, enable_thinking: false });
    expect([emulation, changes]).toEqual([{ json: { schema: null } }, ['enable_thinking=defaulted']]);
  });

  test.each([
    ['a stop word may cut it', { stop: ['x'] }, { json: { schema: null, mayEndEarly: true } }],
    ['the probabilities of its tokens come with it', { logprobs: true }, { json: { schema: null } }],
    ['the rest of a text is no whole JSON', { messages: [...JSON_HI, { role: 'assistant', content: '{"a":', partial: true }] }, {}],
  ])('%s', (_what, more, emulation) => {
    expect(ask({ ...OBJECT, ...more }).emulation).toEqual(emulation);
  });

  test('the word that the backend wants is said where it is missing', () => {
    expect(ask({ response_format: { type: 'json_object' } }).body['messages']).toEqual([
      { role: 'system', content: 'Answer in JSON.' },
      ...HI,
    ]);
  });

  test.each(['default', 'high'] as const)('json_object switches thinking off (%s)', (thinking) => {
    const { body, changes, stream } = ask(OBJECT, { model: 'qwen3.7-plus', thinking });
    expect([body['enable_thinking'], stream]).toEqual([false, false]);
    expect(body).not.toHaveProperty('thinking_budget');
    expect(changes).toEqual(['enable_thinking=defaulted']);
  });

  test('an effort that was asked for and cannot be is an altered answer', () => {
    expect(ask({ ...OBJECT, reasoning_effort: 'high' }, { model: 'qwen3.7-plus' }).changes).toEqual(['reasoning_effort=emulated!']);
    expect(ask({ ...OBJECT, enable_thinking: true, thinking_budget: 5 }, { model: 'qwen3.7-plus' }).changes).toEqual([
      'enable_thinking=dropped!',
      'thinking_budget=dropped',
    ]);
    expect(ask({ ...OBJECT, reasoning_effort: 'none' }, { model: 'qwen3.7-plus' }).changes).toEqual(['reasoning_effort=renamed']);
  });

  test.each([ALWAYS_THINKS, { model: 'qwen-long' }, { model: 'qwen3-next-80b-a3b-thinking' }])(
    'a model without JSON mode is told: %j',
    (situation) => {
      const { body, emulation, changes } = ask(OBJECT, situation);
      expect(body).not.toHaveProperty('response_format');
      expect(body['messages']).toEqual([
        { role: 'system', content: 'Answer with one JSON object and nothing else, no Markdown.' },
        ...JSON_HI,
      ]);
      expect(emulation.json).toEqual({ schema: null });
      expect(changes).toContain('response_format=emulated!');
    },
  );
});

describe('json_schema', () => {
  test('native, without nulls and what nobody documents', () => {
    const { body, emulation, changes } = ask(format(schema, { strict: true, description: null, extra: 1 }));
    expect(body['response_format']).toEqual({ type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } });
    expect([emulation, changes, body['messages']]).toEqual([{ json: { schema } }, ['enable_thinking=defaulted'], HI]);
    expect(ask(format(schema, { description: 'An answer', strict: null })).body['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', description: 'An answer', schema },
    });
  });

  test('native without uniqueItems, which the relay checks', () => {
    const asked = {
      ...schema,
      properties: { tags: { ...schema.properties.tags, uniqueItems: true }, uniqueItems: { type: 'boolean', enum: [true] } },
    };
    const { body, emulation, changes } = ask(format(asked));
    expect(body['response_format']).toEqual({
      type: 'json_schema',
      json_schema: {
        name: 'answer',
        schema: { ...schema, properties: { ...schema.properties, uniqueItems: { type: 'boolean', enum: [true] } } },
      },
    });
    expect(emulation.json).toEqual({ schema: asked });
    expect(changes).toContain('response_format=emulated!');
  });

  test('emulated by JSON mode where there is no more', () => {
    const { body, emulation, changes } = ask(format(schema), CODER);
    expect(body['response_format']).toEqual({ type: 'json_object' });
    const [system] = body['messages'] as { content: string }[];
    expect(system?.content).toContain(JSON.stringify(schema));
    expect(emulation.json).toEqual({ schema });
    expect(changes).toContain('response_format=emulated!');
  });

  test('emulated by words where the model always thinks', () => {
    const { body, emulation } = ask(format(schema), ALWAYS_THINKS);
    expect(body).not.toHaveProperty('response_format');
    expect(emulation.json).toEqual({ schema });
  });

  test('without a schema any object will do', () => {
    const { body, emulation } = ask({ response_format: { type: 'json_schema', json_schema: { name: 'answer' } } });
    expect(body['response_format']).toEqual({ type: 'json_object' });
    expect(emulation.json).toEqual({ schema: null });
  });

  test('the schema of the caller is not changed', () => {
    const asked = format({ ...schema, uniqueItems: true });
    const before = structuredClone(asked);
    ask(asked);
    expect(asked).toEqual(before);
  });
});
