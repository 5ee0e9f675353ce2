import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({
    configExtra: {
      server: { totalDeadlineMs: 3_000 },
      backend: { retries: 1, timeouts: { firstByteMs: 20_000 } },
      backends: { twin: { simulated: 'qwen' } },
      models: {
        // Without a catalogue the file is taken: two at a time it is not, all the same.
        vectors: { totalDeadlineMs: 600, hedge: 100, to: ['qwen/text-embedding-v4', 'twin/text-embedding-v4'] },
        pair: [
          { to: 'qwen/qwen-plus', thinking: 'off' },
          { to: 'glm/glm-4.6', thinking: 'off' },
        ],
      },
      team: { moderationFallback: true, limits: { rpm: 1000, tpm: 1_000_000, concurrency: 1 } },
    },
  });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

const ask = (model: string, stream: boolean) => rig.raw({ model, messages: [user('hello')], stream });
const fault = (name: string, vendor: 'qwen' | 'glm', times?: number, args: Record<string, string> = {}) =>
  rig.simulator.setFault({ name, vendor, args, ...(times === undefined ? {} : { times }) });
const asked = () => rig.seen().map(({ vendor }) => vendor);

describe.each([false, true])('streamed: %s', (stream) => {
  test('a connection that broke before the answer: the same backend, at once, billed once', async () => {
    fault('reset', 'qwen', 1);
    const answer = await ask('pair', stream);
    expect(answer.status, answer.text).toBe(200);
    expect(asked()).toEqual(['qwen', 'qwen']);
    const record = answer.record();
    expect(record.attempts.map(({ error }) => error)).toEqual(['upstream_truncated', null]);
    expect(record).toMatchObject({ reason: 'done', status: 200, usage: { source: 'vendor' } });
    expect(rig.records).toHaveLength(1);
  });

  test('as often as the configuration says, then the next one', async () => {
    fault('reset', 'qwen');
    const answer = await ask('pair', stream);
    expect(answer.status, answer.text).toBe(200);
    expect(asked()).toEqual(['qwen', 'qwen', 'glm']);
  });

  test('an overload: another backend before anybody waits', async () => {
    fault('overload', 'qwen');
    await ask('pair', stream);
    expect(asked()).toEqual(['qwen', 'glm']);
  });

  test('an overload of the last one is waited out', async () => {
    fault('overload', 'glm', 1);
    const started = performance.now();
    const answer = await ask('glm-chat', stream);
    expect(answer.status, answer.text).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(asked()).toEqual(['glm', 'glm']);
  });

  test('what one vendor moderates another may answer, where the team says so', async () => {
    fault('moderation', 'qwen');
    const answer = await ask('pair', stream);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.record().attempts.map(({ error }) => error)).toEqual(['content_filter', null]);
  });

  test('a wait ends with the whole deadline: silence is not waited for beyond it', async () => {
    fault('silent', 'qwen');
    const started = performance.now();
    expectRefusal(await ask('pair', stream), 'upstream_timeout');
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(asked()).toEqual(['qwen']);
  });
});

test('a name has a deadline of its own, embeddings too; they have no second call', async () => {
  fault('silent', 'qwen');
  const answer = await rig.raw({ model: 'vectors', input: 'hello' }, { path: '/v1/embeddings' });
  expectRefusal(answer, 'upstream_timeout');
  expect(answer.record().attempts).toMatchObject([{ backend: 'qwen', error: 'upstream_timeout' }]);
  expect(rig.seen()).toHaveLength(1);
  expect(answer.record().totalMs).toBeLessThan(3_000);
});

test('the caller leaves during a wait: nobody is asked any more, and the slot comes back', async () => {
  fault('overload', 'glm');
  const leaving = new AbortController();
  const gone = fetch(`${rig.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rig.keyOf('main')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'glm-chat', messages: [user('hello')] }),
    signal: leaving.signal,
  });
  await expect.poll(() => rig.seen()[0]?.status).toBe(429);
  leaving.abort();
  await expect(gone).rejects.toThrow();
  await expect.poll(() => rig.records).toMatchObject([{ reason: 'client_gone', attempts: [{ error: 'upstream_overloaded' }] }]);
  rig.simulator.clearFaults();
  expect((await ask('glm-chat', false)).status).toBe(200);
  expect(asked()).toEqual(['glm', 'glm']);
});

test.each([false, true])('a fault of the log or the books turns no answer into another attempt; streamed: %s', async (stream) => {
  const { records } = rig;
  let told = 0;
  records.push = () => {
    told++;
    throw new Error('the disk is full');
  };
  try {
    const answer = await ask('qwen-chat', stream);
    expect(answer.status, answer.text).toBe(200);
    if (stream) expect(answer.stream()).toMatchObject({ error: null, done: true });
    await expect.poll(() => told).toBe(1);
    expect(asked()).toEqual(['qwen']);
  } finally {
    Reflect.deleteProperty(records, 'push');
  }
  // Its limits were told before: the one slot is free.
  expect((await ask('qwen-chat', false)).status).toBe(200);
});
