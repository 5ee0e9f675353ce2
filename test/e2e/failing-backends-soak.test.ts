import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import type { RunningRelay } from '../../server/main.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { configOf, digestOf, KEY } from '../http/desk.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { checkWeather, compared, type FaultList, setWeather, soak, startNodes } from './soak.ts';

/**
 * Two nodes on one Redis, three candidates that fail three times in ten in many ways, 200 callers at a time. Every caller gets a right
 * answer or a typed error; whoever answered is paid once; every slot comes back; and the backend that the team has no permit for, which
 * stands first in the list, never hears of anything.
 */
const CALLERS = 200;
const ROUNDS = 4;
const FAULTS: FaultList = [
  ['overload', {}],
  ['internal', {}],
  ['rate-limit', {}],
  ['reset', {}],
  ['html', { status: '502' }],
  ['cut', { bytes: '20' }],
  ['cut', { after: '2' }],
  ['garbage', { after: '1' }],
  ['end', { after: '0' }],
  ['stall', { after: '1' }],
  ['mid-error', { after: '1' }],
];

describe.each(REDIS)('%s', () => {
  let redis: RedisServer;
  let simulator: Simulator;
  const nodes: RunningRelay[] = [];
  const records: RequestRecord[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    simulator = await startSimulator({ journalLimit: 20_000 });
    const { qwen, ernie, glm } = simulator.vendors;
    const timeouts =
      'timeouts: { firstByteMs: 5000, wholeMs: 5000, idleMs: 2000 }, breaker: { failures: 20, windowMs: 10000, openMs: 200 }';
    const config = configOf(
      `server: { port: 0, logLevel: silent }
database: 'memory:'
redis: 'redis://127.0.0.1:${redis.port}'
backends:
  abroad: { vendor: glm, region: intl, baseUrl: '${glm?.regionUrls['intl']}', apiKey: 'env:GLM' }
  qwen: { vendor: qwen, baseUrl: '${qwen?.baseUrl}', apiKey: 'env:QWEN', ${timeouts} }
  ernie: { vendor: ernie, baseUrl: '${ernie?.baseUrl}', apiKey: 'env:ERNIE', ${timeouts} }
  glm: { vendor: glm, region: cn, baseUrl: '${glm?.baseUrl}', apiKey: 'env:GLM', ${timeouts} }
models:
  m: [abroad/glm-4.6, { to: qwen/qwen-plus, weight: 1 }, { to: ernie/ernie-4.5-turbo-128k, weight: 1 }, { to: glm/glm-4.6, weight: 1, thinking: 'off' }]
teams:
  t: { permit: { vendors: [qwen, ernie, glm], regions: ['cn*'] }, limits: { rpm: 1000000, tpm: 1000000000, concurrency: ${CALLERS} } }
keys: [{ name: k, team: t, key: '${digestOf(KEY)}' }]
`,
      { QWEN: qwen?.key ?? '', ERNIE: ernie?.key ?? '', GLM: glm?.key ?? '' },
    );
    nodes.push(...(await startNodes(config, records)));
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await simulator?.close();
    await redis?.stop();
  });

  test('every caller a right answer or a typed error; paid once; no slot lost; no forbidden packet', { timeout: 60_000 }, async () => {
    setWeather(simulator, { qwen: FAULTS, ernie: FAULTS, glm: FAULTS });
    const told = await soak(
      nodes.map(({ url }) => url),
      [KEY],
      CALLERS,
      ROUNDS,
    );
    const journal = simulator.journal();
    // Each answer is in the books once, to the token.
    const answers = await compared(told, records, journal);
    expect(
      records.filter(({ id, usage }) => {
        const counted = answers.get(id)?.accounting;
        return answers.has(id) && (usage?.promptTokens !== counted?.promptTokens || usage?.completionTokens !== counted?.completionTokens);
      }),
    ).toEqual([]);
    checkWeather(told, journal, 0.85 * CALLERS * ROUNDS);
    const store = new RedisStore(redis.connect(), { keepLines: false, spent: null });
    await expect.poll(async () => (await store.levels('team/t')).open, { timeout: 3_000 }).toEqual([]);
  });
});
