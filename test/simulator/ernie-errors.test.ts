import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS } from '../../simulator/ernie/errors.ts';
import { GOOD_KEY } from '../../simulator/ernie/keys.ts';
import { at, type Client, chatBody, json, startClient } from './ernie-client.ts';

const CHAT = '/v2/chat/completions';
let client: Client;
beforeAll(async () => {
  client = await startClient();
});
afterAll(() => client.close());

/** The vendor's own table, written out here once more so that a slip in the simulator's shows. */
const TABLE: readonly [code: string, status: number, type: string][] = [
  ['malformed_json', 400, 'invalid_request_error'],
  ['invalid_model', 400, 'invalid_request_error'],
  ['invalid_messages', 400, 'invalid_request_error'],
  ['characters_too_long', 400, 'invalid_request_error'],
  ['tokens_too_long', 400, 'invalid_request_error'],
  ['invalid_argument', 400, 'invalid_request_error'],
  ['invalid_image_generation_prompt', 400, 'invalid_request_error'],
  ['invalid_image_generation_refer_image', 400, 'invalid_request_error'],
  ['invalid_image_genration_prompt', 400, 'invalid_request_error'],
  ['invalid_image_genration_refer_image', 400, 'invalid_request_error'],
  ['invalid_image_url', 400, 'invalid_request_error'],
  ['invalid_plugin_argument', 400, 'invalid_request_error'],
  ['image_url_unsafe', 400, 'unsafe_request'],
  ['invalid_iam_token', 401, 'invalid_request_error'],
  ['invalid_appid', 401, 'invalid_request_error'],
  ['no_parameter_permission', 401, 'access_denied'],
  ['system_unsafe', 403, 'unsafe_request'],
  ['user_setting_unsafe', 403, 'unsafe_request'],
  ['functions_unsafe', 403, 'unsafe_request'],
  ['account_overdue', 403, 'access_denied'],
  ['model_offline', 403, 'access_denied'],
  ['method_not_supported', 405, 'invalid_request_error'],
  ['rpm_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['tpm_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['input_tpm_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['output_tpm_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['user_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['cluster_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['cluster_rpm_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['cluster_tpm_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['preemptible_rate_limit_exceeded', 429, 'rate_limit_exceeded'],
  ['Offline_batch_reasoning_refused', 429, 'rate_limit_exceeded'],
  ['internal_error', 500, 'Internal_error'],
  ['dispatch_internal_error', 500, 'Internal_error'],
  ['image_generation_interal_error', 500, 'Internal_error'],
  ['image_genration_interal_error', 500, 'Internal_error'],
];

describe('error codes', () => {
  test('the table here and the simulator hold the same codes', () => {
    expect(TABLE.map(([code]) => code).sort()).toEqual(Object.keys(ERRORS).sort());
  });

  test.each(TABLE)('%s is reachable: HTTP %i, type %s', async (code, status, type) => {
    for (const stream of [false, true]) {
      const asked = await client.ask(CHAT, chatBody(`hi [[sim:code value=${code}]]`, { stream }));
      expect(asked.status).toBe(status);
      expect(asked.headers['content-type']).toBe('application/json');
      expect(Object.keys(json(asked))).toEqual(['error', 'id']);
      expect(at(json(asked), 'error')).toEqual({ code, message: expect.stringMatching(/\S/), type });
      expect(json(asked)['id']).toMatch(/^as-[0-9a-z]{10}$/);
    }
  });

  test.each([
    ['rate-limit', 429, 'rpm_rate_limit_exceeded'],
    ['rate-limit kind=tpm', 429, 'tpm_rate_limit_exceeded'],
    ['rate-limit kind=input-tpm', 429, 'input_tpm_rate_limit_exceeded'],
    ['rate-limit kind=output-tpm', 429, 'output_tpm_rate_limit_exceeded'],
    ['rate-limit kind=qps', 429, 'user_rate_limit_exceeded'],
    ['rate-limit kind=burst', 429, 'user_rate_limit_exceeded'],
    ['rate-limit kind=concurrency', 429, 'user_rate_limit_exceeded'],
    ['rate-limit kind=cluster', 429, 'cluster_rate_limit_exceeded'],
    ['rate-limit kind=cluster-rpm', 429, 'cluster_rpm_rate_limit_exceeded'],
    ['rate-limit kind=cluster-tpm', 429, 'cluster_tpm_rate_limit_exceeded'],
    ['rate-limit kind=preemptible', 429, 'preemptible_rate_limit_exceeded'],
    ['rate-limit kind=batch', 429, 'Offline_batch_reasoning_refused'],
    ['arrears', 403, 'account_overdue'],
    ['moderation where=input', 403, 'system_unsafe'],
    ['moderation field=user', 403, 'user_setting_unsafe'],
    ['moderation field=functions', 403, 'functions_unsafe'],
    ['moderation field=image', 400, 'image_url_unsafe'],
    ['overload', 429, 'cluster_rate_limit_exceeded'],
    ['dead-key', 401, 'invalid_iam_token'],
    ['retired', 403, 'model_offline'],
    ['internal', 500, 'internal_error'],
    ['internal kind=dispatch', 500, 'dispatch_internal_error'],
    ['context-length', 400, 'tokens_too_long'],
    ['context-length kind=characters', 400, 'characters_too_long'],
    ['code value=internal_error status=503', 503, 'internal_error'],
  ])('neutral fault %s gives %i %s', async (fault, status, code) => {
    const asked = await client.ask(CHAT, chatBody(`[[sim:${fault}]]`));
    expect([asked.status, at(json(asked), 'error', 'code')]).toEqual([status, code]);
  });

  test('a fault that makes no sense is the simulator speaking, not the vendor', async () => {
    const asked = await client.ask(CHAT, chatBody('[[sim:code value=nope]]'));
    expect(asked.status).toBe(500);
    expect(json(asked)['simulator_error']).toContain('does not know code "nope"');
  });

  test('no Retry-After, and the full window shows in the headers', async () => {
    const asked = await client.ask(CHAT, chatBody('[[sim:rate-limit kind=rpm]]'));
    expect(asked.headers['retry-after']).toBeUndefined();
    expect(asked.headers['x-ratelimit-remaining-requests']).toBe('0');
    expect(asked.headers['x-ratelimit-remaining-input-tokens']).not.toBe('0');
  });
});

describe('shapes', () => {
  test.each([
    ['shape value=flat', 403, { code: 'AccessDenied', message: 'Access denied.', requestId: expect.any(String) }],
    [
      'shape value=flat]] [[sim:code value=account_overdue',
      403,
      { code: 'account_overdue', message: expect.any(String), requestId: expect.any(String) },
    ],
    ['shape value=200', 200, { error: { code: 'internal_error', message: 'high load' } }],
    ['error-200', 200, { error: { code: 'internal_error', message: 'high load' } }],
    ['shape value=200]] [[sim:overload', 200, { error: { code: 'cluster_rate_limit_exceeded', message: expect.any(String) } }],
    ['shape value=flat-200', 200, { code: 'rpm_rate_limit_exceeded', msg: 'Rate limit reached for RPM' }],
  ])('%s', async (fault, status, body) => {
    const asked = await client.ask(CHAT, chatBody(`[[sim:${fault}]]`));
    expect(asked.status).toBe(status);
    expect(json(asked)).toEqual(body);
  });

  test('an empty body whose error is in X-Bce headers', async () => {
    const asked = await client.ask(CHAT, chatBody('[[sim:shape value=empty-headers]]'));
    expect([asked.status, asked.text]).toEqual([401, '']);
    expect(asked.headers['x-bce-error-code']).toBe('invalid_iam_token');
    expect(asked.headers['x-bce-error-message']).toBe('IAM Certification failed');
  });

  test.each([
    ['shape value=html', 502],
    ['timeout', 504],
    ['gateway value=413', 413],
    ['shape value=html]] [[sim:internal', 500],
  ])('%s is a page of HTML with status %i', async (fault, status) => {
    const asked = await client.ask(CHAT, chatBody(`[[sim:${fault}]]`));
    expect(asked.status).toBe(status);
    expect(asked.headers['content-type']).toBe('text/html');
    expect(asked.text).toMatch(/^<html>/);
  });
});

describe('keys', () => {
  const good = { headers: { authorization: '' } };
  test.each([
    ['no Authorization', { key: null }],
    ['an unknown key', { key: null, headers: { authorization: 'Bearer bce-v3/ALTAK-nobody/00' } }],
    ['a good key without Bearer', { key: null, headers: { authorization: GOOD_KEY } }],
    ['a plan key on the ordinary path', { key: 'plan' }],
    ['an empty header', { key: null, ...good }],
  ])('%s: 401 invalid_iam_token', async (_name, options) => {
    const asked = await client.ask(CHAT, chatBody('hi'), options);
    expect([asked.status, at(json(asked), 'error', 'code')]).toEqual([401, 'invalid_iam_token']);
  });

  test.each([
    ['overdue account', 'overdue', 'ernie-5.1', 403, 'account_overdue'],
    ['key limited to another model', 'one-model', 'ernie-5.1', 401, 'invalid_model'],
    ['unknown model', 'good', 'ernie-9', 401, 'invalid_model'],
    ['upper case', 'good', 'ERNIE-5.1', 401, 'invalid_model'],
    ['embedding model', 'good', 'bge-large-zh', 401, 'invalid_model'],
    ['empty model', 'good', '', 400, 'invalid_model'],
    ['missing model', 'good', undefined, 400, 'invalid_model'],
    ['retired model', 'good', 'ernie-3.5-8k', 403, 'model_offline'],
  ])('%s', async (_name, key, model, status, code) => {
    const asked = await client.ask(CHAT, chatBody('hi', { model }), { key });
    expect([asked.status, at(json(asked), 'error', 'code')]).toEqual([status, code]);
  });

  test('the texts of the 401 for a model differ by year', async () => {
    const now = await client.ask(CHAT, chatBody('hi', { model: 'x' }));
    const then = await client.ask(CHAT, chatBody('[[sim:profile value=2025]]', { model: 'x' }));
    expect(at(json(now), 'error', 'message')).toBe('The model does not exist or you do not have access to it.');
    expect(at(json(then), 'error', 'message')).toBe('No permission to use the model');
  });

  test.each([
    ['app-SimDflt1', 200],
    ['app-nobody', 401],
    ['31415926', 401],
  ])('appid %s: %i', async (appid, status) => {
    const asked = await client.ask(CHAT, chatBody('hi'), { headers: { appid } });
    expect(asked.status).toBe(status);
    if (status === 401) expect(at(json(asked), 'error', 'code')).toBe('invalid_appid');
  });

  test('plan keys work on the plan paths, with plan models, and only there', async () => {
    const path = '/v2/tokenplan/personal/chat/completions';
    expect((await client.ask(path, chatBody('hi', { model: 'ernie-5.1' }), { key: 'plan' })).status).toBe(200);
    expect(
      (await client.ask('/v2/coding/chat/completions', chatBody('hi', { model: 'qianfan-code-latest' }), { key: 'plan' })).status,
    ).toBe(200);
    expect(at(json(await client.ask(path, chatBody('hi'), { key: 'plan' })), 'error', 'code')).toBe('invalid_model');
    expect(at(json(await client.ask(path, chatBody('hi'))), 'error', 'code')).toBe('invalid_iam_token');
  });

  test('X-Request-Id is echoed, or made', async () => {
    expect((await client.ask(CHAT, chatBody('hi'), { headers: { 'x-request-id': 'mine-7' } })).headers['x-request-id']).toBe('mine-7');
    expect((await client.ask(CHAT, chatBody('hi'))).headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('paths and bodies', () => {
  test('GET on chat: 405', async () => {
    const asked = await client.ask(CHAT, undefined, { method: 'GET' });
    expect([asked.status, at(json(asked), 'error', 'code')]).toEqual([405, 'method_not_supported']);
  });

  test.each(['/v2/rerankers', '/v2/v1/chat/completions', '/v1/chat/completions'])('%s: flat 403', async (path) => {
    const asked = await client.ask(path, chatBody('hi'));
    expect([asked.status, json(asked)['code']]).toEqual([403, 'AccessDenied']);
  });

  test('v1 is dead and says so in its old way', async () => {
    const asked = await client.ask('/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/completions?access_token=24.x', chatBody('hi'));
    expect([asked.status, json(asked)['error_code']]).toEqual([200, 3]);
  });

  test.each(['{"model":', '[]', 'null', ''])('body %s: malformed_json', async (body) => {
    const asked = await client.ask(CHAT, body);
    expect([asked.status, at(json(asked), 'error', 'code')]).toEqual([400, 'malformed_json']);
  });
});
