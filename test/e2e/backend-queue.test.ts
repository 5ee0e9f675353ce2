import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';

/** Queues before full backends. Each backend is used by one test. */
let rig: Rig;

beforeAll(async () => {
  const queue = (max: number, waitMs: number) => ({ queue: { max, waitMs } });
  rig = await startRig({
    configExtra: {
      server: { metrics: { token: 'env:SIMULATED_QWEN' } },
      backends: Object.fromEntries(
        Object.entries({
          waited: { concurrency: 1, ...queue(10, 5_000) },
          short: { concurrency: 1, ...queue(10, 300) },
          small: { concurrency: 1, ...queue(1, 5_000) },
          left: { concurrency: 1, ...queue(10, 5_000) },
          plain: { concurrency: 1 },
          busy: { concurrency: 2, ...queue(100, 20_000) },
          learned: { concurrency: 8, retries: 0, breaker: {}, ...queue(10, 5_000) },
          failing: { concurrency: 1, retries: 0, breaker: 'off', ...queue(10, 5_000) },
        }).map(([name, settings]) => [name, { simulated: 'qwen', ...settings }]),
      ),
      models: {
        'plain-or-waited': ['plain/qwen-plus', 'waited/qwen-plus'],
        ...Object.fromEntries(
          ['waited', 'short', 'small', 'left', 'busy', 'failing', 'learned'].map((name) => [name, [`${name}/qwen-plus`]]),
        ),
      },
      team: { limits: { concurrency: 1_000 } },
    },
  });
});
afterAll(() => rig.close());
beforeEach(() => rig.reset());

const ask = (model: string, more = {}) => rig.raw({ model, max_tokens: 2, messages: [user('x')], ...more });
const stall = (model: string) => rig.client().chat.completions.create({ model, stream: true, messages: [user('[[sim:stall after=1]]')] });
const attempts = (answer: Awaited<ReturnType<typeof ask>>) => answer.record().attempts;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test.each([false, true])('a request waits until a slot is free; the record says how long (stream: %s)', async (stream) => {
  const running = await stall('waited');
  setTimeout(() => running.controller.abort(), 200);
  const answer = await ask('waited', { stream });
  expect(answer.status, answer.text).toBe(200);
  expect(attempts(answer).map(({ error }) => error)).toEqual(['backend_limit_requests', null]);
  expect(attempts(answer)[0]?.queuedMs).toBeGreaterThan(100);
  expect(attempts(answer)[0]?.queuedMs).toBeLessThan(3_000);
  expect(rig.seen()).toHaveLength(2);
});

test('nobody waits while another candidate has room', async () => {
  const running = await stall('plain/qwen-plus');
  const answer = await ask('plain-or-waited');
  expect(answer.headers.get('x-estafet-backend')).toBe('waited');
  expect(attempts(answer)[0]).not.toHaveProperty('queuedMs');
  running.controller.abort();
});

test('no longer than `waitMs`: the refusal, and when to come again', async () => {
  const running = await stall('short');
  const answer = await ask('short');
  expect(answer.status).toBe(429);
  expect(answer.headers.get('x-estafet-limit')).toBe('backend.concurrency');
  expect(answer.headers.get('retry-after-ms')).toBe('1000');
  expect(answer.record()).toMatchObject({ reason: 'refused', usage: null, attempts: [{ error: 'backend_limit_requests' }] });
  expect(attempts(answer)[0]?.queuedMs).toBeGreaterThanOrEqual(300);
  expect(rig.seen()).toHaveLength(1);
  running.controller.abort();
});

test('no more than `max`: others are refused at once', async () => {
  const running = await stall('small');
  const first = ask('small');
  await pause(100);
  const second = await ask('small');
  expect(second.status).toBe(429);
  expect(attempts(second)[0]).not.toHaveProperty('queuedMs');
  running.controller.abort();
  expect((await first).status).toBe(200);
});

test('a caller that leaves makes place, and nothing is sent for it', async () => {
  const running = await stall('left');
  const leaving = new AbortController();
  const call = rig
    .client({ maxRetries: 0 })
    .chat.completions.create({ model: 'left', messages: [user('x')] }, { signal: leaving.signal })
    .catch((error: unknown) => error);
  await pause(150);
  leaving.abort();
  await call;
  await expect.poll(() => rig.records.some(({ reason }) => reason === 'client_gone')).toBe(true);
  const sent = rig.seen().length;
  running.controller.abort();
  expect((await ask('left')).status).toBe(200);
  expect(rig.seen()).toHaveLength(sent + 1);
});

test('a call that fails makes room as well', async () => {
  rig.simulator.setFault({ name: 'reset', vendor: 'qwen', args: {}, times: 1 });
  const answers = await Promise.all([ask('failing'), ask('failing'), ask('failing')]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 502]);
});

test('more callers than slots: all are answered, never more at a time than the account has', async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask('busy')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(rig.seen()).toHaveLength(40);
  expect(answers.some((answer) => (attempts(answer)[0]?.queuedMs ?? 0) > 0)).toBe(true);
});

test('a vendor that repeats its limit gets fewer calls at a time, until answers show that it bears more', async () => {
  const learned = async (): Promise<number | null> => {
    const page = await rig.raw(undefined, {
      path: '/metrics',
      method: 'GET',
      headers: { authorization: `Bearer ${rig.simulator.vendors.qwen?.key}` },
    });
    const value = /^estafet_backend_learned_concurrency\{backend="learned"\} (\d+)$/m.exec(page.text)?.[1];
    return value === undefined ? null : Number(value);
  };
  expect(await learned()).toBeNull();
  const running = await Promise.all([stall('learned'), stall('learned'), stall('learned')]);
  rig.simulator.setFault({ name: 'rate-limit', vendor: 'qwen', args: {}, times: 2 });
  const refused = async () => {
    expect((await ask('learned')).status).toBe(429);
    return learned();
  };
  expect(await refused()).toBeNull();
  await expect.poll(refused, { timeout: 5_000, interval: 200 }).toBe(2);
  for (const { controller } of running) controller.abort();
  // The breaker of the rate waits as long as the vendor told.
  await expect.poll(async () => (await ask('learned')).status, { timeout: 8_000, interval: 200 }).toBe(200);
  for (let count = 0; count < 60 && (await learned()) !== null; count++) expect((await ask('learned')).status).toBe(200);
  expect(await learned()).toBeNull();
}, 20_000);
