import { describe, expect, test } from 'vitest';
import { accepted, GOOD, problemsOf } from './setup.ts';

const file = (price: string) => GOOD.replace(/apiKey: [^ ]+ \}/, (key) => key.replace(' }', `, prices: { "qwen-max": ${price} } }`));
const PATH = 'backends.qwen.prices.qwen-max';

describe('prices of a backend', () => {
  test.each([
    '{ currency: CNY, input: 0.8, output: 2 }',
    '{ currency: USD, input: 0, output: 0, cachedInput: 0.1, thinkingOutput: 8, date: 2026-11-01 }',
    '{ currency: CNY, tiers: [{ inputUpTo: 32000, outputUpTo: 200, input: 1, output: 2 }, { inputUpTo: 32000, input: 1, output: 3 }, { input: 2, output: 4 }] }',
  ])('%s is taken, without a warning', (price) => {
    expect(accepted(file(price)).warnings).toEqual([]);
  });

  test.each([
    ['{ input: 1, output: 2 }', '.currency: is required'],
    ['{ currency: EUR, input: 1, output: 2 }', '.currency: "EUR" is not one of CNY, USD'],
    ['{ currency: CNY, output: 2 }', '.input: is required'],
    ['{ currency: CNY, input: 1 }', '.output: is required'],
    ['{ currency: CNY, input: -1, output: 2 }', '.input: must be at least 0'],
    ['{ currency: CNY, input: 1000001, output: 2 }', '.input: must be at most 1000000'],
    ['{ currency: CNY, input: 1, ouput: 2 }', '.ouput: unknown key, did you mean "output"?'],
    ['{ currency: CNY, input: 1, output: 2, date: yesterday }', '.date: must be a date such as 2026-11-01'],
    ['{ currency: CNY, input: 1, output: 2, date: 2026-13-01 }', '.date: must be a date such as 2026-11-01'],
    ['{ currency: CNY, tiers: [] }', '.tiers: must not be an empty list'],
    ['{ currency: CNY, tiers: [{ input: 1 }] }', '.tiers[0].output: is required'],
    ['{ currency: CNY, tiers: [{ inputUpTo: 0, input: 1, output: 2 }] }', '.tiers[0].inputUpTo: must be at least 1'],
    ['{ currency: CNY, input: 1, tiers: [{ input: 1, output: 2 }] }', '.input: must be in each of the tiers'],
    ['{ currency: CNY, tiers: [{ input: 1, output: 2 }, { inputUpTo: 5, input: 1, output: 2 }] }', '.tiers[1]: is never used'],
    [
      '{ currency: CNY, tiers: [{ inputUpTo: 9, input: 1, output: 2 }, { inputUpTo: 9, outputUpTo: 5, input: 1, output: 2 }] }',
      '.tiers[1]: is never used',
    ],
  ])('%s is refused with its place', (price, fault) => {
    expect(problemsOf(file(price)).filter((problem) => problem.includes(`  ${PATH}${fault}`))).toHaveLength(1);
  });
});
