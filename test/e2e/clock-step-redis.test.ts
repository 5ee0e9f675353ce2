import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { cleanUp, folder } from '../server/process.ts';
import { ask, written } from './redis-rig.ts';
import { type RelayNode, startNode } from './relay-node.ts';

/** The calendar of a node jumps by an hour, either way, as often as it likes: limits are those of a clock that does not (R9). */
const HOUR_MS = 3_600_000;
const TEAMS = {
  forward: { limits: { rpm: 1 } },
  back: { limits: { rpm: 1 } },
  spent: { limits: { budget: { amount: 0.00001, currency: 'CNY', per: 'hour' } } },
};

let redis: RedisServer | null = null;
let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
  if (REDIS.length > 0) redis = await startRedis();
});
afterAll(async () => {
  await cleanUp();
  await redis?.stop();
  await simulator.close();
});

describe.each([...REDIS, 'the process itself'])('limits in %s', (place) => {
  let node: RelayNode;
  beforeAll(async () => {
    const { redis: url, ...config } = JSON.parse(written(simulator, redis?.port ?? 1, TEAMS)) as Record<string, unknown>;
    const cwd = folder({ 'estafet.json': JSON.stringify(place === 'Redis' ? { ...config, redis: url } : config) });
    node = await startNode({ file: 'estafet.json', cwd, env: { SIMULATED: simulator.vendors['qwen']?.key ?? '' } });
  });
  afterAll(async () => {
    expect(await node?.end('SIGTERM')).toBe(0);
  });

  test.each([
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ] as const)(
    'steps, first %s, grant nothing and lock nothing: what is told of waiting grows less as true time passes',
    async (team, step) => {
      await node.clock(0);
      const beganAt = performance.now();
      expect((await ask(node.url, team)).status).toBe(200);
      const servedBy = performance.now();
      for (const aheadMs of [0, step, 0, -step, step, step + HOUR_MS]) {
        const believed = await node.clock(aheadMs);
        expect(Math.abs(believed - Date.now() - aheadMs)).toBeLessThan(HOUR_MS / 2);
        const askedAt = performance.now();
        const { status, headers } = await ask(node.url, team);
        const told = Number(headers.get('retry-after-ms'));
        expect(status).toBe(429);
        // A minute after the one that was served; the rest is what this test knows of when that was, and rounding.
        expect(told).toBeLessThanOrEqual(60_001 - (askedAt - servedBy));
        expect(told).toBeGreaterThanOrEqual(59_999 - (performance.now() - beganAt));
        expect(Number(headers.get('retry-after'))).toBe(Math.ceil(told / 1000));
      }
    },
  );

  // A process by itself has no other calendar than its own.
  if (place !== 'Redis') return;
  test('a budget of this hour that is spent stays spent, whatever hour the node believes it is', async () => {
    await node.clock(0);
    let last = await ask(node.url, 'spent');
    for (let calls = 0; calls < 100 && last.status === 200; calls++) last = await ask(node.url, 'spent');
    const seconds = (headers: Headers): number => Number(headers.get('retry-after'));
    const before = [last.status, last.code];
    const untilNext = seconds(last.headers);
    for (const aheadMs of [HOUR_MS, -HOUR_MS, 0]) {
      await node.clock(aheadMs);
      for (let calls = 0; calls < 3; calls++) {
        const { status, code, headers } = await ask(node.url, 'spent');
        // Unless the true hour ends just now.
        if (untilNext < 60) continue;
        expect([status, code]).toEqual(before);
        expect(Math.abs(seconds(headers) - untilNext)).toBeLessThan(60);
      }
    }
    expect(before).toEqual([429, 'insufficient_quota']);
  });
});
