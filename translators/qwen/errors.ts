import type { OpenAIError } from '../../openai/errors.ts';
import { type FailureRow, mapFailure, readFailure } from '../compatible/failure.ts';
import type { UpstreamFailure } from '../translator.ts';

/**
 * DashScope's codes, native and compatible spellings, in the order in which they must be tried.
 * Traps: `insufficient_quota` is the per-minute token limit, an empty purse is `Arrearage` with HTTP 400, and a 500
 * `InternalError.Algo` whose text begins with `<400>` is the caller's fault.
 */
export const QWEN_FAILURES: readonly FailureRow[] = [
  {
    code: ['DataInspectionFailed', 'data_inspection_failed', 'FaqRuleBlocked', 'CustomRoleBlocked', 'IPInfringementSuspect'],
    to: 'content_filter',
  },
  { code: ['InvalidParameter.DataInspection'], to: 'invalid_image_url', param: 'messages', fallback: true },
  {
    text: /Failed to download multimodal content|Unable to download the media resource|Download the media resource timed out|Missing Content-Length of multimodal url|Exceeded limit on max bytes per data-uri item/i,
    to: 'invalid_image_url',
    param: 'messages',
    fallback: true,
  },
  { code: ['InvalidFile.*'], to: 'invalid_image_url', param: 'messages' },
  {
    code: [
      'Arrearage',
      'CommodityNotPurchased',
      'PrepaidBillOverdue',
      'PostpaidBillOverdue',
      'AllocationQuota.FreeTierOnly',
      'AccessDenied.Unpurchased',
    ],
    to: 'upstream_out_of_credit',
    fallback: true,
  },
  { text: /isv\.OUT_OF_SERVICE|good standing|Free allocated quota exceeded/i, to: 'upstream_out_of_credit', fallback: true },
  {
    code: ['InvalidApiKey', 'invalid_api_key', 'NOT AUTHORIZED', 'BailianGateway.Workspace.NotAuthorised', 'WorkSpaceNotFound'],
    to: 'upstream_auth',
    fallback: true,
  },
  // Plan keys on a wrong host or from a wrong kind of client: the texts stand under several statuses.
  {
    text: /invalid api-?key|incorrect api key|invalid access token|only available for coding agents/i,
    to: 'upstream_auth',
    fallback: true,
  },
  { text: /product is not activated|^model '[^']{1,100}' is not supported/i, to: 'upstream_model_unavailable', fallback: true },
  {
    code: [
      'ModelNotFound',
      'model_not_found',
      'model_not_supported',
      'Endpoint.AccessDenied',
      'Model.AccessDenied',
      'Workspace.AccessDenied',
      'App.AccessDenied',
      // No right to the model, a model gone offline, a model of plans only: one model's trouble, not the key's.
      'AccessDenied',
      'access_denied',
      'NotFound',
      'Conflict',
    ],
    to: 'upstream_model_unavailable',
    fallback: true,
  },
  { text: /^Model not exist/i, to: 'upstream_model_unavailable', fallback: true },
  { text: /(hour|week|month)(ly)? allocated quota exceeded/i, to: 'upstream_out_of_credit', fallback: true },
  { text: /concurrency allocated quota exceeded/i, to: 'upstream_rate_limit_requests', retryAfterMs: 1000, fallback: true },
  {
    code: [
      'Throttling',
      'Throttling.RateQuota',
      'LimitRequests',
      'limit_requests',
      'ResourceExhausted',
      'Throttling.BurstRate',
      'limit_burst_rate',
      'Throttling.Concurrency',
    ],
    to: 'upstream_rate_limit_requests',
    retryAfterMs: 1000,
    fallback: true,
  },
  { code: ['Throttling.AllocationQuota', 'insufficient_quota'], status: [400], to: 'invalid_request' },
  { code: ['Throttling.AllocationQuota', 'insufficient_quota'], to: 'upstream_rate_limit_tokens', retryAfterMs: 1000, fallback: true },
  { code: ['RequestTimeOut', 'ResponseTimeout', 'InternalError.Timeout', 'request_timeout'], to: 'upstream_timeout', fallback: true },
  {
    text: /Range of input length should be|maximum context length|context length/i,
    to: 'context_length_exceeded',
    param: 'messages',
    fallback: true,
  },
  // The relay chooses how an answer comes, so a refused choice is its own mistake, whatever the catalogue had said of the model.
  {
    text: /only support stream|does not support http call|stream=true|for non-streaming calls|incremental_output|result_format/i,
    to: 'upstream_rejected',
    fallback: true,
  },
  // What one model cannot do, another may: a switch of thinking where there is none, forced calls or JSON while it thinks, any tools at all.
  { code: ['InvalidParameter.NotSupportEnableThinking'], to: 'invalid_value', param: 'enable_thinking', fallback: true },
  {
    text: /enable_thinking parameter is restricted|not supported when enable_thinking|tool_choice parameter does not support|tool_choice is one of|does not support enable_search/i,
    to: 'invalid_value',
    param: 'read',
    fallback: true,
  },
  { text: /^(<\d{3}> [\w.]+: )?The tool call is not supported/i, to: 'invalid_value', param: 'tools', fallback: true },
  {
    text: /System message must be at the beginning|content field is a required|input content must be a string|"function\.arguments" parameter|Repetitive tool calls/i,
    to: 'invalid_value',
    param: 'messages',
  },
  { code: ['BadRequest.TooLarge'], to: 'request_too_large' },
  { status: [413], to: 'request_too_large' },
  {
    code: ['BadRequest.EmptyInput', 'BadRequest.EmptyParameters', 'BadRequest.EmptyModel', 'BadRequest.IllegalInput', 'InvalidURL'],
    to: 'upstream_rejected',
    fallback: true,
  },
  { text: /url error, please check url/i, to: 'upstream_rejected', fallback: true },
  {
    code: ['ModelServingError', 'ServiceUnavailable', 'ModelUnavailable', 'ModelServiceUnavailable'],
    to: 'upstream_overloaded',
    retryAfterMs: 2000,
    fallback: true,
  },
  // `<400> InternalError.Algo…` is a refused request whatever status carries it; so are these texts of the models' own templates.
  {
    text: /^<4\d\d>|Expecting '.*' delimiter|list index out of range|Role must be in/i,
    to: 'invalid_value',
    param: 'read',
    unread: 'invalid_request',
  },
  {
    code: [
      'InternalError',
      'internal_error',
      'InternalError.Algo',
      'SystemError',
      'ModelServiceFailed',
      'InvokePluginFailed',
      'AppProcessFailed',
      'RewriteFailed',
      'RetrievalFailed',
    ],
    to: 'upstream_overloaded',
    retryAfterMs: 1000,
    fallback: true,
  },
  {
    code: [
      'InvalidParameter',
      'invalid_parameter_error',
      'invalid_value',
      'ServiceUnavailableError',
      'UnsupportedOperation',
      'ClientDisconnect',
    ],
    to: 'invalid_value',
    param: 'read',
    unread: 'invalid_request',
  },
  { status: [400, 422, 430], to: 'invalid_value', param: 'read', unread: 'invalid_request' },
  { status: [401], to: 'upstream_auth', fallback: true },
  { status: [403], to: 'upstream_model_unavailable', fallback: true },
  { status: [404, 405, 409], to: 'upstream_rejected', fallback: true },
  { status: [429], to: 'upstream_rate_limit_requests', retryAfterMs: 1000, fallback: true },
  { status: [408, 504], to: 'upstream_timeout', fallback: true },
  { status: [500, 502, 503], to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
];

const LAST: FailureRow = { to: 'upstream_invalid_response', fallback: true };

export function qwenFailure(failure: UpstreamFailure): OpenAIError {
  return mapFailure(readFailure(failure), QWEN_FAILURES, LAST, clean);
}

/** Without the inner status and code in front and the help link behind, a field path as OpenAI writes it. */
function clean(message: string): string {
  return message
    .replace(/^<\d{3}>\s*(?:[\w.]+:\s*)?/, '')
    .replace(/\s*For details, see:?\s*\S*\s*$/i, '')
    .replace(/\.\['?(\d+)'?\]/g, '[$1]')
    .trim();
}
