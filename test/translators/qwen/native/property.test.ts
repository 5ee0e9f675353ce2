/** Both protocols carry the same request: whatever compatible mode sends, the native body holds, in its own places. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkChatRequest } from '../../../../openai/chat/check-request.ts';
import type { Effort } from '../../../../openai/chat/request.ts';
import { OpenAIError } from '../../../../openai/errors.ts';
import { ask, EFFORTS, type Situation } from '../ask.ts';
import { requests } from '../requests.ts';
import { ALLOWED, checkRules, MODELS, RANGES } from '../vendor-rules.ts';
import { askNative, flattened } from './ask.ts';

const models = fc.constantFrom(...MODELS);
const defaults = fc.constantFrom('default' as const, ...EFFORTS);

/** The call's result, or the refusal's field. */
function tried<T>(call: () => T): T | { readonly refused: string } {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof OpenAIError)) throw error;
    expect(error.status).toBe(400);
    return { refused: String(error.details.param) };
  }
}

const situation = (model: string, thinking: Effort | 'default', strict = false): Situation => ({ model, thinking, strict });

/** Fields that the native protocol carries in another way, or with another range. */
const OTHER = /^(stream|stream_options|modalities|seed|web_search_options)\b/;

test('any request: the same parameters, the same changes, every number in range', () => {
  let count = 0;
  fc.assert(
    fc.property(requests, models, defaults, (raw, model, thinking) => {
      const request = checkChatRequest(raw, { maxMessages: 100, maxTools: 128 }) as Record<string, unknown>;
      const native = tried(() => askNative(request, situation(model, thinking)));
      const compatible = tried(() => ask(request, situation(model, thinking)));
      if ('refused' in native || 'refused' in compatible) {
        expect(native).toEqual(compatible);
        return;
      }
      count++;
      const flat = flattened(native);
      const {
        stream: _stream,
        stream_options: _options,
        modalities: _modalities,
        seed: _seed,
        search_options: search,
        ...same
      } = compatible.body;
      const { seed, search_options: nativeSearch, ...rest } = flat;
      expect(plain(rest)).toEqual(plain(same));
      // Only the native protocol can be asked for sources.
      if (search === undefined) expect(nativeSearch).toBeUndefined();
      else
        expect(nativeSearch).toEqual({
          ...(search as object),
          enable_source: true,
          enable_citation: true,
          citation_format: '[ref_<number>]',
        });
      expect(native.emulation).toEqual(compatible.emulation);
      expect(native.stream).toBe(compatible.stream);
      expect(native.changes.filter((change) => !OTHER.test(change))).toEqual(compatible.changes.filter((change) => !OTHER.test(change)));
      if (seed !== undefined) expect(Number.isSafeInteger(seed) && (seed as number) >= 0).toBe(true);

      expect(native.headers !== undefined).toBe(native.stream);
      expect(native.body.parameters['incremental_output']).toBe(native.stream ? true : undefined);
      expect(native.body.parameters['result_format']).toBe('message');
      expect(Object.keys(native.body)).toEqual(['model', 'input', 'parameters']);
      const json = JSON.stringify(native.body);
      expect(JSON.parse(json)).toStrictEqual(native.body);
      expect(json).not.toMatch(/:null[,}]/);
      expect(Object.keys(flat).filter((key) => !ALLOWED.has(key))).toEqual([]);
      for (const [field, [min, max]] of Object.entries(RANGES)) {
        const value = rest[field] as number | undefined;
        if (value !== undefined) expect([field, value >= min && value <= max]).toEqual([field, true]);
      }
      const noted = new Set(native.receipt.map(({ field }) => field.replace(/[[.].*$/, '')));
      for (const field of Object.keys(request)) expect([field, noted.has(field) || field in flat]).toEqual([field, true]);
      checkRules({
        ...compatible,
        body: { ...rest, stream: native.stream, ...(native.stream ? { stream_options: { include_usage: true } } : {}) },
      });
      const multimodal = native.path.includes('multimodal');
      if (multimodal) for (const { content } of native.body.input.messages) expect(Array.isArray(content)).toBe(true);
    }),
    { numRuns: 3000 },
  );
  expect(count).toBeGreaterThan(1000);
});

/** What the two write differently and mean alike: a voice's format is in its data URL, a list of one bare text is that text. */
const plain = (body: Record<string, unknown>): unknown =>
  JSON.parse(JSON.stringify(body), (key, value: unknown) => {
    if (key === 'input_audio') return { data: (value as { data: string }).data };
    if (key !== 'content' || !Array.isArray(value) || value.length !== 1) return value;
    return Object.keys(value[0] as object)
      .sort()
      .join() === 'text,type'
      ? (value[0] as { text: unknown }).text
      : value;
  });

test('with a strict key nothing that alters the answer goes out, and only that is refused', () => {
  let count = 0;
  fc.assert(
    fc.property(requests, models, defaults, (raw, model, thinking) => {
      const free = tried(() => askNative(raw, situation(model, thinking)));
      const strict = tried(() => askNative(raw, situation(model, thinking, true)));
      const alters = 'refused' in free || free.receipt.some((change) => change.alters);
      expect('refused' in strict).toBe(alters);
      if (!('refused' in strict)) count++;
    }),
    { numRuns: 3000 },
  );
  expect(count).toBeGreaterThan(30);
});
