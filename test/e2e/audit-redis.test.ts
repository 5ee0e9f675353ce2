import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Limit, windowLaw } from '../../relay/quota/limits.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { entryOf, type Row } from '../../server/database/rows.ts';
import { openSqlite } from '../../server/database/sqlite.ts';
import { SqliteThread } from '../../server/database/sqlite-thread.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { childEnv } from '../child-env.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { ask, keyOf, stream, written } from './redis-rig.ts';

const LEASE_MS = 1_500;
const STREAMS = 50;
const TEAMS = {
  busy: {
    limits: { rpm: 6_000, tpm: 10_000_000, concurrency: 60, budget: { amount: 1_000, currency: 'CNY', per: 'month' } },
  },
  strict: { limits: { rpd: 2, concurrency: 10 } },
};

let redis: RedisServer;
let simulator: Simulator;
let place: string;
let store: RedisStore;
const nodes: ChildProcess[] = [];

beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  simulator = await startSimulator();
  const config = { ...(JSON.parse(written(simulator, redis.port, TEAMS)) as object), database: 'sqlite:books.db' };
  place = folder({ 'estafet.yaml': JSON.stringify(config) });
  store = new RedisStore(redis.connect(), { keepLines: 'expired', spent: null });
});
afterAll(async () => {
  for (const node of nodes) node.kill('SIGKILL');
  await cleanUp();
  await simulator?.close();
  await redis?.stop();
});

const ENV = () => ({ SIMULATED: simulator.vendors['qwen' as const]?.key ?? '', ...childEnv() });

async function node(): Promise<{ readonly url: string; end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> }> {
  const script = fileURLToPath(new URL('./mortal-relay.ts', import.meta.url));
  const child = spawn(process.execPath, [script, join(place, 'estafet.yaml'), String(LEASE_MS)], { cwd: place, env: ENV() });
  nodes.push(child);
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error(said)))]);
  const exited = once(child, 'exit');
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    child.kill(signal);
    await exited;
  };
  return { url: /listens on (\S+)/.exec(String(line))?.[1] ?? '', end };
}

const audit = async (...args: string[]) => {
  const run = estafet(['audit', '--listen', '500ms', ...args], ENV(), place);
  return { code: await run.exit, text: run.stdout, fault: run.stderr };
};
const books = <T>(query: (db: ReturnType<typeof openSqlite>['db']) => Promise<T>): Promise<T> => {
  const { db } = openSqlite({ path: join(place, 'books.db') });
  return query(db).finally(() => db.destroy());
};
const lines = (reason: string) =>
  books(
    async (db) =>
      (
        await sql<{ n: bigint; tokens: bigint }>`select count(*) as n, sum(completion_tokens) as tokens
    from estafet_requests where reason = ${reason}`.execute(db)
      ).rows[0],
  );
const held = async () => (await store.levels('team/busy')).buckets.get('team/concurrency');

