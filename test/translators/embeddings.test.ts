import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharesOf } from '../../translators/compatible/shares.ts';
import { claims, embeddingFacts, embeddingsSent, outcome, texts, translator } from './lists.ts';

const VENDORS = [
  { vendor: 'qwen', model: 'text-embedding-v4', items: 10 },
  { vendor: 'ernie', model: 'bge-large-zh', items: 16 },
  { vendor: 'ernie', model: 'tao-8k', items: 1 },
  { vendor: 'glm', model: 'embedding-3', items: 64 },
] as const;

describe('shares', () => {
  test('any list: in order, without gaps, within both bounds where an item allows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 60 }),
        (weights, items, weight) => {
          const shares = sharesOf(weights.length, { items, weight }, (index) => weights[index] as number);
          expect(shares.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index))).toEqual([
            ...weights.keys(),
          ]);
          for (const [at, { from, to }] of shares.entries()) {
            const inside = weights.slice(from, to).reduce((sum, one) => sum + one, 0);
            expect(to - from).toBeGreaterThan(0);
            expect(to - from).toBeLessThanOrEqual(items);
            if (to - from > 1) expect(inside).toBeLessThanOrEqual(weight);
            // No call is made that the one before it had room for.
            const before = shares[at - 1];
            if (before === undefined) continue;
            const held = weights.slice(before.from, before.to).reduce((sum, one) => sum + one, 0);
            expect(before.to - before.from === items || held + (weights[from] as number) > weight).toBe(true);
          }
        },
      ),
    );
  });
});

describe.each(VENDORS)('$vendor $model', ({ vendor, model, items }) => {
  test('one text is a list of one; nothing more is sent than the vendor documents', () => {
    expect(embeddingsSent(vendor, model, { input: 'hello', encoding_format: 'base64' })).toEqual({
      path: '/embeddings',
      shares: [{ from: 0, to: 1 }],
      bodies: [{ model, input: ['hello'] }],
      changes: ['encoding_format=emulated'],
    });
  });

  test.each([1, items, items + 1, 3 * items, 100])('%i texts go in order, in calls of at most its own number', (count) => {
    const list = texts(count);
    const { bodies, changes } = embeddingsSent(vendor, model, { input: list });
    expect(bodies.flatMap(({ input }) => input as string[])).toEqual(list);
    expect(bodies.length).toBe(Math.ceil(count / items));
    expect(Math.max(...bodies.map(({ input }) => (input as string[]).length))).toBe(Math.min(count, items));
    expect(changes).toEqual(count > items ? ['input=emulated'] : []);
  });

  test.each([[[1, 2, 3]], [[[1], [2, 3]]]])('tokens are refused by name: %j', (input) => {
    expect(outcome(() => embeddingsSent(vendor, model, { input }))).toBe('400 unsupported_value input');
  });

  test('what nobody documents is dropped, and refused for a strict key', () => {
    expect(embeddingsSent(vendor, model, { truncate: 'END' }).changes).toEqual(['truncate=dropped!']);
    expect(outcome(() => embeddingsSent(vendor, model, { truncate: 'END' }, true))).toBe('400 unsupported_parameter truncate');
  });

  test('what the relay does to keep a promise does not trouble a strict key', () => {
    const request = { input: texts(items + 1), encoding_format: 'base64', user: 'u' };
    expect(outcome(() => embeddingsSent(vendor, model, request, true))).toMatchObject({ path: '/embeddings' });
  });

  const read = (body: unknown, dimensions?: number) =>
    outcome(() => translator('embedding', vendor).whole(body, { from: 4, to: 6 }, dimensions));
  const entry = (index: unknown, embedding: unknown) => ({ object: 'embedding', index, embedding });

  test('vectors come in the order of their positions, usage from whatever count there is', () => {
    const data = [entry(1, [3, 4]), entry(0, [1, 2])];
    expect(read({ object: 'embedding_list', data, usage: { prompt_tokens: 5, total_tokens: 6 } })).toEqual({
      vectors: [
        [1, 2],
        [3, 4],
      ],
      usage: { prompt: 5, completion: 0, cached: 0, reasoning: 0 },
    });
    expect(read({ data, usage: { total_tokens: 6 } })).toMatchObject({ usage: { prompt: 6 } });
    for (const usage of [undefined, {}, { prompt_tokens: 0 }, { prompt_tokens: '5' }, { prompt_tokens: -1 }]) {
      expect(read({ data, usage })).toMatchObject({ usage: null });
    }
  });

  test.each<[string, unknown[], number?]>([
    ['too few', [entry(0, [1])]],
    ['too many', [entry(0, [1]), entry(1, [1]), entry(2, [1])]],
    ['the same twice', [entry(0, [1]), entry(0, [1])]],
    ['a position beyond the list', [entry(0, [1]), entry(2, [1])]],
    ['a position below it', [entry(0, [1]), entry(-1, [1])]],
    ['no position', [entry(0, [1]), entry(undefined, [1])]],
    ['text for a vector', [entry(0, [1]), entry(1, 'AAAA')]],
    ['an empty vector', [entry(0, []), entry(1, [])]],
    ['a null in a vector', [entry(0, [1]), entry(1, [null])]],
    ['vectors of two sizes', [entry(0, [1]), entry(1, [1, 2])]],
    ['vectors of another size than asked for', [entry(0, [1]), entry(1, [1])], 2],
    ['no entries', [null, null]],
  ])('garbage is no answer: %s', (_, data, dimensions) => {
    expect(read({ data }, dimensions)).toBe('502 upstream_invalid_response undefined');
  });

  test.each([null, 'x', 7, [], {}, { data: null }])('neither is %j', (body) => {
    expect(read(body)).toMatch(/^502 /);
  });
});

