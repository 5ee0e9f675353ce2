import request from 'supertest';
import { afterAll, describe, expect, test } from 'vitest';
import { Secret } from '../../config/secret.ts';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';
import { type Check, ReadinessProbe } from '../../server/readiness.ts';
import { build } from '../../server/wiring.ts';
import { configOf, openSimulated } from '../http/desk.ts';

const never: Check = () => new Promise(() => undefined);
const fine: Check = async () => undefined;
const secret: Check = () => Promise.reject(new Error('postgres://me:password@db refused'));
const thrown: Check = () => {
  throw new Error('at once');
};

function probe(checks: Record<string, Check>) {
  const state = { now: 0, draining: false };
  const made = new ReadinessProbe({ checks, timeoutMs: 20, keptMs: 1000, draining: () => state.draining, now: () => state.now });
  return { state, ready: () => made.ready() };
}

test.each<[string, Record<string, Check>, object]>([
  ['all answer', { database: fine, redis: fine }, { status: 'ready', checks: { database: 'ok', redis: 'ok' } }],
  ['one fails', { database: secret, redis: fine }, { status: 'unready', checks: { database: 'fails', redis: 'ok' } }],
  ['one throws', { database: thrown }, { status: 'unready', checks: { database: 'fails' } }],
  ['one is silent', { database: fine, redis: never }, { status: 'unready', checks: { database: 'ok', redis: 'no answer' } }],
])('%s', async (_name, checks, expected) => expect(await probe(checks).ready()).toEqual(expected));

describe('many probes cost what one does', () => {
  const counted = () => {
    const count = { asked: 0 };
    return { count, ...probe({ database: async () => void count.asked++ }) };
  };

  test('at the same time', async () => {
    const { ready, count } = counted();
    await Promise.all(Array.from({ length: 50 }, ready));
    expect(count.asked).toBe(1);
  });

  test('within a second; then it asks again', async () => {
    const { ready, state, count } = counted();
    await ready();
    state.now = 999;
    await ready();
    expect(count.asked).toBe(1);
    state.now = 1000;
    await ready();
    expect(count.asked).toBe(2);
  });
});

test('a draining process asks nobody', async () => {
  const { ready, state } = probe({ database: never });
  state.draining = true;
  expect(await ready()).toEqual({ status: 'draining', checks: {} });
});

describe('GET /readyz', () => {
  const closing: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const close of closing) await close();
  });

  test('200 with a database and a backend, to anyone; no other word', async () => {
    const desk = await openSimulated();
    closing.push(desk.close);
    const answer = await fetch(`${desk.url}/readyz`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ready', checks: { database: 'ok', backends: 'ok' } });
  });

  const CONFIG = `backends: { q: { vendor: qwen, apiKey: 'env:Q' } }`;
  const ledger = (usage: () => Promise<never>) => ({
    open: async () => undefined,
    write: async () => 0,
    usage,
    prune: async () => 0,
    close: async () => undefined,
  });

  test('503 when the database fails, and nothing of why; liveness goes on', async () => {
    const failing = ledger(() => Promise.reject(new LedgerFault('the database postgres://me:password@db: refused')));
    const built = build(configOf(CONFIG, { Q: 'sk-q' }), { ledger: failing as never });
    closing.push(() => built.close(false));
    const answer = await request(built.app).get('/readyz');
    expect([answer.status, answer.text]).toEqual([503, '{"status":"unready","checks":{"database":"fails","backends":"ok"}}']);
    expect((await request(built.app).get('/healthz')).status).toBe(200);
    built.drain();
    expect((await request(built.app).get('/readyz')).body).toEqual({ status: 'draining', checks: {} });
    expect((await request(built.app).get('/readyz')).status).toBe(503);
  });

  test('503 when Redis is configured and not there', async () => {
    const config = configOf(`${CONFIG}\nredis: 'redis://user:password@127.0.0.1:1'\ndatabase: 'memory:'`, { Q: 'sk-q' });
    const built = build({ ...config, database: new Secret('memory:') });
    closing.push(() => built.close(false));
    await built.open();
    const answer = await request(built.app).get('/readyz');
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ status: 'unready', checks: { database: 'ok', backends: 'ok' } });
    expect(answer.body.checks.redis).not.toBe('ok');
    expect(answer.text).not.toContain('password');
  });
});
