/** DashScope's error pages, codes: whether the same key, or another backend, may help. The codes of both protocols, in both envelopes. */
import { describe, expect, test } from 'vitest';
import { qwenCompatible } from '../../../translators/qwen/compatible.ts';
import { qwenNative } from '../../../translators/qwen/native.ts';
import { judged } from '../failures-judged.ts';

type Row = [code: string, status: number, message: string, why: string, again: boolean, another: boolean];

const ROWS: Row[] = [
  ['InvalidParameter', 400, 'm', 'wrong everywhere', false, false],
  ['invalid_value', 400, "-1 is lesser than the minimum of 0 - 'seed'", 'wrong everywhere', false, false],
  ['invalid_parameter_error', 400, 'Range of input length should be [1, 30720]', 'a longer context may take it', false, true],
  ['InvalidParameter.NotSupportEnableThinking', 400, 'm', 'the model’s', false, true],
  ['invalid_parameter_error', 400, 'The tool call is not supported.', 'the model’s', false, true],
  ['invalid_parameter_error', 400, 'This model only support stream mode', 'the relay’s own mistake', false, true],
  ['BadRequest.EmptyInput', 400, 'm', 'the relay’s own mistake', false, true],
  ['InvalidParameter', 400, 'url error, please check url！', 'the relay’s own mistake', false, true],
  ['BadRequest.TooLarge', 400, 'Payload Too Large.', 'too large everywhere', false, false],
  ['invalid_parameter_error', 400, 'The product is not activated, please confirm', 'the account’s', false, true],
  ['DataInspectionFailed', 400, 'm', 'no dodging of moderation', false, false],
  ['data_inspection_failed', 400, 'm', 'no dodging of moderation', false, false],
  ['FaqRuleBlocked', 400, 'm', 'no dodging of moderation', false, false],
  ['InvalidParameter.DataInspection', 400, 'm', 'another may reach the address', false, true],
  ['InvalidFile.Format', 400, 'm', 'wrong everywhere', false, false],
  ['Arrearage', 400, 'm', 'the purse is empty', false, true],
  ['InvalidApiKey', 401, 'm', 'the key’s', false, true],
  ['invalid_api_key', 401, 'm', 'the key’s', false, true],
  ['AccessDenied', 403, 'm', 'the account’s', false, true],
  ['Endpoint.AccessDenied', 403, 'm', 'the model has retired', false, true],
  ['AccessDenied.Unpurchased', 403, 'm', 'the account’s', false, true],
  ['AllocationQuota.FreeTierOnly', 403, 'm', 'the free quota is gone', false, true],
  ['model_not_found', 404, 'm', 'not here', false, true],
  ['model_not_supported', 404, 'm', 'not by this protocol', false, true],
  ['limit_requests', 429, 'm', 'per second: a second helps', true, true],
  ['limit_burst_rate', 429, 'm', 'a second helps', true, true],
  ['Throttling.Concurrency', 429, 'm', 'a second helps', true, true],
  ['insufficient_quota', 429, 'You exceeded your current quota', 'per second: tokens, not money', true, true],
  ['Throttling.AllocationQuota', 429, 'Free allocated quota exceeded.', 'the free quota is gone', false, true],
  ['', 429, 'week allocated quota exceeded', 'the plan’s window is long', false, true],
  ['PostpaidBillOverdue', 429, 'm', 'the purse is empty', false, true],
  ['InternalError', 500, 'm', 'once or twice', true, true],
  ['InternalError.Algo', 500, 'No backend server available', 'the vendor’s', true, true],
  ['InternalError.Algo', 500, '<400> InternalError.Algo.InvalidParameter: m', 'the caller’s', false, false],
  ['InternalError.Algo', 500, 'list index out of range', 'the caller’s', false, false],
  ['RequestTimeOut', 500, 'm', 'as long again', false, true],
  ['ModelServingError', 503, 'm', 'a few seconds help', true, true],
  ['BailianGateway.Workspace.NotAuthorised', 200, 'm', 'the key’s', false, true],
];

describe.each<[string, typeof qwenCompatible, (code: string, message: string) => object]>([
  ['compatible', qwenCompatible, (code, message) => ({ error: { code: code || null, message, type: code, param: null }, request_id: 'r' })],
  ['native', qwenNative, (code, message) => ({ code, message, request_id: 'r' })],
])('%s', (_protocol, translator, body) => {
  test.each(ROWS)('%s (%i) %s, %s: again %s, another %s', (code, status, message, _why, again, another) => {
    expect(judged(translator, status, body(code, message))).toEqual({ again, another });
  });
});
