import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import type { Price } from '../../catalog/price.ts';
import type { Backend } from '../../config/config.ts';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { costOf } from '../../relay/ledger/cost.ts';
import { PriceList } from '../../relay/ledger/price-list.ts';
import { VENDORS } from '../../translators/registry.ts';

/** [vendor, model, region, input, output, cached, thinking, currency, billionths], computed with exact decimals by catalog/check.py. */
type Row = [string, string, string, number, number, number, number, string, string];

const rows = JSON.parse(readFileSync(new URL('./cost-oracle.json', import.meta.url), 'utf8')) as Row[];
const catalog = loadCatalog();

/** A backend whose file says what the catalogue does, read as any file is. */
function configured(region: string, model: string, { currency, tiers }: Price): Backend {
  const written = tiers.map(({ input_le, output_le, input, output, cached_input, output_thinking }) => ({
    ...(input_le === null ? {} : { inputUpTo: input_le }),
    ...(output_le == null ? {} : { outputUpTo: output_le }),
    input: input ?? 0,
    output: output ?? 0,
    ...(cached_input === null ? {} : { cachedInput: cached_input }),
    ...(output_thinking === null ? {} : { thinkingOutput: output_thinking }),
  }));
  const backend = {
    vendor: 'qwen',
    region,
    baseUrl: 'http://127.0.0.1',
    apiKey: 'env:K',
    prices: { [model]: { currency, tiers: written } },
  };
  const result = parseConfig(JSON.stringify({ backends: { b: backend } }), {
    file: 'f',
    env: { K: 'k' },
    readFile: () => Buffer.of(),
    vendors: VENDORS,
  });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config.backends['b'] as Backend;
}

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

  test('an override that says the same as the catalogue costs the same, by the same oracle', () => {
    const list = new PriceList({ price: () => null }, '2026-11-20');
    const backends = new Map<Price, Backend>();
    const wrong = rows.filter(([vendor, model, region, prompt, completion, cached, reasoning, currency, nano]) => {
      const price = catalog.price(vendor, model, region);
      if (price === null) return true;
      const backend = backends.get(price) ?? configured(region, model, price);
      backends.set(price, backend);
      const own = list.price(backend, Object.keys(backend.prices ?? {})[0] ?? '');
      const cost = own === null ? null : costOf(own, [{ prompt, completion, cached, reasoning }]);
      return cost === null || cost.currency !== currency || String(cost.amountNano) !== nano;
    });
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
