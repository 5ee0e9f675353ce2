import type { Frame, Reply } from '../kernel/types.ts';
import type { Refusal } from './errors.ts';
import { type Asked, streamed, whole } from './replies.ts';

/** Codes that the two protocols spell differently, compatible → native (Qwen: error messages). All others are the same word. */
const SPELLINGS: Readonly<Record<string, string>> = {
  invalid_parameter_error: 'InvalidParameter',
  invalid_value: 'InvalidParameter',
  invalid_api_key: 'InvalidApiKey',
  access_denied: 'AccessDenied',
  model_not_found: 'ModelNotFound',
  payload_too_large: 'BadRequest.TooLarge',
  data_inspection_failed: 'DataInspectionFailed',
  limit_requests: 'Throttling.RateQuota',
  limit_burst_rate: 'Throttling.BurstRate',
  insufficient_quota: 'Throttling.AllocationQuota',
  internal_error: 'InternalError',
};

/** Texts that differ with the code. */
const TEXTS: Readonly<Record<string, string>> = {
  InvalidApiKey: 'Invalid API-key provided.',
  'Throttling.AllocationQuota': 'Allocated quota exceeded, please increase your quota limit.',
  'Throttling.RateQuota': 'Requests rate limit exceeded, please try again later.',
};

/** Body of a refusal. Without a key the code is that of a wrong one. */
export function nativeErrorBody({ row }: Refusal, requestId: string): Record<string, unknown> {
  const code = row.code === null ? 'InvalidApiKey' : (SPELLINGS[row.code] ?? row.code);
  return { code, message: TEXTS[code] ?? row.message, request_id: requestId };
}

/** The event that carries a refusal: its status stands in a comment. */
export function nativeErrorEvent(refusal: Refusal, requestId: string, number: number): string {
  return `id:${number}\nevent:error\n:HTTP_STATUS/${refusal.row.status}\ndata:${JSON.stringify(nativeErrorBody(refusal, requestId))}\n\n`;
}

/**
 * JSON for a whole answer and for whoever is not let in; a stream begins with HTTP 200 and says in its first event that it failed.
 * @param ownStatus the event comes under its own status, as the vendor's client allows for
 */
export function nativeRefused(refusal: Refusal, stream: boolean, ownStatus: boolean, asked: Asked): Reply {
  const { status } = refusal.row;
  if (!stream || status === 401) return whole(status, nativeErrorBody(refusal, asked.requestId), asked);
  const frame: Frame = { wire: nativeErrorEvent(refusal, asked.requestId, 1), content: false };
  return streamed([frame], asked, ownStatus ? status : 200);
}
