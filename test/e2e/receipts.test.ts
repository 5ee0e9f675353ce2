import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkErrorResponse, requestFields } from '../contract/openai-schema.ts';
import { FIELD_SAMPLES } from '../translators/field-samples.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ keyOptions: { strict: { strict: true } } });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const lookUp = (id: string | null, key = 'main') => rig.raw(undefined, { method: 'GET', path: `/v1/estafet/requests/${id}`, key });

const root = (field: string): string => field.replace(/[[.].*$/, '');

interface Kept {
  readonly receipt: { readonly kept: readonly string[]; readonly changes: readonly { readonly field: string; readonly fate: string }[] };
}

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, model }) => {
  test.each([false, true])('header, record and look-up tell the same; streamed: %s', async (stream) => {
    const body = { model: chat, messages: [user('hello')], temperature: 2, max_tokens: 50, metadata: { a: 'b' }, made_up: 1, stream };
    const answer = await rig.raw(body);
    expect(answer.status, answer.text).toBe(200);
    const header = answer.headers.get('x-estafet-receipt') ?? '';
    expect(header).toContain('temperature=clamped');
    expect(header).toContain('metadata=dropped');
    expect(header).toContain('made_up=dropped');
    expect(answer.headers.get('x-estafet-backend')).toBe(vendor);
    const found = await lookUp(answer.headers.get('x-request-id'));
    expect(found.status).toBe(200);
    expect(found.json()).toEqual(JSON.parse(JSON.stringify(answer.record())));
    expect(found.json()).toMatchObject({
      object: 'estafet.request',
      key: 'main',
      team: 'all',
      model: chat,
      stream,
      status: 200,
      reason: 'done',
    });
    const { receipt } = found.json() as unknown as Kept;
    expect(receipt.changes.map(({ field, fate }) => `${field}=${fate}`).join(';')).toBe(header);
    expect(receipt.kept).toContain('max_tokens');
    expect(found.text).not.toContain('hello');
  });

  test.each(requestFields())('every value of a field is kept and sent, or accounted for: %s', async (field) => {
    const { values, needs = {}, streamOnly } = FIELD_SAMPLES[field] ?? { values: [] };
    const streams = streamOnly === true ? [true] : [false, true];
    for (const stream of streams) {
      for (const value of field === 'stream' ? [stream] : field === 'model' ? [chat] : values) {
        rig.reset();
        const request = { model: chat, messages: [user('hello')], stream, ...needs, [field]: value };
        const answer = await rig.raw(request);
        if (answer.status !== 200) {
          // Not every value can be carried: then it is refused by the name of what was asked for.
          expect(answer.status, answer.text).toBe(400);
          const { param } = (answer.json() as { error: { param: string | null } }).error;
          expect([field, ...Object.keys(needs)]).toContain(root(param ?? ''));
          expect(rig.seen()).toHaveLength(0);
          continue;
        }
        const { receipt } = answer.record() as unknown as Kept;
        const told = new Set([...receipt.kept, ...receipt.changes.map((change) => root(change.field))]);
        expect(Object.keys(request).filter((name) => !told.has(name))).toEqual([]);
        // What the receipt calls kept, the vendor has got as it was.
        const sent = rig.lastBody() as Record<string, unknown>;
        for (const name of receipt.kept.filter((each) => each !== 'messages' && each !== 'model'))
          expect([name, sent[name]]).toEqual([name, (request as Record<string, unknown>)[name]]);
      }
    }
  });

  test('a field that nobody has heard of is told to be dropped', async () => {
    const answer = await rig.raw({ model: chat, messages: [user('hello')], unheard_of: true });
    expect(answer.status, answer.text).toBe(200);
    expect((answer.record() as unknown as Kept).receipt.changes).toContainEqual(
      expect.objectContaining({ field: 'unheard_of', fate: 'dropped' }),
    );
    expect(rig.lastBody()).not.toHaveProperty('unheard_of');
  });

  test('another key, a wrong id and no key find nothing', async () => {
    const answer = await rig.raw({ model: chat, messages: [user('hello')] });
    const id = answer.headers.get('x-request-id');
    const other = await lookUp(id, 'other');
    const unknown = await lookUp('req_00000000000000000000000000000000');
    for (const refused of [other, unknown]) {
      expect(refused.status).toBe(404);
      expect(checkErrorResponse(404, refused.json())).toEqual([]);
      expect(refused.json()).toMatchObject({ error: { code: 'unknown_request' } });
    }
    expect(other.json()).toEqual(unknown.json());
    expect((await rig.raw(undefined, { method: 'GET', path: `/v1/estafet/requests/${id}`, headers: { authorization: '' } })).status).toBe(
      401,
    );
  });

  test.each([
    ['temperature', { temperature: 2 }],
    ['made_up', { made_up: true }],
    ['verbosity', { verbosity: 'low' }],
    ['logit_bias', { logit_bias: { '50256': -100 } }],
  ])('a strict key is refused rather than changed: %s', async (param, fields) => {
    for (const stream of [false, true]) {
      const answer = await rig.raw({ model: chat, messages: [user('hello')], stream, ...fields }, { key: 'strict' });
      expect(answer.status, answer.text).toBe(400);
      expect(checkErrorResponse(answer.status, answer.json())).toEqual([]);
      expect(answer.json()).toMatchObject({ error: { type: 'invalid_request_error', code: 'unsupported_parameter', param } });
    }
    expect(rig.seen()).toHaveLength(0);
  });

  test('a strict key is served where nothing of the answer would change', async () => {
    const body = { messages: [user('hello')], temperature: 0.5, top_p: 0.9, max_completion_tokens: 50, user: 'someone', stream: true };
    for (const name of [chat, model, `${vendor}/${model}`]) {
      const answer = await rig.raw({ ...body, model: name }, { key: 'strict' });
      expect(answer.status, answer.text).toBe(200);
    }
  });

  test('a failed request can be looked up as well', async () => {
    const answer = await rig.raw({ model: chat, messages: [user('hello [[sim:arrears]]')] });
    const found = await lookUp(answer.headers.get('x-request-id'));
    expect(found.json()).toMatchObject({
      status: 503,
      reason: 'vendor_error',
      error: { code: 'upstream_out_of_credit' },
      attempts: [{ backend: vendor, error: 'upstream_out_of_credit', upstreamCode: expect.stringMatching(/.+/) }],
    });
  });
});
