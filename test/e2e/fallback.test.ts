import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCompletion } from '../contract/openai-schema.ts';
import { expectBrokenStream, expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES, type VendorCase } from './vendors.ts';

const next = (vendor: string): VendorCase => {
  const at = VENDOR_CASES.findIndex((entry) => entry.vendor === vendor);
  return VENDOR_CASES[(at + 1) % VENDOR_CASES.length] as VendorCase;
};

describe.each(VENDOR_CASES)('$vendor first', ({ vendor, model, thinker, vision }) => {
  const second = next(vendor);
  const off = (backend: string, to: string) => ({ to: `${backend}/${to}`, thinking: 'off' });
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({
      configExtra: {
        models: {
          pair: [off(vendor, model), off(second.vendor, second.model)],
          thinking: [`${vendor}/${thinker}`, `${second.vendor}/${second.thinker}`],
          seeing: [off(vendor, model), off(vendor, vision)],
          dead: [off('nobody', model), off(second.vendor, second.model)],
        },
        backends: { nobody: { simulated: vendor, baseUrl: 'http://127.0.0.1:9/v1' } },
      },
      keyOptions: { hide: { reasoning: 'hide' } },
    });
  });
  beforeEach(() => rig.reset());
  afterAll(() => rig.close());

  const fault = (text: string, to: string = vendor) => {
    const [name = '', ...args] = text.split(' ');
    rig.simulator.setFault({ name, vendor: to as 'qwen', args: Object.fromEntries(args.map((arg) => arg.split('='))) });
  };
  const pair = { model: 'pair', messages: [user('hello')] };

  test.each([
    ['overload', 'upstream_overloaded'],
    ['internal', 'upstream_overloaded'],
    ['rate-limit', 'upstream_rate_limit_requests'],
    ['dead-key', 'upstream_auth'],
    ['arrears', 'upstream_out_of_credit'],
    ['retired', 'upstream_model_unavailable'],
    ['context-length', 'context_length_exceeded'],
    ['reset', 'upstream_truncated'],
    ['html status=200', 'upstream_invalid_response'],
    ['cut bytes=20', 'upstream_truncated'],
  ])('%s: the second answers', async (refusal, kind) => {
    for (const stream of [false, true]) {
      rig.reset();
      fault(refusal);
      const answer = await rig.raw({ ...pair, stream });
      expect(answer.status, answer.text).toBe(200);
      if (stream) expect(answer.stream().problems).toEqual([]);
      else expect(checkCompletion(answer.json())).toEqual([]);
      expect(answer.headers.get('x-estafet-backend')).toBe(second.vendor);
      expect(rig.seen().map((entry) => entry.vendor)).toEqual([vendor, second.vendor]);
      expect(answer.record()).toMatchObject({
        status: 200,
        reason: 'done',
        error: null,
        usage: { source: 'vendor' },
        attempts: [
          { backend: vendor, model, error: kind },
          { backend: second.vendor, model: second.model, error: null },
        ],
      });
    }
  });

  test.each(['end after=0', 'garbage after=0', 'half-frame after=0', 'mid-error after=0'])(
    '%s before the first token: the second answers',
    async (text) => {
      fault(text);
      const answer = await rig.raw({ ...pair, stream: true });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.stream()).toMatchObject({ problems: [], error: null, done: true });
      expect(answer.record().attempts).toHaveLength(2);
    },
  );

  test.each(['cut after=1', 'garbage after=2', 'end after=3', 'mid-error after=2'])(
    '%s after the first token: no second attempt',
    async (text) => {
      fault(text);
      const answer = await rig.raw({ ...pair, stream: true });
      expectBrokenStream(
        answer,
        text.startsWith('garbage') ? 'upstream_invalid_response' : text.startsWith('mid') ? 'upstream_overloaded' : 'upstream_truncated',
      );
      expect(rig.seen()).toHaveLength(1);
      expect(answer.record().attempts).toHaveLength(1);
    },
  );

  test('thinking that was shown counts as begun; thinking that is hidden does not', async () => {
    fault('cut after=3');
    const body = { model: 'thinking', messages: [user('[[sim:think n=20]] hello')], stream: true };
    expectBrokenStream(await rig.raw(body), 'upstream_truncated');
    rig.reset();
    fault('cut after=3');
    const hidden = await rig.raw(body, { key: 'hide' });
    expect(hidden.stream()).toMatchObject({ problems: [], error: null, done: true });
    expect(hidden.headers.get('x-estafet-backend')).toBe(second.vendor);
  });

  test('moderation of the input is not dodged by another vendor', async () => {
    for (const stream of [false, true]) {
      rig.reset();
      fault('moderation');
      expectRefusal(await rig.raw({ ...pair, stream }), 'content_filter');
      expect(rig.seen()).toHaveLength(1);
    }
  });

  test('when all have failed, the caller learns the last failure', async () => {
    fault('dead-key');
    fault('overload', second.vendor);
    const answer = await rig.raw(pair);
    expectRefusal(answer, 'upstream_overloaded');
    expect(answer.record().attempts.map(({ error }) => error)).toEqual(['upstream_auth', 'upstream_overloaded']);
    expect(answer.headers.get('x-estafet-backend')).toBe(second.vendor);
  });

  test('a backend that cannot be reached is passed over', async () => {
    const answer = await rig.raw({ model: 'dead', messages: [user('hello')] });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.record().attempts.map(({ error }) => error)).toEqual(['upstream_unreachable', null]);
  });

  test('a candidate that cannot carry the request is passed over', async () => {
    const url = 'https://example.com/picture.png';
    const messages = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is it?' },
          { type: 'image_url', image_url: { url } },
        ],
      },
    ];
    const answer = await rig.raw({ model: 'seeing', messages });
    expect(answer.status, answer.text).toBe(200);
    const { attempts, decision } = answer.record();
    expect(attempts.map((attempt) => [attempt.model, attempt.error])).toEqual([[vision, null]]);
    expect(decision.skipped).toEqual([{ to: expect.stringContaining(`/${model}`), rule: 'vision' }]);
    expect(rig.seen()).toHaveLength(1);
  });
});
