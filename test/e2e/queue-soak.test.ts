import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfigFile } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { openSqlite } from '../../server/database/sqlite.ts';
import type { RunningRelay } from '../../server/main.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { VENDORS } from '../../translators/registry.ts';
import { freePort } from '../free-port.ts';
import { digestOf } from '../http/desk.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { checkWeather, compared, type FaultList, setWeather, soak, startNodes } from './soak.ts';

/**
 * Queues, accounts' own limits and learned ones under the same weather as backends that fail: two nodes on one Redis and one database, two
 * teams, 200 callers at a time for some thirty slots, three calls in ten failing by count. Afterwards the books are the vendors' count, the
 * auditor agrees with the levels, and nothing waits or is held.
 */
const CALLERS = 200;
const ROUNDS = 3;
/** Calls at a time that each account bears: twice what the relay is told, so that one too many by a moment is no refusal, but a missing limit is. */
const BORNE = { qwen: 12, ernie: 12 } as const;
const KEYS = { one: 'sk-test-one-0123456789', two: 'sk-test-two-0123456789' } as const;
const FAULTS: FaultList = [
  ['overload', {}],
  ['internal', {}],
  ['timeout', {}],
  ['reset', {}],
  ['html', { status: '502' }],
  ['cut', { bytes: '20' }],
  ['cut', { after: '2' }],
  ['garbage', { after: '1' }],
  ['end', { after: '0' }],
  ['mid-error', { after: '1' }],
];
/** Limits are learned of one account only: one that repeats its refusal is left alone for longer each time, and all three would stand still. */
const REFUSALS = [['rate-limit', {}]] as const;

