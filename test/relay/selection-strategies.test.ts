import { describe, expect, test } from 'vitest';
import type { Price } from '../../catalog/price.ts';
import { routing } from './routing-rig.ts';
import { THREE, wantsOf } from './selection-wants.ts';

describe('latency', () => {
  const rig = (more = '') => routing(`{ m: { strategy: latency, ${more} to: ${THREE} } }`);
  const told = (built: ReturnType<typeof rig>, figures: Record<string, number | 'failed'>, stream = false): void => {
    for (const [to, ms] of Object.entries(figures)) {
      const running = built.latencies.begin(to, stream);
      if (ms === 'failed') running.ended(null, true);
      else running.ended(ms);
    }
  };
  const order = (built: ReturnType<typeof rig>, wants = {}) =>
    built.choose('m', wants).decision.order.map(({ to, expectedMs }) => `${to} ${expectedMs}`);

  test.each<[string, Record<string, number | 'failed'>, string[]]>([
    // With a draw of 0 the two are the first two of the file.
    ['nothing known: the draw', {}, ['q1/a null', 'glm/b null', 'ernie/c null']],
    ['the sooner of two', { 'q1/a': 200, 'glm/b': 100 }, ['glm/b 100', 'q1/a 200', 'ernie/c 100']],
    ['the first of two that are alike', { 'q1/a': 100, 'glm/b': 100, 'ernie/c': 1 }, ['q1/a 100', 'glm/b 100', 'ernie/c 1']],
    ['who was not asked is taken to be as fast as the fastest', { 'q1/a': 200, 'ernie/c': 50 }, ['glm/b 50', 'q1/a 200', 'ernie/c 50']],
    ['a failure is no speed', { 'q1/a': 'failed', 'glm/b': 3_000 }, ['glm/b 3000', 'q1/a 5000', 'ernie/c 3000']],
  ])('%s', (_what, figures, wanted) => {
    const built = rig();
    told(built, figures);
    expect(order(built)).toEqual(wanted);
  });

  test('a peak counts at once, and wears off', () => {
    const built = rig();
    told(built, { 'q1/a': 100, 'glm/b': 400 });
    told(built, { 'q1/a': 1_000 });
    expect(order(built)[0]).toBe('glm/b 400');
    for (let round = 0; round < 20; round++) {
      built.clock.ms += 10_000;
      told(built, { 'q1/a': 100, 'glm/b': 400 });
    }
    expect(order(built)[0]).toBe('q1/a 100');
  });

  test('who was slow gets another chance after a while', () => {
    const built = rig();
    told(built, { 'q1/a': 10_000, 'glm/b': 1_000 });
    built.clock.ms += 120_000;
    told(built, { 'glm/b': 1_000 });
    expect(order(built)[0]).toBe('q1/a 183');
  });

  test('calls under way count', () => {
    const built = rig();
    told(built, { 'q1/a': 100, 'glm/b': 150 });
    const running = built.latencies.begin('q1/a', false);
    expect(order(built).slice(0, 2)).toEqual(['glm/b 150', 'q1/a 200']);
    running.ended(null);
    expect(order(built).slice(0, 2)).toEqual(['q1/a 100', 'glm/b 150']);
  });

  test('streams and whole answers are apart', () => {
    const built = rig();
    told(built, { 'q1/a': 100, 'glm/b': 10 }, true);
    expect(order(built)[0]).toBe('q1/a null');
    expect(order(built, { stream: true })[0]).toBe('glm/b 10');
  });

  test('a place that is not configured is not remembered', () => {
    const built = rig();
    told(built, { 'q1/made-up': 1 });
    expect(built.latencies.expected(['q1/made-up'], false)).toEqual([null]);
  });

  test('a conversation leaves its candidate only for one that is clearly sooner', () => {
    const built = rig();
    const wants = wantsOf({});
    const [first, second] = built.choose('m', wants).decision.order.map(({ to }) => to) as [string, string];
    told(built, { [first]: 149, [second]: 100 });
    expect(built.choose('m', wants).decision.order[0]?.to).toBe(first);
    told(built, { [first]: 151 });
    expect(built.choose('m', wants).decision.order[0]?.to).toBe(second);
  });

  test('two at random: load is spread, and most of it goes to the sooner ones', () => {
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const built = routing(`{ m: { strategy: latency, affinity: off, to: ${THREE} } }`, { random });
    told(built, { 'q1/a': 100, 'glm/b': 200, 'ernie/c': 300 });
    const count = { 'q1/a': 0, 'glm/b': 0, 'ernie/c': 0 };
    for (let index = 0; index < 3_000; index++) count[built.choose('m').decision.order[0]?.to as 'q1/a']++;
    expect(count['q1/a'] / 3_000).toBeCloseTo(2 / 3, 1);
    expect(count['glm/b'] / 3_000).toBeCloseTo(1 / 3, 1);
    expect(count['ernie/c']).toBe(0);
  });
});

