import type { Backend } from '../../config/config.ts';
import type { Usage } from '../../openai/chat/events.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import type { Cost } from '../../relay/ledger/cost.ts';
import { attemptOf } from '../../relay/records/attempt-of.ts';
import { type RequestRecord, usageRecord } from '../../relay/records/request-record.ts';
import { placeName } from '../../relay/routing/route-table.ts';

/** Team and key of probes in the log and the books. No team of the configuration or the database can have a colon in its name. */
export const PROBE_OWNER = 'estafet:probe';

export interface Probed {
  readonly id: string;
  /** Milliseconds since the epoch, before and after. */
  readonly atMs: number;
  readonly endedAtMs: number;
  readonly backend: Backend;
  readonly model: string;
  readonly error: OpenAIError | null;
  readonly usage: Usage | null;
  readonly cost: Cost | null;
}

/** A probe as the log and the books know requests: sent by nobody, to one place, with its use and its cost. */
export function probeRecord({ id, atMs, endedAtMs, backend, model, error, usage, cost }: Probed): RequestRecord {
  const totalMs = endedAtMs - atMs;
  return {
    id,
    object: 'estafet.request',
    at: new Date(atMs).toISOString(),
    surface: 'probe',
    key: PROBE_OWNER,
    team: PROBE_OWNER,
    model,
    stream: false,
    status: error === null ? 200 : error.status,
    reason: error === null ? 'done' : 'vendor_error',
    error: error === null ? null : { code: error.code ?? error.kind, message: error.message },
    decision: { strategy: 'order', order: [{ to: placeName({ backend, model }) }], skipped: [] },
    attempts: [attemptOf({ backend, model }, error, totalMs, {})],
    receipt: null,
    usage: usage === null ? null : usageRecord(usage, [usage]),
    estimate: null,
    cost,
    firstByteMs: null,
    totalMs,
  };
}
