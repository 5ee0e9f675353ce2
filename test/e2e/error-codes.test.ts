import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ERRORS as ERNIE_ERRORS } from '../../simulator/ernie/errors.ts';
import { ERRORS as GLM_ERRORS } from '../../simulator/glm/errors.ts';
import { ERRORS as QWEN_ERRORS } from '../../simulator/qwen/errors.ts';
import { expectRefusal, type RefusalName } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** Every code of each vendor's documented table → what the caller is told. */
const CODES: Readonly<Record<'qwen' | 'ernie' | 'glm', Partial<Record<RefusalName, readonly string[]>>>> = {
  qwen: {
    upstream_auth: ['no_api_key', 'invalid_api_key', 'invalid_access_token', 'BailianGateway.Workspace.NotAuthorised'],
    upstream_model_unavailable: [
      'not_activated',
      'access_denied',
      'Endpoint.AccessDenied',
      'Model.AccessDenied',
      'Workspace.AccessDenied',
      'model_not_found',
      'model_not_supported',
      'NotFound',
    ],
    upstream_rejected: ['BadRequest.EmptyModel', 'BadRequest.EmptyInput'],
    upstream_out_of_credit: [
      'Arrearage',
      'AccessDenied.Unpurchased',
      'AllocationQuota.FreeTierOnly',
      'PostpaidBillOverdue',
      'PrepaidBillOverdue',
      'CommodityNotPurchased',
    ],
    upstream_overloaded: ['internal_error', 'InternalError.Algo', 'ModelServingError', 'ModelUnavailable'],
    upstream_timeout: ['RequestTimeOut'],
    limit_requests: ['limit_requests', 'limit_burst_rate', 'Throttling.Concurrency', 'Throttling.RateQuota'],
    limit_tokens: ['insufficient_quota'],
    content_filter: ['data_inspection_failed', 'FaqRuleBlocked', 'CustomRoleBlocked', 'IPInfringementSuspect'],
    invalid_image_url: ['InvalidParameter.DataInspection'],
    invalid_value: ['InvalidParameter.NotSupportEnableThinking'],
    // No field is named in these texts; the last is a refused request under status 500.
    invalid_request: ['invalid_parameter_error', 'invalid_value', 'InternalError.Algo.client'],
    request_too_large: ['too_large'],
  },
  ernie: {
    upstream_auth: ['invalid_iam_token', 'invalid_appid'],
    upstream_model_unavailable: ['model_offline'],
    upstream_rejected: ['invalid_model', 'method_not_supported'],
    upstream_out_of_credit: ['account_overdue'],
    upstream_overloaded: [
      'cluster_rate_limit_exceeded',
      'cluster_rpm_rate_limit_exceeded',
      'cluster_tpm_rate_limit_exceeded',
      'internal_error',
      'dispatch_internal_error',
      'image_generation_interal_error',
      'image_genration_interal_error',
    ],
    limit_requests: [
      'rpm_rate_limit_exceeded',
      'user_rate_limit_exceeded',
      'preemptible_rate_limit_exceeded',
      'Offline_batch_reasoning_refused',
    ],
    limit_tokens: ['tpm_rate_limit_exceeded', 'input_tpm_rate_limit_exceeded', 'output_tpm_rate_limit_exceeded'],
    content_filter: ['image_url_unsafe', 'system_unsafe', 'user_setting_unsafe', 'functions_unsafe'],
    context_length_exceeded: ['characters_too_long', 'tokens_too_long'],
    invalid_image_url: ['invalid_image_url'],
    unsupported_parameter: ['no_parameter_permission'],
    invalid_value: [
      'invalid_messages',
      'invalid_argument',
      'invalid_image_generation_prompt',
      'invalid_image_generation_refer_image',
      'invalid_image_genration_prompt',
      'invalid_image_genration_refer_image',
      'invalid_plugin_argument',
    ],
    invalid_request: ['malformed_json'],
  },
  glm: {
    upstream_auth: ['1000', '1001', '1002', '1003', '1004', '1005', '1100', '1110', '1111', '1112', '1121', '1220'],
    upstream_model_unavailable: ['1211', '1212', '1221', '1222', '1311'],
    upstream_rejected: ['1231'],
    upstream_out_of_credit: ['1113', '1304', '1308', '1309', '1310', '1314', '1315', '1316', '1317', '1318', '1319', '1320', '1321'],
    upstream_overloaded: ['500', '1120', '1200', '1230', '1234', '1305', '1312'],
    limit_requests: ['1302', '1303', '1313'],
    content_filter: ['1300', '1301'],
    context_length_exceeded: ['1261'],
    invalid_request: ['1210'],
    missing_required_parameter: ['1213'],
    invalid_value: ['1214', '1215'],
  },
};

const TABLES = { qwen: QWEN_ERRORS, ernie: ERNIE_ERRORS, glm: GLM_ERRORS };

describe.each(VENDOR_CASES)('$vendor', ({ vendor }) => {
  const rows = Object.entries(CODES[vendor]).flatMap(([name, codes]) => codes.map((code) => [code, name as RefusalName] as const));

  test('the table is complete', () => {
    expect(rows.map(([code]) => code).sort()).toEqual(Object.keys(TABLES[vendor]).sort());
  });

  test.each(rows)('%s is told as %s', async (code, name) => {
    for (const stream of [false, true]) {
      const answer = await rig.raw({ model: `${vendor}-chat`, messages: [user(`hello [[sim:code value=${code}]]`)], stream });
      expectRefusal(answer, name);
    }
  });
});

test.each([
  ['shape value=flat', 'upstream_auth', 'code value=invalid_iam_token'],
  ['shape value=200', 'upstream_out_of_credit', 'arrears'],
  ['shape value=flat-200', 'limit_requests', 'rate-limit'],
  ['shape value=empty-headers', 'upstream_auth', 'dead-key'],
  ['shape value=html', 'upstream_overloaded', 'internal'],
  ['gateway value=413', 'request_too_large', ''],
  ['gateway value=503', 'upstream_overloaded', ''],
] as const)('an Ernie refusal in the form of %s is read all the same', async (shape, name, fault) => {
  for (const stream of [false, true]) {
    const prompt = `hello [[sim:${shape}]]${fault === '' ? '' : ` [[sim:${fault}]]`}`;
    expectRefusal(await rig.raw({ model: 'ernie-chat', messages: [user(prompt)], stream }), name);
  }
});

test.each([
  ['shape value=number-code', 'upstream_out_of_credit', 'arrears'],
  ['shape value=envelope', 'limit_requests', 'rate-limit'],
  ['shape value=flat', 'upstream_auth', 'dead-key'],
  ['shape value=request-id', 'context_length_exceeded', 'context-length'],
] as const)('a GLM refusal in the form of %s is read all the same', async (shape, name, fault) => {
  for (const stream of [false, true]) {
    expectRefusal(await rig.raw({ model: 'glm-chat', messages: [user(`hello [[sim:${shape}]] [[sim:${fault}]]`)], stream }), name);
  }
});

test('a Qwen refusal of a stream as an event under its own status is read all the same', async () => {
  const answer = await rig.raw({ model: 'qwen-chat', messages: [user('hello [[sim:data-body]] [[sim:arrears]]')], stream: true });
  expectRefusal(answer, 'upstream_out_of_credit');
});
