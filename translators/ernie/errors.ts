import type { OpenAIError } from '../../openai/errors.ts';
import { type FailureRow, mapFailure, readFailure } from '../compatible/failure.ts';
import type { UpstreamFailure } from '../translator.ts';

/**
 * Qianfan refills its per-minute counters within 60 s and tells no time. Half of that: OpenAI's SDKs ask twice more by default and obey
 * `retry-after`, so their last attempt falls into the next window for certain, and most first ones do too (a limit is reached late in
 * its window).
 */
const WINDOW_RETRY_MS = 30_000;

/**
 * Qianfan's v2 codes. Traps: 401 is also an unknown model, 403 is also moderation, arrears or a retired model, and an error may come
 * with HTTP 200; so the code decides, the status only where no code is known.
 */
export const ERNIE_FAILURES: readonly FailureRow[] = [
  // Moderation of the input, by the part it disliked. `unsafe_request` catches words to come.
  { code: 'user_setting_unsafe', to: 'content_filter', param: 'user' },
  { code: 'functions_unsafe', to: 'content_filter', param: 'tools' },
  { code: ['system_unsafe', 'image_url_unsafe'], to: 'content_filter', param: 'messages' },
  { type: 'unsafe_request', to: 'content_filter', param: 'messages' },

  { code: ['invalid_iam_token', 'invalid_appid', 'AccessDenied', 'IamSignatureInvalid'], to: 'upstream_auth', fallback: true },
  { code: 'account_overdue', to: 'upstream_out_of_credit', fallback: true },
  { code: 'invalid_model', text: /model is empty/i, to: 'upstream_rejected', fallback: true },
  { code: ['invalid_model', 'model_offline'], to: 'upstream_model_unavailable', fallback: true },
  { code: 'no_parameter_permission', to: 'unsupported_parameter', param: 'read', fallback: true },

  {
    code: ['rpm_rate_limit_exceeded', 'preemptible_rate_limit_exceeded', 'Offline_batch_reasoning_refused'],
    to: 'upstream_rate_limit_requests',
    retryAfterMs: WINDOW_RETRY_MS,
    fallback: true,
  },
  {
    code: ['tpm_rate_limit_exceeded', 'input_tpm_rate_limit_exceeded', 'output_tpm_rate_limit_exceeded'],
    to: 'upstream_rate_limit_tokens',
    retryAfterMs: WINDOW_RETRY_MS,
    fallback: true,
  },
  // Per second and application.
  { code: 'user_rate_limit_exceeded', to: 'upstream_rate_limit_requests', retryAfterMs: 2000, fallback: true },
  // Baidu's own capacity: no limit of this account was reached.
  {
    code: ['cluster_rate_limit_exceeded', 'cluster_rpm_rate_limit_exceeded', 'cluster_tpm_rate_limit_exceeded'],
    to: 'upstream_overloaded',
    retryAfterMs: 2000,
    fallback: true,
  },
  {
    // Both spellings of the image service's word are Qianfan's.
    code: ['internal_error', 'dispatch_internal_error', 'image_generation_interal_error', 'image_genration_interal_error'],
    to: 'upstream_overloaded',
    retryAfterMs: 1000,
    fallback: true,
  },

  { code: ['characters_too_long', 'tokens_too_long'], to: 'context_length_exceeded', param: 'messages', fallback: true },
  { code: 'invalid_image_url', to: 'invalid_image_url', param: 'messages' },
  // Positions in the text are those of the messages as sent, not as the caller numbered them.
  { code: 'invalid_messages', to: 'invalid_value', param: 'messages' },
  { code: 'invalid_argument', to: 'invalid_value', param: 'read' },
  { code: 'malformed_json', to: 'invalid_request' },
  { code: ['invalid_image_generation_prompt', 'invalid_image_genration_prompt'], to: 'invalid_value', param: 'prompt' },
  { code: ['invalid_image_generation_refer_image', 'invalid_image_genration_refer_image'], to: 'invalid_value', param: 'image' },
  { code: 'invalid_plugin_argument', to: 'invalid_value', param: 'web_search' },
  { code: 'method_not_supported', to: 'upstream_rejected', fallback: true },

  { status: [413], to: 'request_too_large' },
  { status: [402], to: 'upstream_out_of_credit', fallback: true },
  { status: [403], type: 'invalid_request_error', to: 'invalid_request', param: 'read', fallback: true },
  { status: [401, 403], to: 'upstream_auth', fallback: true },
  { status: [404, 405], to: 'upstream_rejected', fallback: true },
  { status: [429], to: 'upstream_rate_limit_requests', retryAfterMs: WINDOW_RETRY_MS, fallback: true },
  { status: [504], to: 'upstream_timeout', fallback: true },
  { status: [500, 502, 503], to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
  { status: [400, 406, 408, 409, 410, 415, 422], to: 'invalid_request', param: 'read', fallback: true },
];

const LAST: FailureRow = { to: 'upstream_invalid_response', fallback: true };

export function ernieFailure(failure: UpstreamFailure): OpenAIError {
  return mapFailure(readFailure(failure), ERNIE_FAILURES, LAST, (message) => message.trim());
}
