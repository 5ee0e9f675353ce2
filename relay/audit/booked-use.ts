import type { LedgerEntry } from '../ledger/ledger-entry.ts';
import { useOf } from '../quota/gate.ts';
import type { Use } from '../quota/lines.ts';
import { reachedBackend } from '../records/record-of.ts';
import type { Attempt } from '../records/request-record.ts';

/** What the limits were told of a request, from its line in the books; null when everything came back: no backend was reached. */
export function bookedUse(entry: LedgerEntry): Use | null {
  const attempts = JSON.parse(entry.attempts) as Attempt[];
  if (entry.usageSource === null && !reachedBackend(attempts)) return null;
  const thrown = attempts.flatMap(({ discarded }) => discarded ?? []);
  const expected = {
    prompt: thrown.reduce((sum, { promptTokens }) => sum + promptTokens, entry.paidPromptTokens),
    completion: thrown.reduce((sum, { completionTokens }) => sum + completionTokens, entry.completionTokens),
  };
  // As the limits do it: one currency a request, that of the answer.
  const costs = thrown.flatMap(({ cost }) => cost ?? []).map(({ amountNano, currency }) => ({ amountNano, currency }));
  if (entry.costNano !== null && entry.currency !== null) costs.unshift({ amountNano: entry.costNano, currency: entry.currency });
  const [first, ...more] = costs;
  if (first === undefined) return useOf(expected, null);
  const amountNano = more.reduce((sum, cost) => (cost.currency === first.currency ? sum + cost.amountNano : sum), first.amountNano);
  return useOf(expected, { ...first, amountNano });
}
