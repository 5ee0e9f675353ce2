import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkChatRequest } from '../../../openai/chat/check-request.ts';
import type { Effort } from '../../../openai/chat/request.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { requestFields } from '../../contract/openai-schema.ts';
import { type Asked, ask, EFFORTS } from './ask.ts';
import { FIELDS, requests } from './requests.ts';
import { ALLOWED, checkRules, MODELS, RANGES } from './vendor-rules.ts';

function carried(request: Record<string, unknown>, model: string, thinking: Effort | 'default', strict = false): Asked | null {
  try {
    return ask(request, { model, thinking, strict });
  } catch (error) {
    if (!(error instanceof OpenAIError)) throw error;
    expect([error.status, typeof error.details.param]).toEqual([400, 'string']);
    return null;
  }
}

const models = fc.constantFrom(...MODELS);
const defaults = fc.constantFrom('default' as const, ...EFFORTS);

test('the generator knows every field of OpenAI', () => {
  const drawn = [
    ...Object.keys(FIELDS),
    'model',
    'messages',
    'functions',
    'function_call',
    'tool_choice',
    'stream_options',
    'top_logprobs',
  ];
  expect(requestFields().filter((field) => !drawn.includes(field))).toEqual([]);
});

test('any request becomes one that the vendor takes, or a refusal by name', () => {
  let count = 0;
  fc.assert(
    fc.property(requests, models, defaults, (raw, model, thinking) => {
      const request = checkChatRequest(raw, { maxMessages: 100, maxTools: 128 }) as Record<string, unknown>;
      const asked = carried(request, model, thinking);
      if (asked === null) return;
      count++;
      const { body } = asked;
      const json = JSON.stringify(body);
      expect(JSON.parse(json)).toStrictEqual(body);
      expect(json).not.toMatch(/:null[,}]/);
      expect(Object.keys(body).filter((key) => !ALLOWED.has(key))).toEqual([]);
      for (const [field, [min, max]] of Object.entries(RANGES)) {
        if (body[field] !== undefined)
          expect([field, body[field], (body[field] as number) >= min && (body[field] as number) <= max]).toEqual([
            field,
            body[field],
            true,
          ]);
      }
      const noted = new Set(asked.receipt.map(({ field }) => field.replace(/[[.].*$/, '')));
      for (const field of Object.keys(request)) expect([field, noted.has(field) || field in body]).toEqual([field, true]);
      checkRules(asked);
    }),
    { numRuns: 3000 },
  );
  expect(count).toBeGreaterThan(1000);
});

test('with a strict key nothing that alters the answer goes out, and only that is refused', () => {
  let count = 0;
  fc.assert(
    fc.property(requests, models, defaults, (raw, model, thinking) => {
      const lenient = carried(raw, model, thinking)?.receipt.filter(({ alters }) => alters) ?? null;
      const strict = carried(raw, model, thinking, true);
      if (strict !== null) count++;
      expect(strict?.receipt.filter(({ alters }) => alters) ?? null).toEqual(lenient === null || lenient.length > 0 ? null : []);
    }),
    { numRuns: 6000 },
  );
  expect(count).toBeGreaterThan(30);
});

test('the request of the caller is not changed', () => {
  fc.assert(
    fc.property(requests, models, (raw, model) => {
      const before = structuredClone(raw);
      carried(raw, model, 'default');
      expect(raw).toEqual(before);
    }),
    { numRuns: 500 },
  );
});
