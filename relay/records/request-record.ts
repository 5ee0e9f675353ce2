import type { FinishReason, Usage } from '../../openai/chat/events.ts';
import type { Change, Receipt } from '../../translators/receipt.ts';
import type { Cost } from '../ledger/cost.ts';
import type { HeldBy } from '../quota/guarded-quota.ts';
import type { Decision } from '../routing/decision.ts';
import type { VendorSignals } from '../upstream/vendor-signals.ts';

/** One try at one backend. */
export interface Attempt extends VendorSignals {
  readonly backend: string;
  readonly vendor: string;
  readonly region: string;
  readonly model: string;
  /** Null when it succeeded, or was not made: see `unsent`; else the error's name in the relay's catalogue; `hedged`: cancelled, since the other of two calls was first. */
  readonly error: string | null;
  /** The vendor's own code of the error, where it gave one. */
  readonly upstreamCode: string | null;
  readonly ms: number;
  /** From the arrival of the request to its start, in ms; absent where nothing was attempted. */
  readonly startMs?: number;
  /**
   * Nothing was sent: the error is what an open breaker remembers, or that the time was over before a connection was free; null where the
   * caller left while the call was held by limits, or waited for a connection. Absent for an attempt that was made.
   */
  readonly unsent?: true;
  /** In the order in which they began, from 0, as in the id that the vendor got. Absent where it is the place in the list. */
  readonly number?: number;
  /** Called beside one that was silent for too long. */
  readonly hedge?: true;
  /** How long the request then waited in queues before full backends, in ms: until the next attempt, or until it gave up. */
  readonly queuedMs?: number;
  /**
   * What the vendor counted for an answer that was thrown away, else an estimate: of calls that were cancelled, and of a stream that broke off.
   * Absent when the answer was used, or nothing of one had come.
   */
  readonly discarded?: Discarded;
}

/** The error of an attempt that was cancelled, since the other of two was first. */
export const HEDGED = 'hedged';

/**
 * A second candidate was due, since the first was silent for too long, and: answered · was cancelled · failed · was not called, as the budget
 * was spent · was not called, as nobody had room.
 */
export type Hedge = 'won' | 'lost' | 'failed' | 'over-budget' | 'no-room';

/** Tokens as the vendor bills them, and their cost; null when the model has no known price. */
export interface Discarded {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  readonly cost: Cost | null;
  /** Absent where the vendor told all of it. */
  readonly estimated?: true;
}

/** What became of each field of a request: the full form behind the `x-estafet-receipt` header. */
export interface ReceiptRecord {
  /** Top-level fields that went through untouched. */
  readonly kept: readonly string[];
  readonly changes: readonly Change[];
  /** Entries of `kept` and `changes` beyond the ones listed. */
  readonly more: number;
}

/** Longest list of a record: a caller may send a million unknown fields, and the relay keeps many records. */
export const MAX_LISTED = 100;

/**
 * What the limits reserved for a request before it was sent. The cost is by the price of the first candidate; null when that is not known:
 * each budget then reserved the default of its own currency.
 */
export interface Estimate {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Billionths of the currency's unit. */
  readonly costNano: number | null;
  readonly currency: Cost['currency'] | null;
}

export type Reason = 'done' | 'client_gone' | 'vendor_error' | 'refused';

/** One request as the log, the look-up and later the books know it. No prompt, no answer, no secret. */
export interface RequestRecord {
  readonly id: string;
  readonly object: 'estafet.request';
  /** ISO time of arrival. */
  readonly at: string;
  readonly surface: string;
  readonly key: string;
  readonly team: string;
  readonly model: string;
  readonly stream: boolean;
  /** HTTP status sent; of a stream that failed later still 200. */
  readonly status: number;
  readonly reason: Reason;
  /** The error told to the caller, also inside a stream. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Who was considered, who was left out, and the order of the rest. */
  readonly decision: Decision;
  readonly attempts: readonly Attempt[];
  /** Absent where none was due. */
  readonly hedge?: Hedge;
  readonly receipt: ReceiptRecord | null;
  readonly usage: {
    readonly promptTokens: number;
    /** What the vendor bills as prompt: parallel calls pay it each time. */
    readonly paidPromptTokens: number;
    readonly completionTokens: number;
    readonly cachedTokens: number;
    readonly reasoningTokens: number;
    readonly source: 'vendor' | 'estimated';
  } | null;
  /** Null when no limit holds for the key, or one refused. */
  readonly estimate: Estimate | null;
  /** Which limit refused it, as in `x-estafet-limit`; absent when none did. */
  readonly refusedBy?: string;
  /** What holds the limits it was admitted by: the store, this process alone, or nobody. Absent for a key without limits. */
  readonly heldBy?: HeldBy;
  /** Why the choices ended, in OpenAI's words; absent where an answer has none. */
  readonly finishReasons?: readonly FinishReason[];
  /** Of a stream: chunks that were written. */
  readonly chunks?: number;
  /** Null when the model has no known price in that region, or nothing was answered. */
  readonly cost: Cost | null;
  /** From arrival to the first byte of the answer; null when none was sent. */
  readonly firstByteMs: number | null;
  readonly totalMs: number;
}

export function receiptRecord(request: object, { changes }: Receipt): ReceiptRecord {
  const touched = new Set<string>();
  for (const { field } of changes) {
    // A name may hold a dot itself: the whole path counts as touched too.
    touched.add(field);
    const end = field.search(/[[.]/);
    if (end >= 0) touched.add(field.slice(0, end));
  }
  const fields = Object.keys(request);
  const kept = touched.size === 0 ? fields : fields.filter((field) => !touched.has(field));
  const more = Math.max(0, kept.length - MAX_LISTED) + Math.max(0, changes.length - MAX_LISTED);
  return more === 0 ? { kept, changes, more } : { kept: kept.slice(0, MAX_LISTED), changes: changes.slice(0, MAX_LISTED), more };
}

export function usageRecord(usage: Usage, paid: readonly Usage[]): NonNullable<RequestRecord['usage']> {
  return {
    promptTokens: usage.prompt,
    paidPromptTokens: paid.reduce((sum, { prompt }) => sum + prompt, 0),
    completionTokens: usage.completion,
    cachedTokens: usage.cached,
    reasoningTokens: usage.reasoning,
    source: usage.estimated === true ? 'estimated' : 'vendor',
  };
}