describe('dimensions', () => {
  test.each<[string, string, number, unknown]>([
    ['qwen', 'text-embedding-v4', 256, { dimensions: 256 }],
    ['qwen', 'text-embedding-v4', 1024, { dimensions: 1024 }],
    ['qwen', 'text-embedding-v4', 2048, { dimensions: 2048 }],
    ['qwen', 'text-embedding-v4', 3072, '400 unsupported_value dimensions'],
    ['qwen', 'text-embedding-v3', 768, { dimensions: 768 }],
    ['qwen', 'text-embedding-v3', 1536, '400 unsupported_value dimensions'],
    ['qwen', 'qwen3.7-text-embedding', 2560, { dimensions: 2560 }],
    ['qwen', 'text-embedding-v2', 1536, 'dimensions=dropped'],
    ['qwen', 'text-embedding-v2', 256, '400 unsupported_parameter dimensions'],
    ['qwen', 'text-embedding-v1', 1536, 'dimensions=dropped'],
    ['qwen', 'text-embedding-v9', 7, { dimensions: 7 }],
    ['ernie', 'embedding-v1', 384, 'dimensions=dropped'],
    ['ernie', 'embedding-v1', 1024, '400 unsupported_parameter dimensions'],
    ['ernie', 'bge-large-en', 1024, 'dimensions=dropped'],
    ['ernie', 'qwen3-embedding-4b', 2560, 'dimensions=dropped'],
    ['ernie', 'qwen3-embedding-0.6b', 1024, 'dimensions=dropped'],
    ['ernie', 'gme-Qwen2-VL-2B-Instruct', 1536, 'dimensions=dropped'],
    ['ernie', 'never-heard-of', 1024, '400 unsupported_parameter dimensions'],
    ['glm', 'embedding-3', 512, { dimensions: 512 }],
    ['glm', 'embedding-3', 1536, '400 unsupported_value dimensions'],
    ['glm', 'embedding-2', 1024, 'dimensions=dropped'],
    ['glm', 'embedding-2', 512, '400 unsupported_parameter dimensions'],
  ])('%s %s %i → %j', (vendor, model, dimensions, expected) => {
    const found = outcome(() => embeddingsSent(vendor, model, { dimensions }));
    if (typeof expected !== 'string') expect(found).toMatchObject({ bodies: [expected], changes: [] });
    else if (expected.startsWith('400')) expect(found).toBe(expected);
    else {
      expect(found).toMatchObject({ changes: [expected] });
      expect((found as { bodies: unknown[] }).bodies[0]).not.toHaveProperty('dimensions');
    }
  });
});

