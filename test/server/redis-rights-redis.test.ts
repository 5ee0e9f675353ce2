import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../config/config.ts';
import { redisAddress } from '../../config/redis-address.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { configuredLimits, type Limit } from '../../relay/quota/limits.ts';
import { NodeCount } from '../../relay/quota/node-count.ts';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { StoreBreaker } from '../../relay/quota/store-breaker.ts';
import { ProbeLeases } from '../../relay/routing/probe-leases.ts';
import { SharedHealth } from '../../relay/routing/shared-health.ts';
import { type RedisConnection, redisConnection } from '../../server/redis-connection.ts';
import { ask, startRedisRig, statuses } from '../e2e/redis-rig.ts';
import { REDIS_KINDS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';

/** The user of the guide, with exactly the rights that stand there, and a password of characters that mean something elsewhere. */
const GUIDE = readFileSync(new URL('../../docs/guide/redis.md', import.meta.url), 'utf8');
const RIGHTS = /^ACL SETUSER estafet on >\S+ (~estafet:\* .*)$/m.exec(GUIDE)?.[1]?.split(' ') ?? [];
const COMMANDS = RIGHTS.filter((right) => right.startsWith('+')).map((right) => right.slice(1));
const PASSWORD = `a:b@c/d?e#f%g%20h&i+j=ü"'\\ \``;
const LIMITS = configuredLimits(
  { kind: 'team', team: 't' },
  { rpm: 5, tpm: 1000, concurrency: 5, budget: { amount: 1, currency: 'CNY', per: 'month' } },
  'UTC',
);
const [MANY] = configuredLimits({ kind: 'team', team: 'many' }, { concurrency: 130 }, 'UTC') as [Limit];

describe.each(REDIS_KINDS)('%s', (_, binary) => {
  let server: RedisServer;
  let admin: Redis;
  const ends: (() => unknown)[] = [];
  const opened: RedisConnection[] = [];

  beforeAll(async () => {
    server = await startRedis([], undefined, 'redis', binary);
    admin = server.connect();
    ends.push(() => server.stop());
  });
  afterEach(() => {
    for (const { close } of opened.splice(0)) close();
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });

  const grant = (name: string, rights: readonly string[]) => admin.call('ACL', 'SETUSER', name, 'reset', 'on', `>${PASSWORD}`, ...rights);
  const addressOf = (name: string) => `redis://${name}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}`;

  function connect(name: string): RedisConnection & { readonly store: RedisStore } {
    const address = redisAddress(addressOf(name));
    if ('fault' in address) throw new Error(address.fault);
    const connection = redisConnection(address, () => {});
    opened.push(connection);
    connection.start();
    return { ...connection, store: new RedisStore(connection.client, { keepLines: true, spent: null }) };
  }

  const reserve = (store: RedisStore, id: string, leaseMs = 60_000) =>
    store.reserve({ id, owner: 'team/t', demands: LIMITS.map((limit) => ({ limit, amount: 1 })), leaseMs, about: 'x' });
  const denied = async () => (await admin.call('ACL', 'LOG')) as unknown[];
  const carriedOut = async (): Promise<string[]> =>
    [...(await admin.info('commandstats')).matchAll(/^cmdstat_([a-z]+)/gm)].map((match) => match[1] as string);

  test('all that the relay does with Redis needs the rights of the guide, and every one of them', async () => {
    await grant('estafet', RIGHTS);
    await admin.call('ACL', 'LOG', 'RESET');
    await admin.call('CONFIG', 'RESETSTAT');
    const faults: unknown[] = [];
    const onFault = (fault: unknown) => void faults.push(fault);
    const { client, store } = connect('estafet');
    await client.ping();

    await store.listen('team/t', 60_000);
    expect(await reserve(store, 'a')).toMatchObject({ ok: true });
    await reserve(store, 'b', 1);
    await reserve(store, 'c');
    await store.renew('team/t', ['a', 'c'], 60_000);
    await store.settle({
      id: 'a',
      owner: 'team/t',
      actual: { requests: 1, tokens: 2, nanoCny: 1, nanoUsd: 0 },
      reason: 'done',
      source: 'vendor',
      about: 'x',
    });
    await store.release('team/t', 'c');
    await store.sweep('team/t');
    await store.levels('team/t');
    const lines = await store.lines('team/t', 100);
    await store.listen('team/t', 0);
    await store.dropLines(
      'team/t',
      lines.map(({ line }) => line),
    );

    // More leases than are looked at to say when there is room again.
    const slots = (id: string, amount: number) =>
      store.reserve({ id, owner: 'team/many', demands: [{ limit: MANY, amount }], leaseMs: 60_000, about: 'x' });
    await Promise.all(Array.from({ length: 130 }, (_, place) => slots(`m${place}`, 1)));
    expect(await slots('all', 130)).toMatchObject({ ok: false });

    const count = new NodeCount({ redis: client, breaker: new StoreBreaker({ timeoutMs: 5000, pauseMs: 500 }), onFault });
    count.start();
    await expect.poll(() => count.nodes).toBe(1);
    await count.stop();

    const backends = () => [{ name: 'b' } as Backend];
    const health = new SharedHealth({ redis: client, backends, health: { adopt: () => {}, drop: () => {} }, now: Date.now, onFault });
    await health.read();
    const opening = {
      backend: 'b',
      cause: 'failure',
      at: 'failure',
      openMs: 1000,
      error: new OpenAIError('upstream_timeout', 'x'),
    } as const;
    await health.tell({ ...opening, state: 'open' } as Parameters<SharedHealth['tell']>[0]);
    await health.read();
    await health.tell({ ...opening, state: 'closed' } as Parameters<SharedHealth['tell']>[0]);
    const leases = new ProbeLeases(client, onFault);
    expect((await leases.claim('b', 'failure')).kind).toBe('granted');
    await leases.renew();
    await leases.giveBack('b', 'failure');

    expect(faults).toEqual([]);
    expect(await denied()).toEqual([]);
    // Of this test, and what every user may.
    const others = ['acl', 'config', 'auth'];
    expect((await carriedOut()).filter((command) => !others.includes(command)).sort()).toEqual([...COMMANDS].sort());
  });

  test('a whole relay with that user, on a limit of 20: exactly 20', async () => {
    await grant('estafet', RIGHTS);
    await admin.call('ACL', 'LOG', 'RESET');
    const rig = await startRedisRig(addressOf('estafet'), { t: { limits: { rpd: 20, concurrency: 50 } } });
    ends.push(() => rig.close());
    const { url } = await rig.relay();
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: 5000 }).toBe(200);
    expect(statuses(await Promise.all(Array.from({ length: 30 }, () => ask(url, 't'))))).toEqual({ 200: 20, 429: 10 });
    expect(await denied()).toEqual([]);
  });

  test.each<[what: string, rights: (right: string) => readonly string[], says: RegExp]>([
    ['no scripts', (right) => (right === '+eval' || right === '+evalsha' ? [] : [right]), /NOPERM .*'evalsha'/],
    ['a command inside the scripts', (right) => (right === '+hmget' ? [] : [right]), /ACL LOG of the server names what it lacks/],
    [
      'other keys',
      (right) => (right.startsWith('~') ? ['~other:*'] : [right]),
      /(?:NOPERM|[Nn]o permissions? to access a key|can't access at least one of the keys).*; ACL LOG of the server/,
    ],
  ])('a right that is missing, %s: 503, and the line in the log says what to look for, without the password', async (_, rights, says) => {
    await grant('narrow', RIGHTS.flatMap(rights));
    const { store, told, client } = connect('narrow');
    await client.ping();
    const line = await reserve(store, 'x').then(() => 'it works', told);
    expect(line).toMatch(says);
    expect(line).not.toMatch(/a:b@c|\n/);
    const rig = await startRedisRig(addressOf('narrow'), { t: { limits: { rpd: 20 } } });
    const answer = await ask((await rig.relay()).url, 't');
    expect([answer.status, answer.code]).toEqual([503, 'quota_unavailable']);
    expect(rig.reached()).toBe(0);
    // A relay with something to tell Redis tries to the last.
    await grant('narrow', RIGHTS);
    await rig.close();
  });
});
