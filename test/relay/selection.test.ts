import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { routing } from './routing-rig.ts';
import { THREE, wantsOf } from './selection-wants.ts';

const CATALOG = `{
  qwen/a: { tools: false, vision: true, logprobs: true, thinking: none, contextTokens: 1000 },
  glm/b: { tools: true, vision: false, audioInput: false, logprobs: false, thinking: optional, contextTokens: 20000 },
  ernie/c: { thinking: always }
}`;

const PICTURE = { type: 'image_url', image_url: { url: 'https://example.com/x.png' } };
const SOUND = { type: 'input_audio', input_audio: { data: '', format: 'wav' } };
const TOOLS = { tools: [{ type: 'function', function: { name: 'f' } }] };
const asking = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });
const letters = (length: number): string => 'ab'.repeat(length / 2);

describe('what a request needs', () => {
  const { choose } = routing(`{ m: ${THREE} }`, { catalog: CATALOG });
  test.each<[string, object, string[], string[]]>([
    // request, order, skipped
    ['nothing', {}, ['q1/a', 'glm/b', 'ernie/c'], []],
    ['tools', TOOLS, ['glm/b', 'ernie/c'], ['q1/a tools']],
    ['no tools in the list', { tools: [] }, ['q1/a', 'glm/b', 'ernie/c'], []],
    ['functions', { functions: [{ name: 'f' }] }, ['glm/b', 'ernie/c'], ['q1/a tools']],
    ['a picture: not known is not "cannot"', asking(PICTURE), ['q1/a', 'ernie/c'], ['glm/b vision']],
    ['a sound', asking(SOUND), ['q1/a'], ['glm/b audio', 'ernie/c audio']],
    ['logprobs', { logprobs: true }, ['q1/a'], ['glm/b logprobs', 'ernie/c logprobs']],
    ['no logprobs', { logprobs: false }, ['q1/a', 'glm/b', 'ernie/c'], []],
    ['thinking', { reasoning_effort: 'low' }, ['glm/b', 'ernie/c'], ['q1/a thinking']],
    ['no thinking', { reasoning_effort: 'none' }, ['q1/a', 'glm/b'], ['ernie/c no-thinking']],
    ['JSON, which is emulated', { response_format: { type: 'json_object' } }, ['q1/a', 'glm/b', 'ernie/c'], []],
    ['choices, which are emulated', { n: 4 }, ['q1/a', 'glm/b', 'ernie/c'], []],
    ['two things', { ...TOOLS, reasoning_effort: 'none' }, ['glm/b'], ['q1/a tools', 'ernie/c no-thinking']],
    ['a prompt that fits nowhere but there', asking({ type: 'text', text: letters(8_008) }), ['glm/b', 'ernie/c'], ['q1/a context']],
  ])('%s', (_what, request, order, skipped) => {
    const { candidates, decision } = choose('m', wantsOf(request));
    expect(candidates.map(({ backend, model }) => `${backend.name}/${model}`)).toEqual(order);
    expect(decision.order.map(({ to }) => to)).toEqual(order);
    expect(decision.skipped.map(({ to, rule }) => `${to} ${rule}`)).toEqual(skipped);
    expect(decision.unmet).toBeUndefined();
  });

  test('what needs nothing is decided once, and is not changed by what needs more', () => {
    const plain = choose('m', wantsOf({}));
    choose('m', wantsOf(TOOLS));
    choose('m', wantsOf(asking({ type: 'text', text: letters(6_000) })));
    expect(choose('m', wantsOf({}))).toBe(plain);
    expect(plain.decision.order.map(({ to }) => to)).toEqual(['q1/a', 'glm/b', 'ernie/c']);
  });

  test('a prompt that probably does not fit goes to longer contexts first, and says so', () => {
    const { decision } = choose('m', wantsOf(asking({ type: 'text', text: letters(6_000) })));
    expect(decision.order).toEqual([
      { to: 'glm/b', tier: 1 },
      { to: 'ernie/c', tier: 2 },
      { to: 'q1/a', tight: true },
    ]);
    expect(decision.skipped).toEqual([]);
  });

  test('where nobody can do all, everyone is asked in turn, so that a translator says what it is', () => {
    const { decision } = choose('m', wantsOf({ ...TOOLS, ...asking(PICTURE), reasoning_effort: 'none' }));
    expect(decision.order.map(({ to }) => to)).toEqual(['q1/a', 'glm/b', 'ernie/c']);
    expect(decision.unmet).toEqual(['tools', 'vision', 'no-thinking']);
    expect(decision.skipped).toEqual([]);
  });

  test.each<[string, number, string, string[]]>([
    [
      'the longest alone',
      80_000,
      '{ qwen/a: { contextTokens: 100 }, glm/b: { contextTokens: 300 }, ernie/c: { contextTokens: 200 } }',
      ['glm/b'],
    ],
    [
      'the first of the longest',
      80_000,
      '{ qwen/a: { contextTokens: 300 }, glm/b: { contextTokens: 300 }, ernie/c: { contextTokens: 200 } }',
      ['q1/a'],
    ],
  ])('%s refuses what is too long for all', (_what, length, catalog, order) => {
    const short = routing(`{ m: ${THREE} }`, { catalog });
    const { decision } = short.choose('m', wantsOf(asking({ type: 'text', text: letters(length) })));
    expect(decision.order.map(({ to }) => to)).toEqual(order);
    expect(decision.unmet).toEqual(['context']);
    expect(decision.skipped.map(({ rule }) => rule)).toEqual(['context', 'context']);
  });
});

