import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisStore } from '../../relay/quota/redis-store.ts';
import { REDIS, type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { ask, keyOf, type RedisRig, startRedisRig, statuses, stream } from './redis-rig.ts';

/** Two relays on one Redis, in front of one simulator. Each team has one key of its name and is used by one test. */
const TEAMS = {
  shared: { limits: { rpd: 30 } },
  slots: { limits: { concurrency: 4 } },
  money: { limits: { budget: { amount: 0.02, currency: 'CNY', per: 'month' } } },
  flushed: { limits: { rpd: 60, concurrency: 50 } },
  headers: { limits: { rpm: 60, tpm: 60_000 } },
  minute: { limits: { rpm: 2 } },
  daily: { limits: { rpd: 1 } },
  spent: { limits: { budget: { amount: 0.000_001, currency: 'CNY', per: 'month' } } },
  small: { limits: { tpm: 100, outputReserve: 50 } },
};
const LIMIT_HEADERS = ['limit', 'remaining', 'reset'].flatMap((part) => ['requests', 'tokens'].map((of) => `x-ratelimit-${part}-${of}`));

let redis: RedisServer;
let rig: RedisRig;
let one: string;
let two: string;
let store: RedisStore;

beforeAll(async () => {
  if (REDIS.length === 0) return;
  redis = await startRedis();
  rig = await startRedisRig(redis.port, TEAMS);
  one = (await rig.relay()).url;
  two = (await rig.relay()).url;
  store = new RedisStore(redis.connect(), { keepLines: false, spent: null });
});
afterAll(async () => {
  await rig?.close();
  await redis?.stop();
});

/** As many requests at once, in turn to each of the relays. */
const many = (team: string, count: number, urls: readonly string[]) =>
  Promise.all(Array.from({ length: count }, (_, place) => ask(urls[place % urls.length] as string, team)));

const open = async (team: string) => (await store.levels(`team/${team}`)).open.length;

describe.each(REDIS)('%s: two relays', () => {
  test('of 80 at once against 30 a day exactly 30 are admitted in all, and only they reach the vendor', async () => {
    rig.reached();
    expect(statuses(await many('shared', 80, [one, two]))).toEqual({ 200: 30, 429: 50 });
    expect(rig.reached()).toBe(30);
    await expect.poll(() => open('shared')).toBe(0);
  });

  test('slots are held for both, and free for both when a stream ends or its caller leaves', async () => {
    const running = await Promise.all([one, two, one, two].map((url) => stream(url, 'slots', '[[sim:stall after=1]]')));
    for (const url of [one, two]) {
      const refused = await ask(url, 'slots');
      expect([refused.status, refused.headers.get('x-estafet-limit')]).toEqual([429, 'team.concurrency']);
    }
    running[0]?.controller.abort();
    await expect.poll(async () => (await ask(two, 'slots')).status, { timeout: 5000 }).toBe(200);
    for (const { controller } of running) controller.abort();
    await expect.poll(() => open('slots'), { timeout: 5000 }).toBe(0);
  });

  test('a budget is one for both: what is used stays within it', async () => {
    const prices = await many('money', 1, [one]);
    expect(statuses(prices)).toEqual({ 200: 1 });
    const { buckets } = await store.levels('team/money');
    const [window] = [...buckets.values()];
    expect(window?.kind).toBe('window');
    // A request reserves 2 output tokens; 2,000 long prompts would cost more than the budget.
    const long = 'word '.repeat(2000);
    const answers = [];
    for (let round = 0; round < 10; round++)
      answers.push(...(await Promise.all([one, two, one, two].map((url) => ask(url, 'money', long)))));
    expect(answers.some(({ code }) => code === 'insufficient_quota')).toBe(true);
    await expect.poll(() => open('money')).toBe(0);
    const [after] = [...(await store.levels('team/money')).buckets.values()];
    if (after?.kind !== 'window') throw new Error('no window');
    expect(after.used).toBeLessThanOrEqual(20_000_000);
    expect(after.used).toBeGreaterThan(10_000_000);
  });

  test('SCRIPT FLUSH again and again under load admits exactly as many', async () => {
    const admin = redis.connect();
    let flushing = true;
    const flusher = (async () => {
      while (flushing) await admin.script('FLUSH');
    })();
    const answers = await many('flushed', 90, [one, two]);
    flushing = false;
    await flusher;
    // Slots refuse some when all come at once: they never take from the day.
    const counts = statuses(answers);
    expect((counts[200] ?? 0) + (counts[429] ?? 0)).toBe(90);
    const rest = [];
    while (rest.length < 90 && (rest.at(-1)?.headers.get('x-estafet-limit') ?? '') !== 'team.rpd') rest.push(await ask(one, 'flushed'));
    expect((counts[200] ?? 0) + (statuses(rest)[200] ?? 0)).toBe(60);
    await expect.poll(() => open('flushed')).toBe(0);
  });
});

/** A wait as OpenAI writes it, in ms. */
function milliseconds(text: string): number {
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) sum += Number(count) * (units[unit as string] ?? Number.NaN);
  return sum;
}

