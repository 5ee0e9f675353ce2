import type { Usage } from '../../openai/chat/events.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import type { Cost } from '../ledger/cost.ts';
import type { Place } from '../routing/route-table.ts';
import type { VendorSignals } from '../upstream/vendor-signals.ts';
import { type Attempt, HEDGED } from './request-record.ts';

/**
 * @param error its name, where it is none of the catalogue's
 * @param ms how long it took
 */
export function attemptOf(
  { backend, model }: Place,
  error: OpenAIError | typeof HEDGED | null,
  ms: number,
  signals: VendorSignals,
): Attempt {
  return {
    backend: backend.name,
    vendor: backend.vendor,
    region: backend.region,
    model,
    error: error === HEDGED ? HEDGED : (error?.kind ?? null),
    upstreamCode: error === HEDGED ? null : (error?.details.upstreamCode ?? null),
    ms: Math.round(ms),
    ...signals,
  };
}

/** An answer that nobody gets is billed all the same. */
export function discardedOf(told: readonly Usage[], price: (told: readonly Usage[]) => Cost | null): Pick<Attempt, 'discarded'> {
  if (told.length === 0) return {};
  const sum = (count: 'prompt' | 'completion' | 'cached' | 'reasoning'): number => told.reduce((total, usage) => total + usage[count], 0);
  return {
    discarded: {
      promptTokens: sum('prompt'),
      completionTokens: sum('completion'),
      cachedTokens: sum('cached'),
      reasoningTokens: sum('reasoning'),
      cost: price(told),
      ...(told.some(({ estimated }) => estimated === true) ? { estimated: true as const } : {}),
    },
  };
}