describe.each(REDIS)('%s', () => {
  let redis: RedisServer;
  let simulator: Simulator;
  let place: string;
  let env: Record<string, string>;
  const nodes: RunningRelay[] = [];
  const records: RequestRecord[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    simulator = await startSimulator({ journalLimit: 20_000 });
    const { qwen, ernie, glm } = simulator.vendors;
    env = { QWEN: qwen?.key ?? '', ERNIE: ernie?.key ?? '', GLM: glm?.key ?? '', TOKEN: 'metrics-token-0123456789' };
    const more = `timeouts: { firstByteMs: 5000, wholeMs: 5000, idleMs: 5000 }, breaker: { failures: 20, windowMs: 10000, openMs: 200 }, queue: { max: 150, waitMs: 20000 }`;
    place = folder({});
    const text = `server: { port: 0, logLevel: silent, metrics: { token: 'env:TOKEN' } }
database: 'sqlite:${join(place, 'books.db')}'
redis: 'redis://127.0.0.1:${redis.port}'
backends:
  abroad: { vendor: glm, region: intl, baseUrl: '${glm?.regionUrls['intl']}', apiKey: 'env:GLM', queue: { max: 150, waitMs: 20000 } }
  qwen: { vendor: qwen, baseUrl: '${qwen?.baseUrl}', apiKey: 'env:QWEN', concurrency: 6, tpm: 100000000, ${more} }
  ernie: { vendor: ernie, baseUrl: '${ernie?.baseUrl}', apiKey: 'env:ERNIE', concurrency: 6, rpm: 6000, ${more} }
  glm: { vendor: glm, region: cn, baseUrl: '${glm?.baseUrl}', apiKey: 'env:GLM', ${more} }
  # Nobody listens there: its calls never leave.
  down: { vendor: qwen, baseUrl: 'http://127.0.0.1:${await freePort()}', apiKey: 'env:QWEN', concurrency: 6, retries: 0, breaker: { failures: 100000 }, queue: { max: 150, waitMs: 20000 } }
models:
  m: [abroad/glm-4.6, { to: down/qwen-plus, weight: 1 }, { to: qwen/qwen-plus, weight: 3 }, { to: ernie/ernie-4.5-turbo-128k, weight: 3 }, { to: glm/glm-4.6, weight: 3, thinking: 'off' }]
teams:
${Object.keys(KEYS)
  .map(
    (team) =>
      `  ${team}: { permit: { vendors: [qwen, ernie, glm], regions: ['cn*'] }, limits: { rpm: 1000000, tpm: 1000000000, concurrency: ${CALLERS}, budget: { amount: 1000, currency: CNY, per: month } } }`,
  )
  .join('\n')}
keys: [${Object.entries(KEYS).map(([name, key]) => `{ name: ${name}, team: ${name}, key: '${digestOf(key)}' }`)}]
`;
    writeFileSync(join(place, 'estafet.yaml'), text);
    const loaded = loadConfigFile(join(place, 'estafet.yaml'), { env, vendors: VENDORS });
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const { config } = loaded;
    nodes.push(...(await startNodes(config, records)));
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await cleanUp();
    await simulator?.close();
    await redis?.stop();
  });

  /** Values of a gauge, of all nodes and backends. */
  const gauge = async (name: string): Promise<number[]> => {
    const pages = await Promise.all(
      nodes.map(async ({ url }) => (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${env['TOKEN']}` } })).text()),
    );
    return pages.flatMap((page) => [...page.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'gm'))].map(([, value]) => Number(value)));
  };

  test('everyone is told the truth, and nothing is left over', { timeout: 90_000 }, async () => {
    setWeather(simulator, { qwen: FAULTS, ernie: FAULTS, glm: [...FAULTS, ...REFUSALS] });
    for (const vendor of ['qwen', 'ernie'] as const) simulator.setLimits(vendor, { concurrency: BORNE[vendor] });
    const told = await soak(
      nodes.map(({ url }) => url),
      Object.values(KEYS),
      CALLERS,
      ROUNDS,
    );
    const journal = simulator.journal();
    const answers = await compared(told, records, journal);
    const counts = {
      queued: records.filter(({ attempts }) => attempts.some(({ queuedMs }) => queuedMs !== undefined)).length,
      unreached: records.flatMap(({ attempts }) => attempts).filter(({ error }) => error === 'upstream_unreachable').length,
      // It has no limit but what has been learned of it.
      learned: records
        .flatMap(({ attempts }) => attempts)
        .filter(({ backend, error }) => backend === 'glm' && error === 'backend_limit_requests').length,
    };
    const context = checkWeather(told, journal, 0.95 * CALLERS * ROUNDS, counts);
    // The queues were used, and something was learned.
    expect(counts.queued, context).toBeGreaterThan(20);
    expect(counts.learned, context).toBeGreaterThan(0);
    expect(counts.unreached, context).toBeGreaterThan(20);
    // Nobody is turned away by a full backend who has not waited for it.
    expect(
      records.filter(({ refusedBy, attempts }) => refusedBy?.startsWith('backend.') && attempts.at(-1)?.queuedMs === undefined),
    ).toEqual([]);

    // No account was asked for more than it bears: whatever was refused was refused by the weather.
    expect(
      journal.filter(({ status, faults }) => status === 429 && !faults.some(({ name }) => name === 'rate-limit' || name === 'overload')),
    ).toEqual([]);

    // What the vendors counted for good answers is what the books have.
    const sum = (of: 'promptTokens' | 'completionTokens') =>
      [...answers.values()].reduce((all, answer) => all + (answer?.accounting?.[of] ?? Number.NaN), 0);
    const { db } = openSqlite({ path: join(place, 'books.db') });
    const booked = async () =>
      (
        await sql<{ lines: bigint; prompt: bigint; completion: bigint }>`select count(*) as lines, sum(prompt_tokens) as prompt,
          sum(completion_tokens) as completion from estafet_requests where reason = 'done'`.execute(db)
      ).rows.map(({ lines, prompt, completion }) => [lines, prompt, completion].map(Number));
    try {
      await expect.poll(booked, { timeout: 5_000 }).toEqual([[told.good.length, sum('promptTokens'), sum('completionTokens')]]);
    } finally {
      await db.destroy();
    }

    // Nobody waits, nothing is held, and the levels are what the books make them.
    expect(await gauge('estafet_backend_queue')).toEqual([]);
    expect(await gauge('estafet_backend_running')).toEqual(nodes.flatMap(() => [0, 0, 0, 0]));
    const store = new RedisStore(redis.connect(), { keepLines: false, spent: null });
    for (const owner of ['team/one', 'team/two', 'backend/qwen', 'backend/ernie', 'backend/down']) {
      await expect.poll(async () => (await store.levels(owner)).open, { timeout: 3_000, message: owner }).toEqual([]);
      // A bucket that holds nothing is none.
      const held = (await store.levels(owner)).buckets.get(`${owner}/concurrency`) ?? { used: 0 };
      expect(held, owner).toMatchObject({ used: 0 });
    }
    const audit = estafet(['audit', '--listen', '500ms'], env, place);
    expect(await audit.exit, audit.stdout + audit.stderr).toBe(0);
    expect(audit.stdout).toMatch(new RegExp(`^no drift: ${told.asked} lines`));
  });
});
