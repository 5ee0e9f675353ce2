import { afterEach, describe, expect, test } from 'vitest';
import { expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

const BREAKER = { failures: 2, windowMs: 60_000, openMs: 500 };
const open = async (backend: Record<string, unknown> = {}, backends: Record<string, Record<string, unknown>> = {}): Promise<void> => {
  const off = (to: string) => ({ to, thinking: 'off' });
  rig = await startRig({
    configExtra: {
      server: { metrics: { token: 'env:SIMULATED_QWEN' } },
      backend: { breaker: BREAKER, retries: 0, ...backend },
      backends,
      models: {
        pair: [off('qwen/qwen-plus'), off('glm/glm-4.6')],
        ...(backends['many'] === undefined ? {} : { keys: [off('many/qwen-plus')] }),
      },
      team: { limits: { rpm: 1_000, tpm: 1_000_000, concurrency: 1 } },
    },
  });
};
const ask = (model: string, stream = false) => rig.raw({ model, messages: [user('hello')], stream });
const asked = (): string[] => rig.seen().map(({ vendor }) => vendor);
const fault = (name: string, vendor: 'qwen' | 'glm' | 'ernie') => rig.simulator.setFault({ name, vendor });

describe.each([false, true])('streamed: %s', (stream) => {
  test.each([
    ['dead-key', 'upstream_auth', 1],
    ['arrears', 'upstream_out_of_credit', 1],
    ['retired', 'upstream_model_unavailable', 1],
    ['rate-limit', 'upstream_rate_limit_requests', 1],
    ['overload', 'upstream_overloaded', 2],
    ['reset', 'upstream_truncated', 2],
  ])('%s: after %s ×%i nobody asks there, until it may be probed', async (name, kind, times) => {
    await open();
    fault(name, 'qwen');
    for (let number = 0; number < times; number++) expect((await ask('pair', stream)).record().attempts[0]).not.toHaveProperty('unsent');
    expect(asked()).toEqual(Array.from({ length: times }, () => ['qwen', 'glm']).flat());
    const answer = await ask('pair', stream);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.record().attempts).toMatchObject([{ backend: 'qwen', error: kind, unsent: true }, { error: null }]);
    expect(asked().slice(times * 2)).toEqual(['glm']);
  });
});

test('when it is the only one: the failure that stands, with a time, and nothing is sent or counted', async () => {
  await open();
  fault('rate-limit', 'glm');
  expectRefusal(await ask('glm-chat'), 'limit_requests');
  const answer = await ask('glm-chat', true);
  expectRefusal(answer, 'limit_requests');
  expect(asked()).toEqual(['glm']);
  expect(answer.record()).toMatchObject({ status: 429, usage: null, cost: null, attempts: [{ unsent: true }] });
  rig.simulator.clearFaults();
  await expect.poll(async () => (await ask('glm-chat')).status, { timeout: 4_000, interval: 200 }).toBe(200);
});

test('a broken backend: one probe when its time has come, then as before', async () => {
  await open();
  fault('reset', 'qwen');
  await ask('qwen-chat');
  await ask('qwen-chat');
  expectBarred(await ask('qwen-chat'));
  expect(asked()).toHaveLength(2);
  rig.simulator.clearFaults();
  await expect.poll(async () => (await ask('qwen-chat')).status, { timeout: 4_000, interval: 100 }).toBe(200);
  expect((await ask('qwen-chat')).status).toBe(200);
  const metrics = await rig.raw(undefined, {
    method: 'GET',
    path: '/metrics',
    headers: { authorization: `Bearer ${rig.simulator.vendors.qwen?.key}` },
  });
  expect(metrics.text).toContain('estafet_breaker_changes_total{backend="qwen",cause="failure",state="open"} 1');
  expect(metrics.text).toContain('estafet_breaker_changes_total{backend="qwen",cause="failure",state="closed"} 1');
  expect(metrics.text).toContain('estafet_upstream_attempts_total{backend="qwen",model="qwen-plus",cause="upstream_truncated"} 2');
});

function expectBarred(answer: Awaited<ReturnType<typeof ask>>): void {
  expect(answer.status).toBe(502);
  expect(answer.json()).toMatchObject({ error: { code: 'upstream_truncated' } });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
}

test('a name that a caller made up opens no breaker: only of what is configured or in the catalogue an admin hears', async () => {
  await open();
  const isOpen = async (name: string): Promise<boolean> => {
    const before = asked().length;
    for (let number = 0; number < 2; number++) await ask(name);
    return asked().length === before + 1;
  };
  expect(await isOpen('qwen/no-such-model')).toBe(false);
  expect(await isOpen('glm/no-such-model')).toBe(false);
  fault('retired', 'glm');
  fault('retired', 'ernie');
  expect(await isOpen('glm-4.6')).toBe(true);
  expect(await isOpen('ernie/ernie-4.5-turbo-128k')).toBe(true);
  await rig.close();
  rig = await startRig({
    configExtra: { backend: { breaker: BREAKER, retries: 0 }, models: { ours: ['qwen/no-such-model'] } },
  });
  expect(await isOpen('ours')).toBe(true);
});

test('off: asked every time', async () => {
  await open({ breaker: 'off' });
  fault('dead-key', 'qwen');
  for (let number = 0; number < 3; number++) await ask('pair');
  expect(asked().filter((vendor) => vendor === 'qwen')).toHaveLength(3);
});

test('several keys: the bad one is found once, another answers at once, and the caller sees nothing', async () => {
  const keys = { apiKey: undefined, apiKeys: ['env:SIMULATED_GLM', 'env:SIMULATED_QWEN'] };
  await open({}, { many: { simulated: 'qwen', ...keys } });
  const answer = await ask('keys');
  expect(answer.status, answer.text).toBe(200);
  expect(answer.record().attempts.map(({ error }) => error)).toEqual(['upstream_auth', null]);
  for (let number = 0; number < 4; number++) expect((await ask('keys')).record().attempts).toHaveLength(1);
});

test('ready, as long as one backend may be asked', async () => {
  await open();
  const ready = async (): Promise<number> => (await rig.raw(undefined, { method: 'GET', path: '/readyz' })).status;
  for (const vendor of ['qwen', 'ernie'] as const) fault('dead-key', vendor);
  for (const model of ['qwen-chat', 'ernie-chat']) await ask(model);
  expect(await ready()).toBe(200);
  fault('dead-key', 'glm');
  await ask('glm-chat');
  await expect.poll(ready, { timeout: 3_000, interval: 200 }).toBe(503);
});
