import { expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { Secret } from '../../../config/secret.ts';
import { type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { BackendHealth } from '../../../relay/routing/backend-health.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { SharedHealth } from '../../../relay/routing/shared-health.ts';

/** Two nodes, whose clocks began at different times, on one Redis. */
function desk() {
  let redisMs = 1_000_000;
  const hashes = new Map<string, Record<string, string>>();
  const faults: unknown[] = [];
  let gone = false;
  const call = <T>(answer: () => T): Promise<T> => (gone ? Promise.reject(new Error('gone')) : Promise.resolve(answer()));
  const redis = {
    hset: (key: string, field: string, value: string) => call(() => hashes.set(key, { ...hashes.get(key), [field]: value })),
    hdel: (key: string, field: string) => call(() => Reflect.deleteProperty(hashes.get(key) ?? {}, field)),
    pexpire: () => call(() => 1),
    hgetall: (key: string) => call(() => ({ ...hashes.get(key) })),
    time: () => call(() => [String(Math.floor(redisMs / 1000)), String((redisMs % 1000) * 1000)]),
  };
  const node = (startMs: number) => {
    const now = (): number => redisMs - startMs;
    const breaker = { failures: 1, windowMs: 10_000, openMs: 5_000 };
    const backend = { name: 'b', breaker, apiKeys: [new Secret('sk-secret-key')] } as unknown as Backend;
    const told: Promise<void>[] = [];
    const health: BackendHealth = new BackendHealth({ now, random: () => 0, onChange: (event) => void told.push(shared.tell(event)) });
    const shared = new SharedHealth({ redis, backends: () => [backend], health, now, onFault: (fault) => faults.push(fault) });
    const enter = () => health.enter({ backend, model: 'm' });
    return {
      shared,
      enter,
      end: async (kind: ErrorName | null): Promise<void> => {
        const pass = enter();
        if (!(pass instanceof Pass)) throw pass;
        if (kind === null) pass.answered();
        else pass.failed(new OpenAIError(kind, 'sk-secret-key', { retryAfterMs: 5_000 }));
        await Promise.all(told);
      },
    };
  };
  return {
    one: node(999_000),
    other: node(123),
    hashes,
    faults,
    wait: (ms: number) => {
      redisMs += ms;
    },
    lose: (is: boolean) => {
      gone = is;
    },
    read: async (...nodes: { shared: SharedHealth }[]) => {
      for (const { shared } of nodes) await shared.read();
    },
  };
}

test.each<ErrorName>(['upstream_timeout', 'upstream_overloaded', 'upstream_rate_limit_tokens'])(
  '%s: what one node finds the other knows, and that it is over',
  async (kind) => {
    const { one, other, read, wait, hashes } = desk();
    await read(one, other);
    await one.end(kind);
    expect(other.enter()).toBeInstanceOf(Pass);
    wait(1_000);
    await read(other);
    expect(other.enter()).toMatchObject({ kind, details: { retryAfterMs: 4_000 } });
    wait(4_000);
    await one.end(null);
    await read(other);
    expect([other.enter(), other.enter()]).toEqual([expect.any(Pass), expect.any(Pass)]);
    expect([...hashes.values()]).toEqual([{}]);
  },
);

test('nothing but the kind of the failure and a fingerprint is written', async () => {
  const { one, read, hashes } = desk();
  await read(one);
  await one.end('upstream_auth');
  const text = JSON.stringify([...hashes]);
  expect(text).toContain('upstream_auth');
  expect(text).not.toContain('sk-');
});

test('a missing model is each node’s own: callers make up names', async () => {
  const { one, read, hashes } = desk();
  await read(one);
  await one.end('upstream_model_unavailable');
  expect([...hashes.values()]).toEqual([]);
});

test('while Redis is gone each node knows what it finds itself; then they share again', async () => {
  const { one, other, read, lose, wait, faults } = desk();
  await read(one, other);
  lose(true);
  await one.end('upstream_timeout');
  await read(other);
  expect(one.enter()).toBeInstanceOf(OpenAIError);
  expect(other.enter()).toBeInstanceOf(Pass);
  expect(faults).not.toEqual([]);
  lose(false);
  wait(5_000);
  await one.end('upstream_timeout');
  await read(other);
  expect(other.enter()).toBeInstanceOf(OpenAIError);
});

test('what another release wrote is left alone; what nobody took out goes', async () => {
  const { one, read, hashes, wait } = desk();
  const key = 'estafet:breakers:{b}';
  hashes.set(key, {
    'failure  ': '{"until":"soon"}',
    'overload  m': '{"until":1,"kind":"constructor"}',
    'rate  m': 'x',
    'credit  m': '{"until":900000,"kind":"upstream_auth"}',
  });
  await read(one);
  expect(one.enter()).toBeInstanceOf(Pass);
  wait(600_000);
  await read(one);
  expect(Object.keys(hashes.get(key) ?? {})).toEqual(['failure  ', 'overload  m', 'rate  m']);
});
