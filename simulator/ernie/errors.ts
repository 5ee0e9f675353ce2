/**
 * Every refusal Qianfan v2 is known to send: code, HTTP status, type and text (Qianfan: v2 error code page).
 * Two traps for clients: an unknown model is 401, and 403 means moderation, arrears or a dead model.
 */

interface ErrorRow {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

const INVALID = 'invalid_request_error';
const UNSAFE = 'unsafe_request';
const DENIED = 'access_denied';
const RATE = 'rate_limit_exceeded';
/** Baidu spells this type with a capital I. */
const INTERNAL = 'Internal_error';

const row = (status: number, type: string, message: string): ErrorRow => ({ status, type, message });

export const ERRORS = {
  malformed_json: row(400, INVALID, 'Invalid Argument'),
  /** 400 for an empty name. The same code with 401 means unknown or not permitted: `MODEL_DENIED`. */
  invalid_model: row(400, INVALID, 'model is empty'),
  invalid_messages: row(400, INVALID, 'the format of messages is invalid'),
  characters_too_long: row(400, INVALID, 'the max input characters is 20000'),
  tokens_too_long: row(400, INVALID, 'Prompt tokens too long'),
  invalid_argument: row(400, INVALID, 'parameter check failed'),
  invalid_image_generation_prompt: row(400, INVALID, 'the prompt of image generation is invalid'),
  invalid_image_generation_refer_image: row(400, INVALID, 'the refer_image of image generation is invalid'),
  // Pages of 2025 print the image codes without the second "e"; both spellings have been seen.
  invalid_image_genration_prompt: row(400, INVALID, 'the prompt of image generation is invalid'),
  invalid_image_genration_refer_image: row(400, INVALID, 'the refer_image of image generation is invalid'),
  invalid_image_url: row(400, INVALID, 'the image url is invalid'),
  invalid_plugin_argument: row(400, INVALID, 'the argument of the plugin is invalid'),
  image_url_unsafe: row(400, UNSAFE, 'the content of image_url is invalid'),
  invalid_iam_token: row(401, INVALID, 'IAM Certification failed'),
  invalid_appid: row(401, INVALID, 'No permission to use the appid'),
  no_parameter_permission: row(401, DENIED, 'No permission to use the parameter'),
  system_unsafe: row(403, UNSAFE, 'the content of system field is invalid'),
  user_setting_unsafe: row(403, UNSAFE, 'the content of user field is invalid'),
  functions_unsafe: row(403, UNSAFE, 'the content of functions field is invalid'),
  account_overdue: row(403, DENIED, 'Access denied due to overdue account'),
  model_offline: row(403, DENIED, 'The model is offline'),
  method_not_supported: row(405, INVALID, 'Only POST requests are accepted'),
  rpm_rate_limit_exceeded: row(429, RATE, 'Rate limit reached for RPM'),
  tpm_rate_limit_exceeded: row(429, RATE, 'Rate limit reached for TPM'),
  input_tpm_rate_limit_exceeded: row(429, RATE, 'Rate limit reached for Input TPM'),
  output_tpm_rate_limit_exceeded: row(429, RATE, 'Rate limit reached for Output TPM'),
  user_rate_limit_exceeded: row(429, RATE, 'qps request limit by APP ID reached'),
  // "resouce" is how the vendor spells it.
  cluster_rate_limit_exceeded: row(429, RATE, 'request limit by resouce cluster reached'),
  cluster_rpm_rate_limit_exceeded: row(429, RATE, 'rpm request limit by resouce cluster reached'),
  cluster_tpm_rate_limit_exceeded: row(429, RATE, 'tpm request limit by resouce cluster reached'),
  preemptible_rate_limit_exceeded: row(429, RATE, 'Rate limit reached for preemptible requests'),
  Offline_batch_reasoning_refused: row(429, RATE, 'Offline batch reasoning refused'),
  internal_error: row(500, INTERNAL, 'Internal error'),
  dispatch_internal_error: row(500, INTERNAL, 'Internal error'),
  image_generation_interal_error: row(500, INTERNAL, 'Internal error'),
  image_genration_interal_error: row(500, INTERNAL, 'Internal error'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** Texts of the 401 `invalid_model`: the first is of 2026, the second of 2025. */
export const MODEL_DENIED = {
  '2026': 'The model does not exist or you do not have access to it.',
  '2025': 'No permission to use the model',
} as const;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** A request the vendor turns down. Thrown anywhere below `vendor.ts`, written out only there. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly status: number;

  constructor(code: ErrorCode, message?: string, status?: number) {
    super(message ?? ERRORS[code].message);
    this.code = code;
    this.status = status ?? ERRORS[code].status;
  }

  get type(): string {
    return ERRORS[this.code].type;
  }
}

/** 400 `invalid_argument`: a parameter is wrong; the place is only told in prose. */
export function badArgument(reason: string): Refusal {
  return new Refusal('invalid_argument', `parameter check failed, ${reason}`);
}

/** 400 `invalid_messages`; the reason is only told in prose. */
export function badMessages(reason: string): Refusal {
  return new Refusal('invalid_messages', reason);
}
