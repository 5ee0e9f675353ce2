import type { Generated } from 'kysely';
import type { LedgerEntry } from '../../relay/ledger/ledger-entry.ts';

/** The tables as kysely sees them. Whole numbers are `bigint` in the database; how a driver gives them is in `whole.ts`. */
export interface Tables {
  estafet_schema: { version: number; applied_at_ms: number };
  estafet_requests: RequestColumns;
  estafet_usage_hours: HourColumns;
  estafet_access: { id: number; revision: number };
  estafet_teams: TeamColumns;
  estafet_keys: KeyColumns;
}

/** `settings` is the JSON of what a file would say under `teams`. */
export interface TeamColumns {
  name: string;
  settings: string;
  created_at_ms: number;
  changed_at_ms: number;
  removed_at_ms: number | null;
  revision: number;
}

/** `settings` is the JSON of what a file would say under `keys`, without name, team and key. */
export interface KeyColumns {
  id: string;
  name: string;
  digest: string;
  team: string;
  settings: string;
  created_at_ms: number;
  changed_at_ms: number;
  revoked_at_ms: number | null;
  revision: number;
}

export interface RequestColumns {
  id: string;
  at_ms: number;
}

/** Sums of one hour (UTC) and one combination; `currency` is empty for requests without a cost. */
export interface HourColumns {
  hour_ms: number;
  team: string;
  key_name: string;
  model: string;
  backend: string;
  currency: string;
  requests: Generated<number>;
  failed: Generated<number>;
  refused: Generated<number>;
  client_gone: Generated<number>;
  estimated: Generated<number>;
  expired: Generated<number>;
  unpriced: Generated<number>;
  prompt_tokens: Generated<number>;
  paid_prompt_tokens: Generated<number>;
  completion_tokens: Generated<number>;
  cached_tokens: Generated<number>;
  reasoning_tokens: Generated<number>;
  cost_nano: Generated<number>;
}

type ColumnType = 'text' | 'bigint';

/** Field of a ledger entry → its column. One list for both databases. */
export const REQUEST_COLUMNS: Readonly<Record<keyof LedgerEntry, readonly [column: string, type: ColumnType]>> = {
  id: ['id', 'text'],
  atMs: ['at_ms', 'bigint'],
  surface: ['surface', 'text'],
  team: ['team', 'text'],
  key: ['key_name', 'text'],
  askedModel: ['asked_model', 'text'],
  servedModel: ['served_model', 'text'],
  backend: ['backend', 'text'],
  vendor: ['vendor', 'text'],
  region: ['region', 'text'],
  stream: ['stream', 'bigint'],
  status: ['status', 'bigint'],
  reason: ['reason', 'text'],
  errorCode: ['error_code', 'text'],
  promptTokens: ['prompt_tokens', 'bigint'],
  paidPromptTokens: ['paid_prompt_tokens', 'bigint'],
  completionTokens: ['completion_tokens', 'bigint'],
  cachedTokens: ['cached_tokens', 'bigint'],
  reasoningTokens: ['reasoning_tokens', 'bigint'],
  usageSource: ['usage_source', 'text'],
  costNano: ['cost_nano', 'bigint'],
  currency: ['currency', 'text'],
  priceSource: ['price_source', 'text'],
  priceDate: ['price_date', 'text'],
  priceConfidence: ['price_confidence', 'text'],
  firstByteMs: ['first_byte_ms', 'bigint'],
  totalMs: ['total_ms', 'bigint'],
  receipt: ['receipt', 'text'],
  attempts: ['attempts', 'text'],
  decision: ['decision', 'text'],
  estimatePromptTokens: ['estimate_prompt_tokens', 'bigint'],
  estimateCompletionTokens: ['estimate_completion_tokens', 'bigint'],
  estimateCostNano: ['estimate_cost_nano', 'bigint'],
  estimateCurrency: ['estimate_currency', 'text'],
  refusedBy: ['refused_by', 'text'],
  heldBy: ['held_by', 'text'],
};
