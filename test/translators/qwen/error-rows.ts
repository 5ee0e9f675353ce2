/** The vendor's error pages as a table, whatever envelope an error comes in. */
import type { ErrorName } from '../../../openai/errors.ts';

export interface Told {
  readonly to: ErrorName;
  readonly param?: string;
  readonly retryAfterMs?: number;
  readonly fallback?: boolean;
}

const CREDIT: Told = { to: 'upstream_out_of_credit', fallback: true };
const AUTH: Told = { to: 'upstream_auth', fallback: true };
const MODEL: Told = { to: 'upstream_model_unavailable', fallback: true };
const REQUESTS: Told = { to: 'upstream_rate_limit_requests', retryAfterMs: 1000, fallback: true };
const TOKENS: Told = { to: 'upstream_rate_limit_tokens', retryAfterMs: 1000, fallback: true };
const INSIDE: Told = { to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true };
const BUSY: Told = { to: 'upstream_overloaded', retryAfterMs: 2000, fallback: true };
const TIMEOUT: Told = { to: 'upstream_timeout', fallback: true };
const FORM: Told = { to: 'upstream_rejected', fallback: true };
const MODERATED: Told = { to: 'content_filter' };
const IMAGE: Told = { to: 'invalid_image_url', param: 'messages', fallback: true };
const WRONG: Told = { to: 'invalid_request' };
const value = (param: string): Told => ({ to: 'invalid_value', param });
const TOO_LONG: Told = { to: 'context_length_exceeded', param: 'messages', fallback: true };