describe('what a permit, a vendor and a kind leave out is told', () => {
  test.each<[string, string, string[]]>([
    ['vendor', "{ vendors: [glm, ernie], regions: ['*'] }", ['q1/a vendor']],
    ['region', '{ vendors: [qwen, glm, ernie], regions: [cn-beijing] }', ['glm/b region', 'ernie/c region']],
    ['both', '{ vendors: [glm, ernie], regions: [cn] }', ['q1/a vendor']],
  ])('%s', (_what, permit, skipped) => {
    const { choose } = routing(`{ m: ${THREE} }`, { permit });
    expect(choose('m').decision.skipped.map(({ to, rule }) => `${to} ${rule}`)).toEqual(skipped);
  });

  test('retired', () => {
    const { choose } = routing(`{ m: ${THREE} }`, { catalog: '{ glm/b: { retired: true } }' });
    expect(choose('m').decision.skipped).toEqual([{ to: 'glm/b', rule: 'retired' }]);
  });
});

describe('order and weighted', () => {
  const WEIGHED = '[{ to: q1/a, weight: 3 }, { to: glm/b, weight: 1 }, { to: ernie/c, tier: 1 }]';
  test('order leaves weights aside', () => {
    const { places } = routing(`{ m: { to: [{ to: q1/a, weight: 1 }, { to: glm/b, weight: 99 }] } }`, { random: () => 0.99 });
    expect(places('m')).toEqual(['q1/a', 'glm/b']);
  });

  test.each([
    [0, ['q1/a', 'glm/b', 'ernie/c']],
    [0.99, ['glm/b', 'q1/a', 'ernie/c']],
  ])('a higher tier comes last at %d', (drawn, order) => {
    const { choose, places } = routing(`{ m: { strategy: weighted, to: ${WEIGHED} } }`, { random: () => drawn });
    expect(places('m')).toEqual(order);
    expect(choose('m').decision).toMatchObject({ strategy: 'weighted', order: [{}, {}, { to: 'ernie/c', tier: 1 }] });
    expect(choose('m').decision.affinity).toBeUndefined();
  });

  test('a conversation stays where it is, conversations share by weight, and the draw is not asked', () => {
    const random = (): number => {
      throw new Error('drawn');
    };
    const { choose } = routing(`{ m: { strategy: weighted, to: ${WEIGHED} } }`, { random });
    const count = new Map<string, number>();
    for (let index = 0; index < 2_000; index++) {
      const at = (more: object[]): string => {
        const { decision } = choose(
          'm',
          wantsOf({ messages: [{ role: 'system', content: 's' }, { role: 'user', content: `${index}` }, ...more] }),
        );
        expect(decision.affinity).toBe(true);
        return decision.order[0]?.to ?? '';
      };
      const first = at([]);
      expect(
        at([
          { role: 'assistant', content: 'x' },
          { role: 'user', content: 'and?' },
        ]),
      ).toBe(first);
      count.set(first, (count.get(first) ?? 0) + 1);
    }
    expect((count.get('q1/a') ?? 0) / 2_000).toBeCloseTo(0.75, 1);
    expect(count.has('ernie/c')).toBe(false);
  });

  test('affinity off: each request is drawn', () => {
    const { choose } = routing(`{ m: { strategy: weighted, affinity: off, to: ${WEIGHED} } }`, { random: () => 0.99 });
    expect(choose('m', wantsOf({})).decision.order[0]?.to).toBe('glm/b');
  });
});

describe('what a conversation is known by', () => {
  const name = (request: object, key = 'k'): string => wantsOf(request, key).conversation();
  const talk = (system: string, ...users: string[]) => ({
    messages: [{ role: 'system', content: system }, ...users.map((content) => ({ role: 'user', content }))],
  });
  const LONG = 'x'.repeat(2_048);
  test.each<[string, object, object, boolean]>([
    ['what follows does not count', talk('s', 'a'), talk('s', 'a', 'b'), true],
    ['the first words do', talk('s', 'a'), talk('s', 'b'), false],
    ['the system prompt does', talk('s', 'a'), talk('t', 'a'), false],
    [
      'parts are text',
      talk('s', 'a'),
      {
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: [{ type: 'text', text: 'a' }] },
        ],
      },
      true,
    ],
    ['only the beginning is read', talk(LONG, 'a'), talk(`${LONG}y`, 'a'), true],
    ['parts do not run into one another', talk('ab', 'c'), talk('a', 'bc'), false],
    [
      'a key of the cache is stronger than words',
      { prompt_cache_key: 'p', ...talk('s', 'a') },
      { prompt_cache_key: 'p', ...talk('t', 'b') },
      true,
    ],
    ['and than the user', { prompt_cache_key: 'p', user: 'u' }, { prompt_cache_key: 'p', user: 'v' }, true],
    ['a user is stronger than words', { user: 'u', ...talk('s', 'a') }, { user: 'u', ...talk('t', 'b') }, true],
    ['a user is not a key of the cache', { user: 'u' }, { prompt_cache_key: 'u' }, false],
  ])('%s', (_what, one, other, same) => expect(name(one) === name(other)).toBe(same));

  test('another key is another conversation', () => expect(name({}, 'k')).not.toBe(name({}, 'other')));

  test('a candidate that goes moves only its own conversations', () => {
    const three = routing(`{ m: { strategy: weighted, to: ${THREE} } }`);
    const two = routing(`{ m: { strategy: weighted, to: [q1/a, ernie/c] } }`);
    fc.assert(
      fc.property(fc.string(), (text) => {
        const wants = wantsOf({ messages: [{ role: 'user', content: text }] });
        const before = three.choose('m', wants).decision.order.map(({ to }) => to);
        const after = two.choose('m', wants).decision.order.map(({ to }) => to);
        expect(after).toEqual(before.filter((to) => to !== 'glm/b'));
      }),
    );
  });
});
