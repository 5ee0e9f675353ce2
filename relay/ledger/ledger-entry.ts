import type { Reason, RequestRecord } from '../records/request-record.ts';
import type { Decision } from '../routing/decision.ts';

/** Money is never added up across these. */
export type Currency = 'CNY' | 'USD';

/** One line of the books: what one request used and cost. Flat, so that it is a row as it stands. No prompt, no answer, no secret. */
export interface LedgerEntry {
  /** The request's id, `req_…`: a line is written once, however often it is handed over. */
  readonly id: string;
  /** Arrival, milliseconds since the epoch. */
  readonly atMs: number;
  readonly surface: string;
  readonly team: string;
  /** Name of the caller's key. */
  readonly key: string;
  readonly askedModel: string;
  /** The backend's own name of the model of the last attempt; empty when no backend was asked. So are the three below. */
  readonly servedModel: string;
  readonly backend: string;
  readonly vendor: string;
  readonly region: string;
  readonly stream: 0 | 1;
  readonly status: number;
  /** `expired`: the node died, and its lease ran out; the tokens are those that were reserved. */
  readonly reason: Reason | 'expired';
  readonly errorCode: string | null;
  readonly promptTokens: number;
  /** What the vendor counted as prompt: more than `promptTokens` when parallel calls paid it each time. */
  readonly paidPromptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
  /** Null when nothing was answered: the tokens are zero then. */
  readonly usageSource: 'vendor' | 'estimated' | 'reserved' | null;
  /** Billionths of the currency's unit; null when no price is known, or nothing was answered. So are the four below. */
  readonly costNano: number | null;
  readonly currency: Currency | null;
  readonly priceSource: string | null;
  readonly priceDate: string | null;
  readonly priceConfidence: string | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  /** JSON. */
  readonly receipt: string | null;
  /** JSON: a list of `Attempt`. */
  readonly attempts: string;
  /** JSON: a `Decision`; null of a request whose node died. */
  readonly decision: string | null;
  /** What the limits reserved before the request was sent; null for a key without limits, and when they refused. So are the three below. */
  readonly estimatePromptTokens: number | null;
  readonly estimateCompletionTokens: number | null;
  /** Null when no price was known. */
  readonly estimateCostNano: number | null;
  readonly estimateCurrency: Currency | null;
  /** Which limit refused, as in `x-estafet-limit`; null when none did. */
  readonly refusedBy: string | null;
  /** Where the reservation was held: while Redis is gone, a team's `onStoreLoss` may admit without it. Null when there was none. */
  readonly heldBy: 'store' | 'local' | 'nobody' | null;
}

/**
 * A line on its way to the store: an entry, or the JSON of a `RequestRecord`. That text is made for the log anyway; whoever writes the line makes
 * an entry of it, in SQLite's case on a thread of its own, and a line that waits is one string.
 */
export type LedgerLine = LedgerEntry | string;

export const entryOfLine = (line: LedgerLine): LedgerEntry =>
  typeof line === 'string' ? ledgerEntry(JSON.parse(line) as RequestRecord) : line;

/** Names that callers send are cut to this many characters, and say so by an ellipsis. */
const LONGEST_NAME = 200;
/** A receipt grows with the fields that a caller sends; a longer one is left out of the line. In characters of JSON. */
const LONGEST_RECEIPT = 16_384;

export function ledgerEntry(record: RequestRecord): LedgerEntry {
  const last = record.attempts.at(-1);
  const { usage, cost, estimate } = record;
  return {
    id: record.id,
    atMs: Date.parse(record.at),
    surface: record.surface,
    team: record.team,
    key: record.key,
    askedModel: clippedName(record.model),
    servedModel: clippedName(last?.model ?? ''),
    backend: last?.backend ?? '',
    vendor: last?.vendor ?? '',
    region: last?.region ?? '',
    stream: record.stream ? 1 : 0,
    status: record.status,
    reason: record.reason,
    errorCode: record.error?.code ?? null,
    promptTokens: usage?.promptTokens ?? 0,
    paidPromptTokens: usage?.paidPromptTokens ?? 0,
    completionTokens: usage?.completionTokens ?? 0,
    cachedTokens: usage?.cachedTokens ?? 0,
    reasoningTokens: usage?.reasoningTokens ?? 0,
    usageSource: usage?.source ?? null,
    costNano: cost?.amountNano ?? null,
    currency: cost?.currency ?? null,
    priceSource: cost?.priceSource ?? null,
    priceDate: cost?.priceDate ?? null,
    priceConfidence: cost?.priceConfidence ?? null,
    firstByteMs: record.firstByteMs,
    totalMs: record.totalMs,
    receipt: receiptText(record.receipt),
    attempts: JSON.stringify(record.attempts.map((attempt) => ({ ...attempt, model: clippedName(attempt.model) }))),
    decision: decisionText(record.decision),
    estimatePromptTokens: estimate?.promptTokens ?? null,
    estimateCompletionTokens: estimate?.completionTokens ?? null,
    estimateCostNano: estimate?.costNano ?? null,
    estimateCurrency: estimate?.currency ?? null,
    refusedBy: record.refusedBy ?? null,
    heldBy: record.heldBy ?? null,
  };
}

export const clippedName = (name: string): string => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);

/** Callers make up names behind `backend/`. */
function decisionText({ order, skipped, ...decision }: Decision): string {
  const clipped = <T extends { readonly to: string }>(entry: T): T => ({ ...entry, to: clippedName(entry.to) });
  return JSON.stringify({ ...decision, order: order.map(clipped), skipped: skipped.map(clipped) });
}

function receiptText(receipt: RequestRecord['receipt']): string | null {
  if (receipt === null) return null;
  const text = JSON.stringify(receipt);
  return text.length > LONGEST_RECEIPT ? JSON.stringify({ omitted: `the receipt is ${text.length} characters long` }) : text;
}
