import type { OpenAIError } from '../../openai/errors.ts';
import { type FailureRow, mapFailure, readFailure } from '../compatible/failure.ts';
import type { UpstreamFailure } from '../translator.ts';

/** Wordings that mean the `model` field, not a field of a message: z.ai answers 1214 for a model it does not have. */
const ABOUT_MODEL =
  /^\W{0,3}(model|模型)(?![a-z])|unknown model|model code|\bmodel\b[^.,;:]{0,60}\b(does not|doesn't|not) (exist|found)|(模型|model)[^,。,]{0,20}不存在|没有这个模型/i;

/**
 * Zhipu's business codes, in the order in which they must be tried. The code decides, never the status alone: one HTTP 429 covers
 * "slow down" (1302), "no money" (1113), "come back in hours" (1308) and "wrong plan" (1311). The vendor sends no `retry-after`.
 */
export const GLM_FAILURES: readonly FailureRow[] = [
  {
    code: ['1000', '1001', '1002', '1003', '1004', '1005', '1100', '1110', '1111', '1112', '1121', '1220'],
    to: 'upstream_auth',
    fallback: true,
  },
  // 1113 also comes for a paid model on an unfunded key, and for a key used at the wrong one of the vendor's base URLs.
  { code: ['1113', '1309'], to: 'upstream_out_of_credit', fallback: true },
  // Caps that reset by themselves: the day's calls (1304, midnight in Beijing), the plan's (1308) and the week's or month's (1310),
  // at the time told in the text. Hours away, so a waiting caller gains nothing; the backend is out until it is checked again.
  { code: ['1304', '1308', '1310'], to: 'upstream_out_of_credit', fallback: true },
  {
    code: ['1314', '1315', '1316', '1317', '1318', '1319', '1320', '1321'],
    to: 'upstream_out_of_credit',
    fallback: true,
  },
  // 1212: the model does not serve this way of calling; 1221, 1222: the interface is gone; 1311: the plan lacks the model.
  { code: ['1211', '1212', '1221', '1222', '1311'], to: 'upstream_model_unavailable', fallback: true },
  { code: ['1302', '1303'], to: 'upstream_rate_limit_requests', retryAfterMs: 1000, fallback: true },
  // Fair use: the account is held back for its manner of use, which a second's wait does not end.
  { code: '1313', to: 'upstream_rate_limit_requests', retryAfterMs: 60_000, fallback: true },
  // Out of breath for this model, not for this account: 1305 can last for minutes while another model answers.
  { code: ['1305', '1312'], to: 'upstream_overloaded', retryAfterMs: 2000, fallback: true },
  { code: ['500', '1120', '1200', '1230', '1234'], to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
  { code: '1261', to: 'context_length_exceeded', param: 'messages', fallback: true },
  { code: ['1300', '1301'], to: 'content_filter' },
  // The same `request_id` twice: the relay makes them, so it is the relay's fault.
  { code: '1231', to: 'upstream_rejected', fallback: true },
  { code: ['1210', '1213', '1214'], text: /\b(request_id|user_id)\b/, to: 'upstream_rejected', fallback: true },
  { code: '1214', text: ABOUT_MODEL, to: 'upstream_model_unavailable', fallback: true },
  { code: '1210', text: /picture|image (format|parse|input)|图片/i, to: 'invalid_image_url', param: 'messages', fallback: true },
  { code: '1210', to: 'invalid_value', param: 'read', unread: 'invalid_request' },
  { code: '1213', to: 'missing_required_parameter', param: 'read' },
  { code: ['1214', '1215'], to: 'invalid_value', param: 'read' },
  { status: [413, 435], to: 'request_too_large' },
  { status: [400, 422], to: 'invalid_value', param: 'read', unread: 'invalid_request' },
  // 434: no permission for an interface in beta.
  { status: [401, 403, 434], to: 'upstream_auth', fallback: true },
  { status: [404, 405, 409], to: 'upstream_rejected', fallback: true },
  { status: [429], to: 'upstream_rate_limit_requests', retryAfterMs: 1000, fallback: true },
  { status: [408, 504], to: 'upstream_timeout', fallback: true },
  { status: [500, 502, 503], to: 'upstream_overloaded', retryAfterMs: 1000, fallback: true },
];

const LAST: FailureRow = { to: 'upstream_invalid_response', fallback: true };

export function glmFailure(failure: UpstreamFailure): OpenAIError {
  const read = readFailure(failure);
  // Some of the vendor's hosts write the code in front of the text and a word in its place.
  const written = /^\[(\d{3,4})\]/.exec(read.message)?.[1];
  const code = /^\d{3,4}$/.test(read.code) ? read.code : (written ?? read.code);
  return mapFailure({ ...read, code }, GLM_FAILURES, LAST, clean);
}

const clean = (message: string): string => message.replace(/^\[\d{3,4}\]\s*/, '').trim();
