import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptId } from '../../relay/exchange.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { type RunningRelay, startRelay } from '../../server/main.ts';
import { build } from '../../server/wiring.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { checkCompletion, checkErrorResponse, checkStream } from '../contract/openai-schema.ts';
import { configOf, digestOf, KEY } from '../http/desk.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';

/**
 * Two nodes on one Redis, three candidates that fail three times in ten in many ways, 200 callers at a time. Every caller gets a right
 * answer or a typed error; whoever answered is paid once; every slot comes back; and the backend that the team has no permit for, which
 * stands first in the list, never hears of anything.
 */
const CALLERS = 200;
const ROUNDS = 4;
/** Told to wait longer, a caller gives up. */
const PATIENCE_MS = 3_000;
const FAULTS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
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

/** Numbers from 0 to 1 that only look like chance. */
const chance = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

describe.each(REDIS)('%s', () => {
  let redis: RedisServer;
  let simulator: Simulator;
  const nodes: RunningRelay[] = [];
  const records: RequestRecord[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    simulator = await startSimulator({ journalLimit: 20_000 });
    const { qwen, ernie, glm } = simulator.vendors;
    const timeouts = 'timeouts: { firstByteMs: 2000, wholeMs: 2000, idleMs: 500 }, breaker: { failures: 20, windowMs: 10000, openMs: 200 }';
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
    for (const seed of [1, 2]) {
      nodes.push(await startRelay(config, build(config, { random: chance(seed), onSettled: (record) => void records.push(record) })));
    }
  });
  afterAll(async () => {
    for (const node of nodes) await node.stop();
    await simulator?.close();
    await redis?.stop();
  });

  test('every caller a right answer or a typed error; paid once; no slot lost; no forbidden packet', { timeout: 60_000 }, async () => {
    // Eleven of each vendor's 37 calls fail, each in a way of its own: by count, so that a busy machine sees the same weather.
    for (const vendor of ['qwen', 'ernie', 'glm'] as const) {
      for (const [place, [name, args]] of FAULTS.entries()) simulator.setFault({ name, args, vendor, every: 37, skip: 3 * place });
    }
    let good = 0;
    let asked = 0;
    /** Comes again when it is told to, as the SDKs do: twice at most. */
    const ask = async (number: number, left = 2): Promise<void> => {
      asked++;
      const stream = number % 2 === 0;
      const response = await fetch(`${nodes[Math.floor(number / 2) % 2]?.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: '[[sim:tokens n=8]] [[sim:slow chunkMs=5]]' }] }),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (stream && response.status === 200) {
        const { problems, error, done } = checkStream(bytes, { includeUsage: false });
        expect(problems).toEqual([]);
        expect(done).toBe(error === null);
        if (done) good++;
        return;
      }
      const body = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
      if (response.status === 200) {
        expect(checkCompletion(body)).toEqual([]);
        good++;
        return;
      }
      expect(checkErrorResponse(response.status, body)).toEqual([]);
      const wait = response.headers.get('retry-after-ms');
      if (left === 0 || wait === null || Number(wait) > PATIENCE_MS || response.headers.get('x-should-retry') === 'false') return;
      await sleep(Number(wait));
      await ask(number, left - 1);
    };
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(Array.from({ length: CALLERS }, (_, caller) => ask(round * CALLERS + caller)));
    }
    const total = CALLERS * ROUNDS;
    await expect.poll(() => records.length).toBe(asked);
    expect(new Set(records.map(({ id }) => id)).size).toBe(asked);
    const done = records.filter(({ reason }) => reason === 'done');
    expect(done).toHaveLength(good);
    const journal = simulator.journal();
    const failed = journal.filter(({ faults }) => faults.some(({ name }) => name !== 'slow'));
    // The weather was as bad as it should be, and most callers did not notice.
    expect(failed.length / journal.length).toBeGreaterThan(0.25);
    expect(good / total).toBeGreaterThan(0.7);

    expect(journal.filter(({ region }) => region === 'intl')).toEqual([]);
    // Each call that a vendor saw is an attempt of one record, and each answer is in the books once, to the token.
    const calls = new Map(journal.map((entry) => [entry.headers['x-request-id'], entry]));
    expect(calls.size).toBe(journal.length);
    const made = records.flatMap(({ attempts }) => attempts.filter(({ skipped }) => skipped !== true));
    expect(made).toHaveLength(journal.length);
    const booked = done.map(({ id, attempts, usage }) => {
      const call = calls.get(attemptId(id, attempts.at(-1)?.number ?? attempts.length - 1));
      expect(call?.vendor).toBe(attempts.at(-1)?.vendor);
      return [usage?.promptTokens, usage?.completionTokens, call?.accounting?.promptTokens, call?.accounting?.completionTokens];
    });
    expect(
      booked.filter(([prompt, completion, seenPrompt, seenCompletion]) => prompt !== seenPrompt || completion !== seenCompletion),
    ).toEqual([]);
    const store = new RedisStore(redis.connect(), { keepLines: false, spent: null });
    await expect.poll(async () => (await store.levels('team/t')).open, { timeout: 3_000 }).toEqual([]);
  });
});
