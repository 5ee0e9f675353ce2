import type { Price } from '../../catalog/price.ts';
import { type Cost, costOf } from '../ledger/cost.ts';
import type { Estimate } from '../records/request-record.ts';
import { type Demand, type Limit, MOST_AMOUNT, MOST_RATE } from './limits.ts';

/**
 * What a million tokens of a model without a known price are taken to cost, input and output: dearer than most, so that a budget holds.
 * The same figures are settled, so that nothing is refunded that was spent.
 */
const UNKNOWN_PRICE = { CNY: { input: 20, output: 60 }, USD: { input: 3, output: 9 } } as const;

/** Tokens a request is expected to use, before it is sent. */
export interface Expected {
  readonly prompt: number;
  readonly completion: number;
}

/** By list price; null when none is known. */
export function expectedCost({ prompt, completion }: Expected, price: Price | null): Cost | null {
  return price === null ? null : costOf(price, [{ prompt, completion, cached: 0, reasoning: 0 }]);
}

/** What was expected of a request, for its record. */
export function estimated({ prompt, completion }: Expected, cost: Cost | null): Estimate {
  const costNano = cost === null ? null : Math.min(cost.amountNano, MOST_AMOUNT);
  return { promptTokens: prompt, completionTokens: completion, costNano, currency: cost?.currency ?? null };
}

/** What is asked of every limit; the amounts are rounded up. What is more than the engine counts is as much as any limit holds. */
export function demandsOf(limits: readonly Limit[], expected: Expected, cost: Cost | null): Demand[] {
  const tokens = expected.prompt + expected.completion;
  return limits.map((limit) => ({ limit, amount: amountOf(limit, tokens, expected, cost) }));
}

function amountOf({ measure }: Limit, tokens: number, expected: Expected, cost: Cost | null): number {
  if (measure === 'requests' || measure === 'concurrency') return 1;
  if (measure === 'tokens') return Math.min(tokens, MOST_RATE);
  return Math.min(moneyNano(measure === 'nanoCny' ? 'CNY' : 'USD', expected, cost), MOST_AMOUNT);
}

/** Billionths in one currency; 0 when the backend bills in the other: two list prices are not converted into each other. */
export function moneyNano(currency: 'CNY' | 'USD', { prompt, completion }: Expected, cost: Cost | null): number {
  if (cost !== null) return cost.currency === currency ? cost.amountNano : 0;
  const { input, output } = UNKNOWN_PRICE[currency];
  return (prompt * input + completion * output) * 1000;
}
