import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkErrorResponse, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { expectBrokenStream, expectRefusal, REFUSALS, type RefusalName } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** The fault → what the caller sees, the same for all vendors unless given by vendor. */
const FAULTS: readonly [string, RefusalName | Record<'qwen' | 'ernie' | 'glm', RefusalName>][] = [
  ['dead-key', 'upstream_auth'],
  ['arrears', 'upstream_out_of_credit'],
  ['rate-limit', 'limit_requests'],
  ['rate-limit kind=rpm', 'limit_requests'],
  // Zhipu has one code for requests and tokens.
  ['rate-limit kind=tpm', { qwen: 'limit_tokens', ernie: 'limit_tokens', glm: 'limit_requests' }],
  ['rate-limit kind=burst', 'limit_requests'],
  ['rate-limit kind=concurrency', 'limit_requests'],
  ['overload', 'upstream_overloaded'],
  ['moderation', 'content_filter'],
  ['moderation where=input', 'content_filter'],
  ['retired', 'upstream_model_unavailable'],
  ['internal', 'upstream_overloaded'],
  // Zhipu's word for it is a failure of its network.
  ['timeout', { qwen: 'upstream_timeout', ernie: 'upstream_timeout', glm: 'upstream_overloaded' }],
  ['context-length', 'context_length_exceeded'],
  ['error-200', { qwen: 'upstream_auth', ernie: 'upstream_overloaded', glm: 'upstream_overloaded' }],
];

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat }) => {
  describe.each(FAULTS)('%s', (fault, expected) => {
    const name = typeof expected === 'string' ? expected : expected[vendor];

    test.each([false, true])(`is told as ${name}, streamed: %s`, async (stream) => {
      const answer = await rig.raw({ model: chat, messages: [user(`hello [[sim:${fault}]]`)], stream });
      expectRefusal(answer, name);
      expect(rig.seen()).toHaveLength(1);
      expect(answer.record()).toMatchObject({
        status: REFUSALS[name].status,
        usage: null,
        attempts: [{ backend: vendor, error: expect.any(String), upstreamCode: expect.any(String) }],
      });
    });

    test('becomes the SDK’s exception of that status', async () => {
      const thrown: unknown = await rig
        .client()
        .chat.completions.create({ model: chat, messages: [user(`hello [[sim:${fault}]]`)] })
        .catch((error: unknown) => error);
      const { status } = REFUSALS[name];
      expect(thrown).toBeInstanceOf(
        status === 400 ? OpenAI.BadRequestError : status === 429 ? OpenAI.RateLimitError : OpenAI.InternalServerError,
      );
      expect(thrown).toMatchObject({ status, type: REFUSALS[name].type, requestID: expect.stringMatching(/^req_[0-9a-f]{32}$/) });
    });
  });

  test.each(['mid-error after=1', 'mid-error after=7'])('%s in a stream is one error event', async (fault) => {
    const answer = await rig.raw({ model: chat, messages: [user(`[[sim:tokens n=30]] [[sim:${fault}]]`)], stream: true });
    expectBrokenStream(answer, 'upstream_overloaded');
    expect(answer.record()).toMatchObject({ status: 200, reason: 'vendor_error', error: { code: 'upstream_overloaded' } });
  });

  test('mid-error after=0 in a stream has a real status', async () => {
    expectRefusal(await rig.raw({ model: chat, messages: [user('[[sim:mid-error after=0]]')], stream: true }), 'upstream_overloaded');
  });

  test('output refused by moderation is told, never passed on as a good answer', async () => {
    const body = { model: chat, messages: [user('[[sim:tokens n=30]] [[sim:moderation where=output]]')] };
    const whole = await rig.raw(body);
    const stream = await rig.raw({ ...body, stream: true });
    if (vendor === 'qwen') {
      expectRefusal(whole, 'content_filter');
      expectBrokenStream(stream, 'content_filter');
      return;
    }
    expect(foldCompletion(whole.json()).choices[0]?.finish_reason).toBe('content_filter');
    expect(stream.stream().problems).toEqual([]);
    expect(foldStream(stream.stream().chunks).choices[0]?.finish_reason).toBe('content_filter');
  });

  test('the SDK raises an error inside a stream, with its code', async () => {
    const { completions } = rig.client().chat;
    const parts: string[] = [];
    const read = async () => {
      const stream = await completions.create({
        model: chat,
        messages: [user('[[sim:tokens n=30]] [[sim:mid-error after=5]]')],
        stream: true,
      });
      for await (const chunk of stream) parts.push(chunk.choices[0]?.delta.content ?? '');
    };
    const thrown: unknown = await read().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ code: 'upstream_overloaded', type: 'server_error' });
    expect(parts.filter((part) => part !== '').length).toBeGreaterThanOrEqual(1);
  });

  test.each([`${vendor}/no-such-model`, `${vendor}-no-such-model`])(
    '%s, which neither an admin nor the vendor knows, is unknown',
    async (model) => {
      const answer = await rig.raw({ model, messages: [user('hello')] });
      expectRefusal(answer, 'model_not_found');
      expect(answer.text).toContain(`The model \`${model}\` does not exist or you do not have access to it.`);
      expect(rig.seen()).toHaveLength(1);
    },
  );

  test('the vendor’s real limits are told as limits', async () => {
    rig.simulator.setLimits(vendor, { rpm: 1 });
    expect((await rig.raw({ model: chat, messages: [user('one')] })).status).toBe(200);
    expectRefusal(await rig.raw({ model: chat, messages: [user('two')] }), 'limit_requests');
  });
});

test.each([
  ['AuthenticationError', 401, 'invalid_api_key', null, { apiKey: 'sk-wrong' }, {}],
  ['NotFoundError', 404, 'model_not_found', null, {}, { model: 'no-such-model' }],
  ['BadRequestError', 400, 'decimal_above_max_value', 'temperature', {}, { temperature: 3 }],
  ['BadRequestError', 400, 'invalid_type', 'max_tokens', {}, { max_tokens: 'many' }],
  ['BadRequestError', 400, 'invalid_value', 'messages[0].role', {}, { messages: [{ role: 'wizard', content: 'x' }] }],
  ['BadRequestError', 400, 'missing_required_parameter', 'messages', {}, { messages: undefined }],
  ['BadRequestError', 400, 'integer_below_min_value', 'n', {}, { n: 0 }],
  ['BadRequestError', 400, null, 'stream_options', {}, { stream_options: { include_usage: true } }],
] as const)('%s %i %s %s', async (name, status, code, param, options, fields) => {
  const body = { model: 'qwen-chat', messages: [user('hello')], ...fields };
  const thrown: unknown = await rig
    .client(options)
    .chat.completions.create(body as never)
    .catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(OpenAI[name]);
  expect(thrown).toMatchObject({ status, code, param, type: 'invalid_request_error' });
  expect(rig.seen()).toHaveLength(0);
});

test('paths and methods that do not exist are OpenAI’s refusals', async () => {
  const unknown = await rig.raw({}, { path: '/v1/nothing' });
  expect(checkErrorResponse(unknown.status, unknown.json(), { method: 'POST', path: '/v1/nothing' })).toEqual([]);
  const method = await rig.raw(undefined, { method: 'GET' });
  expect(checkErrorResponse(method.status, method.json(), { method: 'GET', path: '/v1/chat/completions' })).toEqual([]);
});
