/** Qianfan's codes: whether the same key, or another backend, may help. */
import { expect, test } from 'vitest';
import { ernieV2 } from '../../../translators/ernie/v2.ts';
import { judged } from '../failures-judged.ts';

test.each<[string, number, string, boolean, boolean]>([
  ['malformed_json', 400, '', false, false],
  ['invalid_messages', 400, '', false, false],
  ['characters_too_long', 400, 'a longer context may take it', false, true],
  ['tokens_too_long', 400, 'a longer context may take it', false, true],
  ['invalid_argument', 400, '', false, false],
  ['invalid_image_url', 400, '', false, false],
  ['invalid_plugin_argument', 400, '', false, false],
  ['image_url_unsafe', 400, 'no dodging of moderation', false, false],
  ['invalid_iam_token', 401, 'the key is out', false, true],
  ['invalid_appid', 401, '', false, true],
  ['invalid_model', 401, '', false, true],
  ['no_parameter_permission', 401, '', false, true],
  ['system_unsafe', 403, 'no dodging of moderation', false, false],
  ['user_setting_unsafe', 403, 'no dodging of moderation', false, false],
  ['functions_unsafe', 403, 'no dodging of moderation', false, false],
  ['account_overdue', 403, 'the key is out', false, true],
  ['model_offline', 403, '', false, true],
  ['method_not_supported', 405, '', false, true],
  ['rpm_rate_limit_exceeded', 429, 'up to a minute: nobody waits', false, true],
  ['tpm_rate_limit_exceeded', 429, 'up to a minute: nobody waits', false, true],
  ['input_tpm_rate_limit_exceeded', 429, 'up to a minute: nobody waits', false, true],
  ['output_tpm_rate_limit_exceeded', 429, 'up to a minute: nobody waits', false, true],
  ['user_rate_limit_exceeded', 429, 'per second', true, true],
  ['cluster_rate_limit_exceeded', 429, "Baidu's capacity", true, true],
  ['cluster_rpm_rate_limit_exceeded', 429, "Baidu's capacity", true, true],
  ['cluster_tpm_rate_limit_exceeded', 429, "Baidu's capacity", true, true],
  ['preemptible_rate_limit_exceeded', 429, '', false, true],
  ['Offline_batch_reasoning_refused', 429, '', false, true],
  ['internal_error', 500, '', true, true],
  ['dispatch_internal_error', 500, '', true, true],
  ['a code to come', 400, '', false, true],
])('%s (%i) %s: again %s, another %s', (code, status, _why, again, another) => {
  expect(judged(ernieV2, status, { error: { code, message: 'x', type: 'x' }, id: 'as-1' })).toEqual({ again, another });
});

test.each([
  [502, true, true],
  [503, true, true],
  [504, false, true],
  [413, false, false],
])('a page of a gateway, %i: again %s, another %s', (status, again, another) => {
  expect(judged(ernieV2, status, '<html></html>')).toEqual({ again, another });
});
