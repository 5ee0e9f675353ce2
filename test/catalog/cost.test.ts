import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import { costOf } from '../../relay/ledger/cost.ts';

/** [vendor, model, region, input, output, cached, thinking, currency, billionths], computed with exact decimals by catalog/check.py. */
type Row = [string, string, string, number, number, number, number, string, string];

const rows = JSON.parse(readFileSync(new URL('./cost-oracle.json', import.meta.url), 'utf8')) as Row[];
const catalog = loadCatalog();

describe('cost', () => {
  test('agrees with the independent calculator on every price of the catalogue, borders included', () => {
    const wrong = rows.filter(([vendor, model, region, prompt, completion, cached, reasoning, currency, nano]) => {
      const price = catalog.price(vendor, model, region);
      const cost = price === null ? null : costOf(price, [{ prompt, completion, cached, reasoning }]);
      return cost === null || cost.currency !== currency || String(cost.amountNano) !== nano;
    });
    expect(rows.length).toBeGreaterThan(300);
    expect(wrong).toEqual([]);
  });

  test('parallel calls are each priced by their own tier', () => {
    const price = catalog.price('qwen', 'qwen-plus', 'cn-beijing');
    const usage = { prompt: 128_000, completion: 0, cached: 0, reasoning: 0 };
    expect(price && costOf(price, [usage, usage])?.amountNano).toBe(2 * 102_400_000);
  });

  test('a price by the image is no price of tokens', () => {
    const price = catalog.price('ernie', 'irag-1.0', 'cn');
    expect(price?.unit).toBe('image');
    expect(price && costOf(price, [])).toBeNull();
  });

  test('an unknown model or region has no price', () => {
    expect(catalog.price('qwen', 'no-such-model', 'cn-beijing')).toBeNull();
    expect(catalog.price('qwen', 'qwen-plus', 'mars')).toBeNull();
  });
});
