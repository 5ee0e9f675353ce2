/** No field of a request is lost without a word, whichever vendor gets it: what the receipt does not name went out as it came. */
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { type Change, Receipt } from '../../translators/receipt.ts';
import { TRANSLATORS } from '../../translators/registry.ts';
import type { UpstreamPlan } from '../../translators/translator.ts';
import { requestFields } from '../contract/openai-schema.ts';
import { FIELD_SAMPLES } from './field-samples.ts';
import { type AskedNative, flattened } from './qwen/native/ask.ts';

const catalog = loadCatalog();

/** A plain model and one that thinks, of each dialect. */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  'qwen-compatible': ['qwen-plus', 'qwen3.7-plus', 'qwq-plus'],
  'qwen-native': ['qwen-plus', 'qwen3.7-plus', 'qwq-plus'],
  'ernie-v2': ['ernie-4.5-turbo-128k', 'ernie-5.0-thinking-latest', 'ernie-x1.1'],
  'glm-v4': ['glm-4.6', 'glm-5.3', 'glm-4.6v'],
};

const root = (field: string | null | undefined): string => (field ?? '').replace(/[[.].*$/, '');

interface Fate {
  readonly plan: UpstreamPlan | null;
  readonly changes: readonly Change[];
  /** Root of the field that the refusal names. */
  readonly refused: string | null;
}

function translate(dialect: string, model: string, request: ChatRequest, strict: boolean): Fate {
  const translator = TRANSLATORS.find((each) => each.dialect === dialect);
  if (translator === undefined) throw new Error(`no translator ${dialect}`);
  const facts = catalog.model(translator.vendor, model);
  const receipt = new Receipt(strict);
  try {
    const plan = translator.request(request, { model, facts, region: 'cn', thinking: 'default', requestId: 'req_0123456789' }, receipt);
    return { plan, changes: receipt.changes, refused: null };
  } catch (error) {
    if (!(error instanceof OpenAIError)) throw error;
    expect(error.status).toBe(400);
    return { plan: null, changes: receipt.changes, refused: root(error.details.param) };
  }
}

/**
 * The field went out as it came, or the receipt names it. The model's name is the backend's own, and an emulation that is noted under
 * its own field may put a sentence in front of the messages.
 */
function accounted(field: string, request: ChatRequest, { plan, changes }: Fate): boolean {
  const body = plan?.parametersIn === undefined ? plan?.body : flattened(plan as unknown as AskedNative);
  if (field === 'model') return body?.['model'] !== undefined;
  if (changes.some((change) => root(change.field) === field)) return true;
  if (field === 'messages') {
    const sent = body?.['messages'] as readonly unknown[];
    return JSON.stringify(sent.slice(-request.messages.length)) === JSON.stringify(request.messages);
  }
  return JSON.stringify(body?.[field]) === JSON.stringify(request[field]);
}

test('every dialect is looked at', () => {
  expect(Object.keys(MODELS).sort()).toEqual(TRANSLATORS.map(({ dialect }) => dialect).sort());
});

test('there is a sample of every field, and of no other', () => {
  expect(Object.keys(FIELD_SAMPLES).sort()).toEqual(requestFields());
});

describe.each(Object.entries(MODELS).flatMap(([dialect, models]) => models.map((model) => [dialect, model] as const)))(
  '%s %s',
  (dialect, model) => {
    test.each(requestFields().flatMap((field) => [false, true].map((stream) => [field, stream] as const)))(
      '%s, streamed: %s',
      (field, stream) => {
        const { values, needs = {}, streamOnly } = FIELD_SAMPLES[field] ?? { values: [] };
        if (streamOnly === true && !stream) return;
        for (const value of field === 'stream' ? [stream] : values) {
          const body = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }], stream, ...needs, [field]: value };
          const request = checkChatRequest(body, { maxMessages: 100, maxTools: 10 });
          const free = translate(dialect, model, request, false);
          const strict = translate(dialect, model, request, true);
          const said = JSON.stringify(value);
          const mine = [field, ...Object.keys(needs)];
          if (free.plan === null) expect(mine, said).toContain(free.refused);
          else expect([said, ...Object.keys(request).filter((name) => !accounted(name, request, free))]).toEqual([said]);
          if (strict.plan === null) {
            const altered = free.plan === null ? mine : free.changes.filter(({ alters }) => alters).map((change) => root(change.field));
            expect(altered, said).toContain(strict.refused);
          } else {
            expect(strict.changes.filter(({ alters }) => alters)).toEqual([]);
            expect([said, ...Object.keys(request).filter((name) => !accounted(name, request, strict))]).toEqual([said]);
          }
        }
      },
    );
  },
);
