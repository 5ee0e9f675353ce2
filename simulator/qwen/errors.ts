/**
 * The vendor's error table in compatible mode (Qwen: error messages). `code` and `type` are often the same word;
 * errors raised behind the router also carry the completion's id.
 */

export interface ErrorRow {
  readonly status: number;
  readonly type: string;
  /** Null in the body although the row has a name here. */
  readonly code: string | null;
  readonly message: string;
  /** Raised behind the router: the body has `id`. */
  readonly routed: boolean;
}

const HELP = 'For details, see: https://help.aliyun.com/zh/model-studio/error-code';

function error(status: number, code: string | null, type: string, message: string, routed = false): ErrorRow {
  return { status, code, type, message, routed };
}
const same = (status: number, code: string, message: string, routed = false): ErrorRow => error(status, code, code, message, routed);
const INVALID = 'invalid_request_error';

export const ERRORS: Readonly<Record<string, ErrorRow>> = {
  invalid_parameter_error: error(400, 'invalid_parameter_error', INVALID, 'The parameter is invalid.'),
  invalid_value: error(400, 'invalid_value', INVALID, 'The value is invalid.'),
  'InvalidParameter.NotSupportEnableThinking': error(
    400,
    'InvalidParameter.NotSupportEnableThinking',
    INVALID,
    'The model does not support enable_thinking.',
  ),
  'InvalidParameter.DataInspection': error(
    400,
    'InvalidParameter.DataInspection',
    INVALID,
    'Unable to download the media resource during the data inspection process.',
    true,
  ),
  not_activated: error(
    400,
    'invalid_parameter_error',
    INVALID,
    'The product is not activated, please confirm that you have activated products and try again after activation.',
  ),
  data_inspection_failed: same(400, 'data_inspection_failed', 'Input data may contain inappropriate content.', true),
  FaqRuleBlocked: same(400, 'FaqRuleBlocked', 'Input or output data is blocked by faq rule.', true),
  CustomRoleBlocked: same(400, 'CustomRoleBlocked', 'Input or output data may contain inappropriate content with custom rule.', true),
  IPInfringementSuspect: same(400, 'IPInfringementSuspect', 'Input data is suspected of being involved in IP infringement.', true),
  Arrearage: same(400, 'Arrearage', `Access denied, please make sure your account is in good standing. ${HELP}#overdue-payment`),
  no_api_key: error(
    401,
    null,
    INVALID,
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
  ),
  invalid_api_key: error(401, 'invalid_api_key', INVALID, `Incorrect API key provided. ${HELP}#apikey-error`),
  invalid_access_token: error(401, 'NOT AUTHORIZED', INVALID, 'invalid access token or token expired'),
  access_denied: same(403, 'access_denied', 'Access denied.'),
  'Endpoint.AccessDenied': same(403, 'Endpoint.AccessDenied', 'Workspace endpoint access denied.'),
  'AccessDenied.Unpurchased': same(
    403,
    'AccessDenied.Unpurchased',
    'Access to model denied. Please make sure you are eligible for using the model.',
  ),
  'Model.AccessDenied': same(403, 'Model.AccessDenied', 'Model access denied.'),
  'Workspace.AccessDenied': same(403, 'Workspace.AccessDenied', 'Workspace access denied.'),
  'AllocationQuota.FreeTierOnly': same(
    403,
    'AllocationQuota.FreeTierOnly',
    'The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the "use free tier only" mode in the management console.',
  ),
  model_not_found: error(404, 'model_not_found', INVALID, 'The model does not exist or you do not have access to it.'),
  model_not_supported: error(404, 'model_not_supported', INVALID, 'Unsupported model for OpenAI compatibility mode.'),
  too_large: error(413, 'payload_too_large', INVALID, 'Payload Too Large.'),
  limit_requests: same(429, 'limit_requests', `You have exceeded your request limit. ${HELP}#rate-limit`),
  limit_burst_rate: same(
    429,
    'limit_burst_rate',
    'Request rate increased too quickly. To ensure system stability, please adjust your client logic to scale requests more smoothly over time.',
  ),
  'Throttling.Concurrency': same(429, 'Throttling.Concurrency', 'Too many concurrent requests.'),
  'Throttling.RateQuota': same(429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.'),
  insufficient_quota: same(
    429,
    'insufficient_quota',
    `You exceeded your current quota, please check your plan and billing details. ${HELP}#token-limit`,
  ),
  PostpaidBillOverdue: same(429, 'PostpaidBillOverdue', 'Postpaid bill is overdue.'),
  PrepaidBillOverdue: same(429, 'PrepaidBillOverdue', 'Prepaid bill is overdue.'),
  CommodityNotPurchased: same(429, 'CommodityNotPurchased', 'Commodity has not been purchased yet.'),
  internal_error: error(
    500,
    'internal_error',
    'internal_error',
    'An internal error has occured, please try again later or contact service support.',
    true,
  ),
  'BadRequest.EmptyModel': same(400, 'BadRequest.EmptyModel', 'Required parameter "model" missing from request.'),
  'BadRequest.EmptyInput': same(400, 'BadRequest.EmptyInput', 'Required input parameter missing from request.'),
  NotFound: same(404, 'NotFound', 'Not found.'),
  'InternalError.Algo': same(500, 'InternalError.Algo', 'Inference internal error.', true),
  'InternalError.Algo.client': same(500, 'InternalError.Algo', '<400> InternalError.Algo.InvalidParameter: list index out of range', true),
  RequestTimeOut: same(500, 'RequestTimeOut', 'Request timed out, please try again later.', true),
  ModelServingError: error(
    503,
    'ModelServingError',
    'ServiceUnavailable',
    'Too many requests. Your requests are being throttled due to system capacity limits. Please try again later.',
    true,
  ),
  ModelUnavailable: error(503, 'ModelUnavailable', 'ServiceUnavailable', 'Model is unavailable, please try again later.', true),
  'BailianGateway.Workspace.NotAuthorised': same(200, 'BailianGateway.Workspace.NotAuthorised', 'Workspace is not authorised.'),
};

/** The vendor refuses; thrown anywhere below `handle`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly row: ErrorRow;
  readonly keyName: string | null;

  /** @throws RangeError when the table has no such row */
  constructor(code: string, change: { message?: string | undefined; routed?: boolean; keyName?: string; status?: number } = {}) {
    const row = ERRORS[code];
    if (row === undefined) throw new RangeError(`no error row "${code}" of qwen; known: ${Object.keys(ERRORS).join(', ')}`);
    super(change.message ?? row.message);
    this.row = { ...row, message: this.message, routed: change.routed ?? row.routed, status: change.status ?? row.status };
    this.keyName = change.keyName ?? null;
  }
}

/** A value out of bounds, refused before the router. */
export function invalid(message: string): Refusal {
  return new Refusal('invalid_parameter_error', { message });
}

/** A value the inference layer refuses: the message is prefixed with the inner status and code. */
export function invalidInside(message: string): Refusal {
  return new Refusal('invalid_parameter_error', { message: `<400> InternalError.Algo.InvalidParameter: ${message}`, routed: true });
}

/** Body of a refusal. `requestId` is the request's uuid. */
export function errorBody(row: ErrorRow, requestId: string): Record<string, unknown> {
  const body = { error: { message: row.message, type: row.type, param: null, code: row.code } };
  return row.routed ? { ...body, id: `chatcmpl-${requestId}`, request_id: requestId } : { ...body, request_id: requestId };
}