describe.each(REDIS)('%s: the books and the levels agree', () => {
  test(`a node that dies under ${STREAMS} streams: slots come back, each is booked once, and nothing drifts`, {
    timeout: 120_000,
  }, async () => {
    const [dying, one, other] = await Promise.all([node(), node(), node()]);
    for (const { url } of [one, other, dying]) expect((await ask(url, 'busy')).status).toBe(200);
    const answers = await Promise.all(
      Array.from({ length: STREAMS }, (_, index) => stream(dying.url, 'busy', `[[sim:tokens n=1000]] [[sim:slow chunkMs=100]] ${index}`)),
    );
    const running = answers.map(async (answer) => {
      for await (const _ of answer);
    });
    const cut = Promise.allSettled(running);
    expect(await held()).toEqual({ kind: 'slots', used: STREAMS });
    // With every slot of a living node in use the auditor sees no drift either.
    expect(await audit()).toMatchObject({ code: 0, text: expect.stringMatching(/^no drift: /) });
    for (const of of ['--team', '--key']) {
      const told = estafet(['usage', '--json', of, 'busy'], ENV(), place);
      expect(await told.exit).toBe(0);
      expect(JSON.parse(told.stdout)).toMatchObject({
        requests: 3,
        open: { count: STREAMS, cost: { CNY: expect.any(String) } },
        open_unknown: null,
      });
    }
    await dying.end('SIGKILL');
    expect((await cut).every(({ status }) => status === 'rejected')).toBe(true);
    const died = performance.now();
    await expect.poll(held, { timeout: 10_000, interval: 50 }).not.toMatchObject({ used: STREAMS });
    expect(performance.now() - died).toBeLessThan(2 * LEASE_MS + 2_000);
    // Two nodes drain; whichever came first wrote them.
    await expect.poll(async () => Number((await lines('expired'))?.n ?? 0), { timeout: 10_000 }).toBe(STREAMS);
    await sleep(2 * LEASE_MS);
    expect(Number((await lines('expired'))?.n)).toBe(STREAMS);
    expect(await store.lines('team/busy', 10)).toEqual([]);
    const told = await fetch(`${one.url}/v1/estafet/usage`, { headers: { authorization: `Bearer ${keyOf('busy')}` } });
    expect(await told.json()).toMatchObject({ all: { requests: STREAMS + 3, expired_requests: STREAMS, estimated_requests: 0 } });
    // Neither free nor for ever: at the reserved amount, which is not below what the vendor had counted by then.
    const counted = simulator.usage().reduce((sum, { completionTokens }) => sum + completionTokens, 0);
    const all = await books((db) => sql<{ tokens: bigint }>`select sum(completion_tokens) as tokens from estafet_usage_hours`.execute(db));
    expect(Number(all.rows[0]?.tokens)).toBeGreaterThanOrEqual(counted);
    const quiet = await audit();
    expect(quiet).toMatchObject({ code: 0, text: expect.stringMatching(/^no drift: /) });
    await Promise.all([one.end('SIGTERM'), other.end('SIGTERM')]);
  });

  test('killed between its line and its settlement: the others settle it by the line', { timeout: 120_000 }, async () => {
    const { url, end } = await node();
    expect((await ask(url, 'busy')).status).toBe(200);
    const window = [...(await store.levels('team/busy')).buckets].find(([name]) => name.includes('budget'));
    const spent = async () => {
      const state = (await store.levels('team/busy')).buckets.get(window?.[0] ?? '');
      return state?.kind === 'window' ? state.used : Number.NaN;
    };
    const [own] = await books((db) =>
      sql<Row>`select * from estafet_requests where reason = 'done' limit 1`.execute(db).then(({ rows }) => rows),
    );
    const truth = { ...entryOf(own as Row), id: 'req_killed', atMs: Date.now(), team: 'busy', key: 'busy' };
    const about = [1, truth.atMs, 'chat.completions', 'busy', 'busy', 'gpt-4o', 'qwen-plus', 'qwen', 'qwen', 'cn-beijing', 0, 30, 70];
    const priced = [...about, 5_000_000_000, 'CNY', 'https://example.com', '2026-11-01', 'official'];
    const limit: Limit = {
      name: 'team.budget',
      bucket: 'team/budget.month.cny',
      measure: 'nanoCny',
      law: windowLaw(1_000_000_000_000, 'month', 'UTC'),
    };
    const before = await spent();
    const demands = [{ limit, amount: 5_000_000_000 }];
    const reserved = { id: truth.id, owner: 'team/busy', demands, leaseMs: LEASE_MS, about: JSON.stringify(priced) };
    expect(await store.reserve(reserved)).toMatchObject({ ok: true });
    expect(await spent()).toBe(before + 5_000_000_000);
    const written = new SqliteThread({ path: join(place, 'books.db') });
    await written.open();
    expect(await written.write([truth])).toBe(1);
    await written.close();
    await expect.poll(spent, { timeout: 20_000 }).toBe(before + (truth.costNano ?? 0));
    expect(await audit()).toMatchObject({ code: 0, text: expect.stringMatching(/^no drift: /) });
    await end('SIGTERM');
  });

  test('under load, while requests begin and end, and right after a relay stopped, there is no drift', { timeout: 120_000 }, async () => {
    const { url, end } = await node();
    let stop = false;
    const load = Array.from({ length: 4 }, async () => {
      while (!stop) await ask(url, 'busy');
    });
    const report = await audit('--json');
    stop = true;
    await Promise.all(load);
    await end('SIGTERM');
    expect(JSON.parse(report.text)).toMatchObject({ ok: true, drifts: [] });
    expect(JSON.parse((await audit('--json')).text)).toMatchObject({ ok: true, drifts: [] });
  });

  test('refusals are told by limit, in the books and by the command', { timeout: 120_000 }, async () => {
    const { url, end } = await node();
    for (const status of [200, 200, 429, 429]) expect((await ask(url, 'strict')).status).toBe(status);
    await end('SIGTERM');
    const rows = await books((db) =>
      sql`select refused_by, held_by from estafet_requests where team = 'strict' order by at_ms`.execute(db),
    );
    expect(rows.rows).toEqual([
      { refused_by: null, held_by: 'store' },
      { refused_by: null, held_by: 'store' },
      { refused_by: 'team.rpd', held_by: null },
      { refused_by: 'team.rpd', held_by: null },
    ]);
  });

  describe('what was changed by hand is named', () => {
    const KEY = 'estafet:{team/busy}:levels';
    // What was admitted a short while ago says that no rate was in debt then.
    beforeAll(async () => {
      if (REDIS.length === 0) return;
      const { url, end } = await node();
      await ask(url, 'busy');
      await end('SIGTERM');
    }, 30_000);
    const level = async (bucket: RegExp): Promise<string> => {
      const name = [...(await store.levels('team/busy')).buckets.keys()].find((one) => bucket.test(one));
      if (name === undefined) throw new Error(`no ${bucket}`);
      return name;
    };
    const double = (value: number): Buffer => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    };
    /** Writes one number of a bucket as the scripts pack it, and puts it back afterwards. */
    async function tampered(bucket: RegExp, offset: number, value: (before: number) => number, check: (name: string) => Promise<void>) {
      const name = await level(bucket);
      const client = redis.connect();
      const before = (await client.hgetBuffer(KEY, name)) as Buffer;
      const after = Buffer.from(before);
      double(value(before.readDoubleLE(offset))).copy(after, offset);
      await client.hset(KEY, name, after);
      await check(name);
      await client.hset(KEY, name, before);
    }

    test.each([
      { what: 'a budget', bucket: /budget/, offset: 8, value: (used: number) => used - 5 },
      { what: 'a rate', bucket: /tpm/, offset: 8, value: () => -30_000_000_000_000 },
    ])('$what in Redis', { timeout: 120_000 }, async ({ bucket, offset, value }) => {
      await tampered(bucket, offset, value, async (name) => {
        const found = await audit('--team', 'busy');
        expect(found.code).toBe(1);
        expect(found.text).toContain(`drift: team/busy ${name}: expected `);
        expect(found.text).toContain('1 drift: ');
      });
      expect((await audit('--team', 'busy')).code).toBe(0);
    });

    test('slots that nobody holds', { timeout: 120_000 }, async () => {
      const client = redis.connect();
      await client.hset(KEY, 'team/concurrency', Buffer.concat([double(2), double(7)]));
      const { code, text } = await audit();
      expect(code).toBe(1);
      expect(text).toContain('drift: team/busy team/concurrency: expected 0, found 7 (+7)');
      await client.hdel(KEY, 'team/concurrency');
    });

    test('a line that was deleted, and a sum that was changed', { timeout: 120_000 }, async () => {
      await books((db) =>
        sql`delete from estafet_requests where id = (select min(id) from estafet_requests where reason = 'expired')`.execute(db),
      );
      const { code, text } = await audit();
      expect(code).toBe(1);
      expect(text).toMatch(/drift: 20\S+Z busy busy qwen-plus qwen CNY requests: expected \d+, found \d+ \(\+1\)/);
      expect(text).toMatch(/drift: team\/busy team\/budget\.month\.cny@\d+: expected/);
    });
  });

  test('what cannot be reached is one line and exit code 1', { timeout: 120_000 }, async () => {
    const config = JSON.parse(written(simulator, redis.port, TEAMS)) as Record<string, unknown>;
    const without = folder({
      'estafet.yaml': JSON.stringify({ ...config, database: 'sqlite:none.db' }),
      'gone.yaml': JSON.stringify({ ...config, database: `sqlite:${join(place, 'books.db')}`, redis: 'redis://127.0.0.1:1' }),
    });
    const noBooks = estafet(['audit'], ENV(), without);
    expect(await noBooks.exit).toBe(1);
    expect(noBooks.stderr).toMatch(/^estafet: there are no books at [^\n]+\n$/);
    const noRedis = estafet(['audit', '-c', 'gone.yaml'], ENV(), without);
    expect(await noRedis.exit).toBe(1);
    expect(noRedis.stderr).toBe('estafet: Redis cannot be reached: nothing listens there\n');
  });
});
