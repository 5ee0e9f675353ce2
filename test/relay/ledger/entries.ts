import type { LedgerEntry } from '../../../relay/ledger/ledger-entry.ts';
import type { RequestRecord } from '../../../relay/records/request-record.ts';

export const HOUR = 3_600_000;
/** 2026-11-02T10:00:00Z */
export const TEN = Date.UTC(2026, 10, 2, 10);

/** A line with 10 prompt and 5 completion tokens for 1 CNY, unless told otherwise. */
export function entry(id: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    id,
    atMs: TEN,
    surface: 'chat.completions',
    team: 'blue',
    key: 'app',
    askedModel: 'gpt-4o',
    servedModel: 'qwen-plus',
    backend: 'qwen',
    vendor: 'qwen',
    region: 'cn-beijing',
    stream: 0,
    status: 200,
    reason: 'done',
    errorCode: null,
    promptTokens: 10,
    paidPromptTokens: 10,
    completionTokens: 5,
    cachedTokens: 2,
    reasoningTokens: 1,
    usageSource: 'vendor',
    costNano: 1_000_000_000,
    currency: 'CNY',
    priceSource: 'https://example.com/prices',
    priceDate: '2026-11-01',
    priceConfidence: 'official',
    firstByteMs: 20,
    totalMs: 100,
    receipt: '{"kept":["model"],"changes":[],"more":0}',
    attempts: '[]',
    estimatePromptTokens: null,
    estimateCompletionTokens: null,
    estimateCostNano: null,
    estimateCurrency: null,
    decision: null,
    refusedBy: null,
    heldBy: null,
    ...more,
  };
}

/** A request that no price is known for, or that nothing came of. */
export const UNPRICED = { costNano: null, currency: null, priceSource: null, priceDate: null, priceConfidence: null } as const;
export const UNANSWERED = {
  ...UNPRICED,
  usageSource: null,
  promptTokens: 0,
  paidPromptTokens: 0,
  completionTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
} as const;

export const attempt = { backend: 'glm', vendor: 'glm', region: 'cn', model: 'glm-4.6', error: null, upstreamCode: null, ms: 5 };
/** A request that took two attempts. */
export const record: RequestRecord = {
  id: 'req_1',
  object: 'estafet.request',
  at: new Date(TEN).toISOString(),
  surface: 'chat.completions',
  key: 'app',
  team: 'blue',
  model: 'gpt-4o',
  stream: true,
  status: 200,
  reason: 'done',
  error: null,
  decision: { strategy: 'order', order: [{ to: 'qwen/qwen-plus' }], skipped: [] },
  attempts: [
    { ...attempt, backend: 'qwen', vendor: 'qwen', region: 'cn-beijing', model: 'qwen-plus', error: 'upstream_overloaded' },
    attempt,
  ],
  receipt: { kept: ['model'], changes: [], more: 0 },
  usage: { promptTokens: 10, paidPromptTokens: 30, completionTokens: 5, cachedTokens: 2, reasoningTokens: 1, source: 'vendor' },
  estimate: null,
  cost: { amountNano: 12_345, currency: 'CNY', priceSource: 'https://x', priceDate: '2026-11-01', priceConfidence: 'official' },
  firstByteMs: 20,
  totalMs: 100,
};
