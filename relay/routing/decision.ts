import type { HedgeSettings } from '../../config/config.ts';
import type { Cost } from '../ledger/cost.ts';

/** How the candidates of one tier are put in order. */
export type Strategy = 'order' | 'weighted' | 'latency' | 'cost';

/**
 * Why a candidate is not asked. `model`, `vendor`, `region`: the key's permit · `retired`: by its vendor · `same-model`: vectors come from one model
 * only · the others: the request needs what the model is known not to have.
 */
export type Rule = 'model' | 'vendor' | 'region' | 'retired' | 'same-model' | Need;

/** What a request may need of a model. */
export type Need = 'tools' | 'vision' | 'audio' | 'thinking' | 'no-thinking' | 'logprobs' | 'context' | 'dimensions';

export interface Skipped {
  /** `backend/model`. */
  readonly to: string;
  readonly rule: Rule;
}

export interface Ranked {
  /** `backend/model`. */
  readonly to: string;
  /** Left out where it is the first. */
  readonly tier?: number;
  /** By `latency`: the expected wait, in ms, for the first byte, calls under way counted in. Null: not known. */
  readonly expectedMs?: number | null;
  /** By `cost`: of this request as it is expected, in billionths of the currency's unit. Null: no price known. */
  readonly costNano?: number | null;
  readonly currency?: Cost['currency'];
  /** The prompt probably does not fit into its context: those that take longer ones come first. */
  readonly tight?: true;
}

/** Why a request went where it went. Names of the configuration and of models only: no prompt, no secret. */
export interface Decision {
  readonly strategy: Strategy;
  /** In which they are asked, one after the other, until one answers. */
  readonly order: readonly Ranked[];
  readonly skipped: readonly Skipped[];
  /** The conversation decided who of a tier is first. */
  readonly affinity?: true;
  /** No candidate can do all that the request needs: each is asked all the same, and its translator says what it cannot carry. */
  readonly unmet?: readonly Need[];
}

/** Whom to ask, in which order, and why. */
export interface Choice<C> {
  /** At least one. */
  readonly candidates: readonly C[];
  readonly decision: Decision;
  readonly hedge: HedgeSettings | null;
  /** From the arrival of the request, in ms; null: as the server has it. */
  readonly totalDeadlineMs: number | null;
}

/** Permits are the admin's business: what one leaves out is in the log and the books, not in what its caller may look up. */
export function withoutPermits(decision: Decision): Decision {
  const skipped = decision.skipped.filter(({ rule }) => rule !== 'model' && rule !== 'vendor' && rule !== 'region');
  return skipped.length === decision.skipped.length ? decision : { ...decision, skipped };
}
