import { afterEach, expect, test, vi } from 'vitest';
import { type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { nodes } from './nodes.ts';

afterEach(() => void vi.useRealTimers());

/** Both know that it is broken, and the time of a probe has come. */
async function halfOpen(kind: ErrorName = 'upstream_timeout') {
  const all = nodes();
  const { one, other, read, wait } = all;
  await read(one, other);
  await one.end(kind);
  await read(other);
  wait(5_000);
  return all;
}

const probeOf = async ({ enter }: { enter: () => unknown }): Promise<Pass> => {
  const pass = await enter();
  if (pass instanceof Pass) return pass;
  throw new Error('it may not probe');
};

test('a healthy backend is asked at once, and Redis for nothing', async () => {
  const { one, asked } = nodes();
  expect(one.enter()).toBeInstanceOf(Pass);
  expect(asked()).toBe(0);
});

test.each<ErrorName>(['upstream_timeout', 'upstream_overloaded', 'upstream_rate_limit_tokens'])(
  '%s: of two hundred at two nodes one probes',
  async (kind) => {
    const { one, other } = await halfOpen(kind);
    const entered = await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? other : one).enter()));
    expect(entered.filter((pass) => pass instanceof Pass)).toHaveLength(1);
    expect(entered.filter((pass) => pass instanceof OpenAIError && pass.kind === kind)).toHaveLength(199);
  },
);

test('a probe that fails bars the other node too, at once: it has not read of it yet', async () => {
  const { one, other, wait } = await halfOpen();
  await one.fail(await probeOf(one), 'upstream_timeout');
  wait(1_000);
  expect(await other.enter()).toMatchObject({ kind: 'upstream_timeout', details: { retryAfterMs: 4_000 } });
  wait(4_000);
  await probeOf(other);
});

test('a probe that has succeeded leaves the way free', async () => {
  const { one, other } = await halfOpen();
  (await probeOf(one)).answered();
  (await probeOf(other)).answered();
  expect([one.enter(), other.enter()]).toEqual([expect.any(Pass), expect.any(Pass)]);
});

test('a probe that came to nothing leaves its place to the other node, which looks again within a second', async () => {
  const { one, other, wait } = await halfOpen();
  const probe = await probeOf(one);
  expect(await other.enter()).toBeInstanceOf(OpenAIError);
  probe.unused();
  wait(1_000);
  await probeOf(other);
});

test('a long probe keeps its lease; that of a node which died ends by itself', async () => {
  const { one, other, wait } = await halfOpen();
  await probeOf(one);
  for (let second = 0; second < 20; second++) {
    wait(1_000);
    await one.probing.renew();
    expect(await other.enter()).toBeInstanceOf(OpenAIError);
  }
  wait(4_999);
  expect(await other.enter()).toBeInstanceOf(OpenAIError);
  wait(1_000);
  await probeOf(other);
});

test('a node that stood still for longer than its lease neither renews nor ends that of the node which probes since', async () => {
  const { one, other, wait } = await halfOpen();
  const late = await probeOf(one);
  wait(5_000);
  await probeOf(other);
  wait(3_000);
  await one.probing.renew();
  wait(1_999);
  late.unused();
  expect(await one.enter()).toBeInstanceOf(OpenAIError);
  // Its five seconds are over: nobody has made them longer.
  wait(1_001);
  await probeOf(one);
});

test('what is given back is not renewed', async () => {
  const { one, other, wait } = await halfOpen();
  (await probeOf(one)).unused();
  await probeOf(other);
  wait(4_000);
  await one.probing.renew();
  wait(1_000);
  await probeOf(one);
});

test('without Redis each node sends a probe of its own', async () => {
  const { one, other, set, faults } = await halfOpen();
  set('gone');
  const entered = await Promise.all([one.enter(), one.enter(), other.enter(), other.enter()]);
  expect(entered.map((pass) => pass instanceof Pass)).toEqual([true, false, true, false]);
  expect(faults).not.toEqual([]);
});

test('a Redis that says nothing is waited for a quarter of a second', async () => {
  const { one, set } = await halfOpen();
  set('silent');
  vi.useFakeTimers();
  const waiting = one.enter();
  const settled = vi.fn<(entered: unknown) => void>();
  void Promise.resolve(waiting).then(settled);
  await vi.advanceTimersByTimeAsync(249);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(51);
  expect(settled).toHaveBeenCalledWith(expect.any(Pass));
});

test('a missing model is looked for by each node, without Redis', async () => {
  const { one, asked, wait } = nodes();
  await one.end('upstream_model_unavailable');
  wait(60_000);
  expect(one.enter()).toBeInstanceOf(Pass);
  expect(asked()).toBe(0);
});