describe('cost', () => {
  const price = (currency: 'CNY' | 'USD', input: number, output: number): Price => ({
    region: 'r',
    currency,
    unit: '1M_tokens',
    basis: 'live',
    tiers: [{ input_gt: 0, input_le: null, input, output, cached_input: null, output_thinking: null }],
    source: 's',
    date: '2026-11-25',
    confidence: 'official',
  });
  const rig = (prices: Record<string, Price>, more = '') =>
    routing(`{ m: { strategy: cost, ${more} to: ${THREE} } }`, { priceOf: ({ name }, model) => prices[`${name}/${model}`] ?? null });

  test.each<[string, Record<string, Price>, string, object, string[]]>([
    [
      'by this request',
      { 'q1/a': price('CNY', 1, 20), 'glm/b': price('CNY', 2, 3) },
      '',
      { prompt: 1_000, completion: 10 },
      ['q1/a', 'glm/b', 'ernie/c'],
    ],
    [
      'and another',
      { 'q1/a': price('CNY', 1, 20), 'glm/b': price('CNY', 2, 3) },
      '',
      { prompt: 1_000, completion: 1_000 },
      ['glm/b', 'q1/a', 'ernie/c'],
    ],
    [
      'equal ones in the order of the file',
      { 'q1/a': price('CNY', 1, 1), 'ernie/c': price('CNY', 1, 1) },
      '',
      {},
      ['q1/a', 'ernie/c', 'glm/b'],
    ],
    ['nothing known', {}, '', {}, ['q1/a', 'glm/b', 'ernie/c']],
    [
      'another currency after the first one',
      { 'q1/a': price('CNY', 9, 9), 'glm/b': price('USD', 1, 1) },
      '',
      {},
      ['q1/a', 'glm/b', 'ernie/c'],
    ],
    [
      'dollars that are cheaper',
      { 'q1/a': price('CNY', 9, 9), 'glm/b': price('USD', 1, 1) },
      'cnyPerUsd: 7,',
      {},
      ['glm/b', 'q1/a', 'ernie/c'],
    ],
    [
      'dollars that are not',
      { 'q1/a': price('CNY', 6, 6), 'glm/b': price('USD', 1, 1) },
      'cnyPerUsd: 7,',
      {},
      ['q1/a', 'glm/b', 'ernie/c'],
    ],
    [
      'yuan that are cheaper',
      { 'q1/a': price('USD', 1, 1), 'glm/b': price('CNY', 6, 6) },
      'cnyPerUsd: 7,',
      {},
      ['glm/b', 'q1/a', 'ernie/c'],
    ],
  ])('%s', (_what, prices, more, expected, order) => {
    const wants = { expected: () => ({ prompt: 1_000, completion: 1_000, ...expected }) };
    expect(rig(prices, more).places('m', wants)).toEqual(order);
  });

  test('the figures are told', () => {
    const { decision } = rig({ 'q1/a': price('CNY', 2, 4) }).choose('m');
    expect(decision).toEqual({
      strategy: 'cost',
      order: [
        { to: 'q1/a', costNano: 2_400_000, currency: 'CNY' },
        { to: 'glm/b', costNano: null },
        { to: 'ernie/c', costNano: null },
      ],
      skipped: [],
    });
  });
});