/** [status, code, message, what the caller is told]; a row for each row of the vendor's error pages. */
export const ROWS: [number, string, string, Told][] = [
  [400, 'InvalidParameter', 'Something is wrong', WRONG],
  [400, 'invalid_parameter_error', "'temperature' must be Float", value('temperature')],
  [
    400,
    'invalid_parameter_error',
    "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['0].role'",
    value('messages[0].role'),
  ],
  [
    400,
    'invalid_parameter_error',
    "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.[0].role'",
    value('messages[0].role'),
  ],
  [
    400,
    'invalid_parameter_error',
    '<400> InternalError.Algo.InvalidParameter: The tool_choice parameter does not support being set to required or object in thinking mode',
    value('tool_choice'),
  ],
  [400, 'invalid_parameter_error', 'Range of max_tokens should be [1, 8192]', value('max_tokens')],
  [
    400,
    'invalid_parameter_error',
    'The thinking_budget parameter must be a positive integer and not greater than 38912',
    value('thinking_budget'),
  ],
  [400, 'invalid_value', "-1 is lesser than the minimum of 0 - 'seed'", value('seed')],
  [400, 'InvalidParameter', 'Range of input length should be [1, 129024]', TOO_LONG],
  [400, 'invalid_parameter_error', '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]', TOO_LONG],
  [400, 'InvalidParameter.NotSupportEnableThinking', 'The model xxx does not support enable_thinking.', value('enable_thinking')],
  [400, 'BadRequest.EmptyInput', 'm', FORM],
  [400, 'BadRequest.EmptyParameters', 'm', FORM],
  [400, 'BadRequest.EmptyModel', 'm', FORM],
  [400, 'BadRequest.IllegalInput', 'm', FORM],
  [400, 'InvalidURL', 'm', FORM],
  [400, 'BadRequest.TooLarge', 'Payload Too Large.', { to: 'request_too_large' }],
  [413, '', '', { to: 'request_too_large' }],
  [400, 'invalid_parameter_error', 'The product is not activated, please confirm that you have activated products', MODEL],
  [400, 'InvalidParameter', 'url error, please check url！', FORM],
  [400, 'DataInspectionFailed', 'Input data may contain inappropriate content.', MODERATED],
  [400, 'data_inspection_failed', 'Input text data may contain inappropriate content.', MODERATED],
  [400, 'InvalidParameter.DataInspection', 'Unable to download the media resource during the data inspection process.', IMAGE],
  [400, 'invalid_parameter_error', '<400> InternalError.Algo.InvalidParameter: Failed to download multimodal content.', IMAGE],
  [500, 'InternalError.Algo', 'Missing Content-Length of multimodal url.', IMAGE],
  [400, 'FaqRuleBlocked', 'm', MODERATED],
  [400, 'CustomRoleBlocked', 'm', MODERATED],
  [400, 'IPInfringementSuspect', 'm', MODERATED],
  [400, 'InvalidFile.Format', 'm', { to: 'invalid_image_url', param: 'messages' }],
  [400, 'InvalidFile.Duration', 'm', { to: 'invalid_image_url', param: 'messages' }],
  [
    400,
    'Arrearage',
    'Access denied, please make sure your account is in good standing. For details, see: https://help.aliyun.com/zh/model-studio/error-code#overdue-payment',
    CREDIT,
  ],
  [400, 'InvalidParameter', 'isv.OUT_OF_SERVICE', CREDIT],
  [400, 'ServiceUnavailableError', 'Role must be user or assistant and Content length must be greater than 0', WRONG],
  [400, 'UnsupportedOperation', 'm', WRONG],
  [400, 'ClientDisconnect', 'm', WRONG],
  [401, 'InvalidApiKey', 'Invalid API-key provided.', AUTH],
  [401, 'invalid_api_key', 'Incorrect API key provided. ', AUTH],
  [401, '', "You didn't provide an API key.", AUTH],
  [401, 'NOT AUTHORIZED', 'm', AUTH],
  [401, '', 'invalid access token or token expired', AUTH],
  [403, '', 'invalid api-key', AUTH],
  [403, '', 'Coding Plan is currently only available for Coding Agents', AUTH],
  [400, 'invalid_parameter_error', "model 'qwen-x' is not supported", MODEL],
  [403, 'AccessDenied', 'current user api does not support asynchronous calls.', MODEL],
  [403, 'access_denied', 'Access denied.', MODEL],
  [403, 'Endpoint.AccessDenied', 'Workspace endpoint access denied.', MODEL],
  [403, 'AccessDenied.Unpurchased', 'Access to model denied.', CREDIT],
  [403, 'Model.AccessDenied', 'm', MODEL],
  [403, 'Workspace.AccessDenied', 'm', MODEL],
  [403, 'App.AccessDenied', 'm', MODEL],
  [403, 'AllocationQuota.FreeTierOnly', 'm', CREDIT],
  [404, 'ModelNotFound', 'm', MODEL],
  [404, 'model_not_found', 'The model `qwen-none` does not exist or you do not have access to it.', MODEL],
  [400, 'InvalidParameter', 'Model not exist.', MODEL],
  [404, 'model_not_supported', 'Unsupported model xxx for OpenAI compatibility mode.', MODEL],
  [404, 'WorkSpaceNotFound', 'm', AUTH],
  [404, 'NotFound', 'm', MODEL],
  [409, 'Conflict', 'm', MODEL],
  [429, 'Throttling', 'Requests throttling triggered.', REQUESTS],
  [429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.', REQUESTS],
  [429, 'LimitRequests', 'm', REQUESTS],
  [429, 'limit_requests', 'You exceeded your current requests list.', REQUESTS],
  [429, 'ResourceExhausted', 'm', REQUESTS],
  [429, 'Throttling.BurstRate', 'Request rate increased too quickly.', REQUESTS],
  [429, 'limit_burst_rate', 'Request rate increased too quickly.', REQUESTS],
  [429, 'Throttling.Concurrency', 'Too many concurrent requests.', REQUESTS],
  [429, 'Throttling.AllocationQuota', 'Allocated quota exceeded, please increase your quota limit.', TOKENS],
  [429, 'insufficient_quota', 'You exceeded your current quota, please check your plan and billing details.', TOKENS],
  [429, 'insufficient_quota', 'Free allocated quota exceeded.', CREDIT],
  [400, 'Throttling.AllocationQuota', 'Too many voices', WRONG],
  [429, 'CommodityNotPurchased', 'm', CREDIT],
  [429, 'PrepaidBillOverdue', 'm', CREDIT],
  [429, 'PostpaidBillOverdue', 'm', CREDIT],
  [429, '', 'hour allocated quota exceeded', CREDIT],
  [429, '', 'month allocated quota exceeded', CREDIT],
  [429, '', 'concurrency allocated quota exceeded', REQUESTS],
  [500, 'InternalError', 'An internal error has occured, please try again later or contact service support.', INSIDE],
  [500, 'internal_error', 'm', INSIDE],
  [500, 'SystemError', 'm', INSIDE],
  [500, 'ModelServiceFailed', 'm', INSIDE],
  [500, 'InvokePluginFailed', 'm', INSIDE],
  [500, 'AppProcessFailed', 'm', INSIDE],
  [500, 'RewriteFailed', 'm', INSIDE],
  [500, 'RetrievalFailed', 'm', INSIDE],
  [500, 'InternalError.Algo', 'Inference internal error.', INSIDE],
  [500, 'InternalError.Algo', 'Receive batching backend response failed!', INSIDE],
  [500, 'InternalError.Algo', '<400> InternalError.Algo.InvalidParameter: The temperature is wrong', value('temperature')],
  [500, 'InternalError.Algo', "Expecting ',' delimiter: line 1 column 9", WRONG],
  [500, 'InternalError.Algo', 'list index out of range', WRONG],
  [500, 'InternalError.Algo', 'Role must be in [user, assistant]', WRONG],
  [500, 'InternalError.Timeout', 'm', TIMEOUT],
  [500, 'RequestTimeOut', 'Request timed out, please try again later.', TIMEOUT],
  [500, 'ResponseTimeout', 'm', TIMEOUT],
  [503, 'ModelServingError', 'Too many requests. Your requests are being throttled due to system capacity limits.', BUSY],
  [503, 'ServiceUnavailable', 'm', BUSY],
  [500, 'ModelUnavailable', 'Model is unavailable, please try again later.', BUSY],
  [503, 'ModelServiceUnavailable', 'm', BUSY],
  [200, 'BailianGateway.Workspace.NotAuthorised', 'm', AUTH],
  [430, 'Audio.DecoderError', 'm', WRONG],
  [400, 'never_heard_of', 'm', WRONG],
  [403, 'never_heard_of', 'm', MODEL],
  [404, '', '', FORM],
  [405, '', '', FORM],
  [408, '', '', TIMEOUT],
  [429, '', '', REQUESTS],
  [500, '', '', INSIDE],
  [502, '', '', INSIDE],
  [504, '', '', TIMEOUT],
  [200, '', '', { to: 'upstream_invalid_response', fallback: true }],
  [418, '', '', { to: 'upstream_invalid_response', fallback: true }],
];