describe('texts a call', () => {
  test.each<[string, string, number]>([
    ['qwen', 'text-embedding-v1', 25],
    ['qwen', 'text-embedding-v2', 25],
    ['qwen', 'text-embedding-v3', 10],
    ['qwen', 'qwen3.7-text-embedding', 20],
    ['qwen', 'a-new-one', 10],
    ['ernie', 'embedding-v1', 16],
    ['ernie', 'bge-large-en', 16],
    ['ernie', 'qwen3-embedding-4b', 16],
    ['ernie', 'gme-Qwen2-VL-2B-Instruct', 1],
    ['ernie', 'a-new-one', 16],
    ['glm', 'embedding-2', 64],
    ['glm', 'a-new-one', 64],
  ])('%s %s: %i', (vendor, model, expected) => {
    expect(embeddingsSent(vendor, model, { input: texts(100) }).shares[0]).toEqual({ from: 0, to: expected });
  });

  test('embedding-2 has a bound of tokens too: long texts go in smaller calls', () => {
    const { shares } = embeddingsSent('glm', 'embedding-2', { input: texts(64, '汉'.repeat(500)) });
    // Each is at most about 500 tokens, and 8,192 a call.
    expect(shares.length).toBe(4);
    expect(Math.max(...shares.map(({ from, to }) => to - from))).toBe(16);
  });
});

describe('characters', () => {
  test.each<[string, number]>([
    ['embedding-v1', 1_000],
    ['bge-large-zh', 2_000],
    ['tao-8k', 28_000],
  ])('ernie %s refuses longer texts than %i before anything is sent', (model, most) => {
    expect(outcome(() => embeddingsSent('ernie', model, { input: ['x', '汉'.repeat(most)] }))).toMatchObject({ path: '/embeddings' });
    expect(outcome(() => embeddingsSent('ernie', model, { input: ['x', '汉'.repeat(most + 1)] }))).toBe(
      '400 context_length_exceeded input[1]',
    );
    expect(outcome(() => embeddingsSent('ernie', model, { input: 'x'.repeat(most + 1) }))).toBe('400 context_length_exceeded input');
  });
});

describe('user', () => {
  test.each<[string, string, string, Record<string, unknown>, string[]]>([
    ['qwen', 'text-embedding-v4', 'u', {}, ['user=dropped']],
    ['ernie', 'bge-large-zh', 'u', { user: 'u' }, []],
    ['ernie', 'bge-large-zh', '', {}, ['user=dropped']],
    ['ernie', 'bge-large-zh', 'u'.repeat(65), { user: expect.stringMatching(/^u_[0-9a-f]{32}$/) }, ['user=clamped']],
    ['glm', 'embedding-3', 'user-1', { user_id: 'user-1' }, ['user=renamed→user_id']],
    ['glm', 'embedding-3', 'u', { user_id: expect.stringMatching(/^u_[0-9a-f]{32}$/) }, ['user=renamed→user_id']],
    ['glm', 'embedding-3', '', {}, ['user=dropped']],
  ])('%s %s %j', (vendor, model, user, expected, changes) => {
    const { bodies, changes: made } = embeddingsSent(vendor, model, { user });
    expect(bodies).toEqual([{ model, input: ['x'], ...expected }]);
    expect(made).toEqual(changes);
  });
});

describe('names that no list has', () => {
  test.each<[string, string, boolean]>([
    ['qwen', 'text-embedding-v9', true],
    ['qwen', 'qwen4-text-embedding', true],
    ['qwen', 'qwen-plus', false],
    ['ernie', 'bge-m3', true],
    ['ernie', 'ernie-5.1', false],
    ['glm', 'embedding-4', true],
    ['glm', 'glm-4.6', false],
  ])('%s claims %s: %j', (vendor, name, expected) => expect(claims('embedding', vendor, name)).toBe(expected));
});

test('beside Qwen’s native protocol the path leads out of its base', () => {
  const plan = translator('embedding', 'qwen', 'native').request(
    { model: 'm', input: 'x' },
    'text-embedding-v4',
    embeddingFacts('qwen', 'text-embedding-v4'),
    {
      note: () => undefined,
    } as never,
  );
  expect(new URL(`https://host/api/v1${plan.path}`).pathname).toBe('/compatible-mode/v1/embeddings');
});