describe.each(REDIS)('%s: what a caller sees', () => {
  /** Attempts of the official SDK, which asks again by itself where that helps. */
  async function attempts(team: string, content = 'x'): Promise<number> {
    let count = 0;
    const client = new OpenAI({
      baseURL: `${one}/v1`,
      apiKey: keyOf(team),
      maxRetries: 2,
      fetch: (input, init) => {
        count++;
        return fetch(input, init);
      },
    });
    const call = client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content }] });
    await expect(call).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    return count;
  }

  test('six headers; reset is the used part of the window, cut to whole ms', async () => {
    const { headers } = await ask(one, 'headers');
    for (const name of LIMIT_HEADERS) expect(headers.get(name), name).not.toBeNull();
    expect(headers.get('x-ratelimit-limit-requests')).toBe('60');
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('59');
    expect(headers.get('x-ratelimit-reset-requests')).toBe('1s');
    // 60,000 a minute are one a ms.
    const used = 60_000 - Number(headers.get('x-ratelimit-remaining-tokens'));
    expect(used).toBeGreaterThan(0);
    expect(headers.get('x-ratelimit-reset-tokens')).toBe(`${used}ms`);
    const next = await ask(two, 'headers');
    expect(Number(next.headers.get('x-ratelimit-remaining-requests'))).toBe(58);
  });

  test('over a minute’s limit: 429 with a true wait in whole seconds, in ms, and in words', async () => {
    await ask(one, 'minute');
    await ask(two, 'minute');
    const refused = await ask(one, 'minute');
    expect([refused.status, refused.code]).toEqual([429, 'rate_limit_exceeded']);
    const waitMs = Number(refused.headers.get('retry-after-ms'));
    expect(refused.headers.get('retry-after')).toBe(`${Math.max(1, Math.ceil(waitMs / 1000))}`);
    expect(Math.abs(milliseconds(/try again in (\S+?)\.$/.exec(refused.message)?.[1] ?? '') - waitMs)).toBeLessThanOrEqual(1);
    expect(refused.headers.get('x-should-retry')).toBeNull();
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
  });

  test('a wait of more than a minute is told with its true length, and not to wait for it', async () => {
    expect((await ask(one, 'daily')).status).toBe(200);
    const refused = await ask(two, 'daily');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
    expect(refused.headers.get('x-should-retry')).toBe('false');
    expect(await attempts('daily')).toBe(1);
  });

  test('a budget too small, and a request larger than the whole limit: one attempt, no wait', async () => {
    const poor = await ask(one, 'spent');
    expect([poor.status, poor.code, poor.headers.get('x-should-retry')]).toEqual([429, 'insufficient_quota', 'false']);
    expect(await attempts('spent')).toBe(1);
    const long = 'word '.repeat(1000);
    const large = await ask(one, 'small', long);
    expect([large.status, large.code]).toEqual([429, 'rate_limit_exceeded']);
    expect(large.message).toMatch(/^Request too large for gpt-4o/);
    expect([large.headers.get('retry-after'), large.headers.get('x-should-retry')]).toEqual([null, 'false']);
    expect(await attempts('small', long)).toBe(1);
  });
});
