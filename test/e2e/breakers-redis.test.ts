import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { ask, type RedisRig, startRedisRig } from './redis-rig.ts';

let redis: RedisServer;
let rig: RedisRig;

beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  rig = await startRedisRig(redis.port, { apps: {} });
});
afterAll(async () => {
  await rig?.close();
  await redis?.stop();
});

describe.each(REDIS)('%s: two relays', () => {
  test('of two hundred requests when a backend may be probed exactly one reaches it', async () => {
    const backend = { breaker: { failures: 1, windowMs: 60_000, openMs: 500 } };
    const urls = [(await rig.relay(undefined, backend)).url, (await rig.relay(undefined, backend)).url];
    const asked = (): number => rig.simulator.journal().length;
    rig.simulator.setFault({ name: 'reset', vendor: 'qwen', times: 2 });
    // A backend that says nothing keeps its probe under way, and all others must be answered meanwhile.
    rig.simulator.setFault({ name: 'silent', vendor: 'qwen', skip: 2 });
    for (const url of urls) expect((await ask(url, 'apps')).code).toBe('upstream_truncated');
    expect(asked()).toBe(2);

    let sent = 0;
    let refused = 0;
    const round = async (): Promise<void> => {
      for (let number = 0; number < 200; number++) {
        sent++;
        ask(urls[number % 2] as string, 'apps').then(
          ({ code }) => {
            if (code === 'upstream_truncated') refused++;
          },
          // The probe, which the end of the test ends.
          () => undefined,
        );
      }
      const probing = asked() - 2;
      await expect.poll(() => refused >= sent - Math.max(1, probing), { timeout: 20_000, interval: 10 }).toBe(true);
    };
    while (asked() === 2) await round();
    for (let more = 0; more < 3; more++) await round();
    expect(asked()).toBe(3);
    expect(refused).toBe(sent - 1);

    const client = redis.connect();
    const [lease] = await client.keys('estafet:probe:*');
    const ttl = await client.pttl(lease as string);
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(5_000);
  }, 60_000);
});
