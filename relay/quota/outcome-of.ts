import type { Cost } from '../ledger/cost.ts';
import { type Ending, reachedBackend } from '../records/record-of.ts';
import type { RequestRecord } from '../records/request-record.ts';
import type { Outcome } from './gate.ts';

/** What the limits are told: what was used and why it ended. Nothing was used where no backend was reached. */
export function outcomeOf(record: RequestRecord, { attempts, result }: Pick<Ending, 'attempts' | 'result'>, cost: Cost | null): Outcome {
  const reason = record.reason === 'refused' ? 'refused_upstream' : record.reason;
  if ((result === null || result.paid.length === 0) && !reachedBackend(attempts)) return { used: null, reason };
  const thrown = attempts.flatMap(({ discarded }) => discarded ?? []);
  const paid = [
    ...thrown.map(({ promptTokens: prompt, completionTokens: completion }) => ({ prompt, completion })),
    ...(result?.paid ?? []),
  ];
  const expected = paid.reduce((sum, usage) => ({ prompt: sum.prompt + usage.prompt, completion: sum.completion + usage.completion }), {
    prompt: 0,
    completion: 0,
  });
  return {
    used: {
      expected,
      cost: thrown.reduce((sum, discarded) => added(sum, discarded.cost), cost),
      source: record.usage?.source === 'vendor' && !thrown.some(({ estimated }) => estimated) ? 'vendor' : 'estimated',
    },
    reason,
  };
}

/** Limits know one currency a request, that of the answer; the books keep every one. */
function added(cost: Cost | null, more: Cost | null): Cost | null {
  if (cost === null || more === null) return cost ?? more;
  return cost.currency === more.currency ? { ...cost, amountNano: cost.amountNano + more.amountNano } : cost;
}
