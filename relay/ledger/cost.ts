import type { Price, PriceTier } from '../../catalog/price.ts';
import type { Usage } from '../../openai/chat/events.ts';

/** What one answer cost, in billionths of the currency's unit: integers, since one token costs a few hundred of them. */
export interface Cost {
  readonly amountNano: number;
  readonly currency: 'CNY' | 'USD';
  /** Where the price comes from, and the day it was seen. */
  readonly priceSource: string;
  readonly priceDate: string;
  readonly priceConfidence: Price['confidence'];
}

/**
 * The whole-request rule: all tokens of a request are priced by the tier of its total input (cached tokens included); a request of exactly
 * the border is in the lower tier. Some prices depend on the length of the output too. Null for a price that is not by tokens.
 */
export function costOf(price: Price, usages: readonly Usage[]): Cost | null {
  if (price.unit !== '1M_tokens') return null;
  const total = usages.reduce((sum, usage) => sum + numerator(price, usage), 0n);
  return {
    // Prices are per million tokens; half a billionth rounds up.
    amountNano: Number((total + 500_000n) / 1_000_000n),
    currency: price.currency,
    priceSource: price.source,
    priceDate: price.date,
    priceConfidence: price.confidence,
  };
}

/** Billionths × million. */
function numerator(price: Price, { prompt, completion, cached, reasoning }: Usage): bigint {
  const tier = tierOf(price.tiers, prompt, completion);
  const input = nano(tier.input);
  const output = nano(tier.output);
  const fromCache = Math.min(cached, prompt);
  const thought = Math.min(reasoning, completion);
  return (
    BigInt(prompt - fromCache) * input +
    BigInt(fromCache) * (tier.cached_input === null ? input : nano(tier.cached_input)) +
    BigInt(completion - thought) * output +
    BigInt(thought) * (tier.output_thinking === null ? output : nano(tier.output_thinking))
  );
}

/** Beyond the last border the dearest tier holds. */
function tierOf(tiers: readonly PriceTier[], input: number, output: number): PriceTier {
  const found = tiers.find((tier) => {
    const inputFits = (tier.input_gt === 0 || input > tier.input_gt) && (tier.input_le === null || input <= tier.input_le);
    const above = tier.output_gt ?? 0;
    const most = tier.output_le ?? null;
    return inputFits && (above === 0 || output > above) && (most === null || output <= most);
  });
  return found ?? (tiers.at(-1) as PriceTier);
}

const nano = (price: number | null): bigint => BigInt(Math.round((price ?? 0) * 1e9));
