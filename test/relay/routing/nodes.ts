import type { Backend } from '../../../config/config.ts';
import { Secret } from '../../../config/secret.ts';
import { type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { BackendHealth, type HealthOptions } from '../../../relay/routing/backend-health.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import { ProbeLeases } from '../../../relay/routing/probe-leases.ts';
import { SharedHealth } from '../../../relay/routing/shared-health.ts';

/** Two nodes, whose clocks began at different times, on one Redis with a clock of its own. */
export function nodes({ isProbed }: Pick<HealthOptions, 'isProbed'> = {}) {
  let redisMs = 1_000_000;
  const hashes = new Map<string, Record<string, string>>();
  const leases = new Map<string, { readonly value: string; readonly untilMs: number }>();
  const faults: unknown[] = [];
  let state: 'there' | 'gone' | 'silent' = 'there';
  let asked = 0;
  const call = <T>(answer: () => T): Promise<T> => {
    asked++;
    if (state === 'silent') return new Promise(() => {});
    return state === 'gone' ? Promise.reject(new Error('gone')) : Promise.resolve(answer());
  };
  const isHeld = (key: string): boolean => (leases.get(key)?.untilMs ?? 0) > redisMs;
  /** As the script. */
  const lease = (key: string, value: string, ms: number): number => {
    if (!isHeld(key) || leases.get(key)?.value !== value) return 0;
    if (ms === 0) leases.delete(key);
    else leases.set(key, { value, untilMs: redisMs + ms });
    return 1;
  };
  const redis = {
    hset: (key: string, field: string, value: string) => call(() => hashes.set(key, { ...hashes.get(key), [field]: value })),
    hdel: (key: string, field: string) => call(() => Reflect.deleteProperty(hashes.get(key) ?? {}, field)),
    hget: (key: string, field: string) => call(() => hashes.get(key)?.[field] ?? null),
    hgetall: (key: string) => call(() => ({ ...hashes.get(key) })),
    pexpire: () => call(() => 1),
    evalsha: (_sha: string, _keys: number, ...args: (string | number)[]) =>
      call(() => lease(String(args[0]), String(args[1]), Number(args[2]))),
    eval: () => Promise.reject(new Error('it has the script')),
    set: (key: string, value: string, _unit: 'PX', ms: number) =>
      call(() => {
        if (isHeld(key)) return null;
        leases.set(key, { value, untilMs: redisMs + ms });
        return 'OK';
      }),
    time: () => call(() => [String(Math.floor(redisMs / 1000)), String((redisMs % 1000) * 1000)]),
  };
  const node = (startMs: number) => {
    const now = (): number => redisMs - startMs;
    const breaker = { failures: 1, windowMs: 10_000, openMs: 5_000 };
    const backend = {
      name: 'b',
      region: 'r',
      baseUrl: 'http://b',
      breaker,
      apiKeys: [new Secret('sk-secret-key')],
    } as unknown as Backend;
    const told: Promise<void>[] = [];
    const onFault = (fault: unknown): void => void faults.push(fault);
    const probing = new ProbeLeases(redis, onFault);
    const health: BackendHealth = new BackendHealth({
      now,
      random: () => 0,
      onChange: (event) => void told.push(shared.tell(event)),
      leases: probing,
      ...(isProbed === undefined ? {} : { isProbed }),
    });
    const shared = new SharedHealth({ redis, backends: () => [backend], health, now, onFault });
    const enter = () => health.enter({ backend, model: 'm' });
    const fail = async (pass: Pass, kind: ErrorName): Promise<void> => {
      pass.failed(new OpenAIError(kind, 'sk-secret-key', { retryAfterMs: 5_000 }));
      await Promise.all(told);
    };
    return {
      health,
      backend,
      shared,
      probing,
      enter,
      fail,
      end: async (kind: ErrorName | null): Promise<void> => {
        const pass = await enter();
        if (!(pass instanceof Pass)) throw pass;
        if (kind !== null) return fail(pass, kind);
        pass.answered();
        await Promise.all(told);
      },
    };
  };
  return {
    one: node(999_000),
    other: node(123),
    hashes,
    faults,
    asked: () => asked,
    wait: (ms: number) => {
      redisMs += ms;
    },
    set: (to: typeof state) => {
      state = to;
    },
    read: async (...all: { shared: SharedHealth }[]) => {
      for (const { shared } of all) await shared.read();
    },
  };
}
