import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../config/secret.ts';
import { startRelay } from '../../server/main.ts';
import { samplesOf, totalOf } from '../server/telemetry/exposition.ts';
import { chat, configOf, digestOf, HELLO, KEY, openRelay, openSimulated, type SimulatedDesk } from './desk.ts';

const TOKEN = 'metrics-token-0123456789';
const BACKEND = `backends: { q: { vendor: qwen, apiKey: 'env:Q' } }\n`;
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

function relayWith(metrics: string) {
  return configOf(`server: { port: 0, ${metrics} }\n${BACKEND}keys: [{ name: k, team: t, key: '${digestOf(KEY)}' }]\nteams: { t: {} }`, {
    Q: 'sk-secret-of-q',
    TOKEN,
  });
}

test('without a word in the configuration there are none', async () => {
  const desk = await openRelay(relayWith(''));
  for (const headers of [{}, { authorization: `Bearer ${KEY}` }, { authorization: 'Bearer ' }]) {
    expect((await fetch(`${desk.url}/metrics`, { headers })).status).toBe(404);
  }
  expect(desk.relay.metricsUrl).toBeNull();
  await desk.close();
});

describe('on the port of the apps', () => {
  let desk: Awaited<ReturnType<typeof openRelay>>;
  beforeAll(async () => {
    desk = await openRelay(relayWith(`metrics: { token: 'env:TOKEN' }`));
  });
  afterAll(() => desk.close());

  test('the token opens them', async () => {
    const answer = await fetch(`${desk.url}/metrics`, bearer(TOKEN));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const all = samplesOf(await answer.text());
    expect(totalOf(all, 'estafet_build_info')).toBe(1);
    expect(totalOf(all, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(all.some(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds')).toBe(true);
  });

  test.each<[string, RequestInit]>([
    ['nothing', {}],
    ['a key of an app', bearer(KEY)],
    ['a part of the token', bearer(TOKEN.slice(0, -1))],
    ['the token and more', bearer(`${TOKEN}x`)],
    ['the token as it is', { headers: { authorization: TOKEN } }],
    ['an empty token', bearer('')],
  ])('%s does not', async (_name, init) => {
    const answer = await fetch(`${desk.url}/metrics`, init);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await answer.text()).not.toMatch(/estafet_|metrics-token/);
  });
});

describe('on a port of their own', () => {
  test('anyone who reaches it, and nothing else is there; the apps’ port has none', async () => {
    const desk = await openRelay(relayWith('metrics: { port: 0 }'));
    const url = desk.relay.metricsUrl as string;
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(405);
    expect((await fetch(new URL('/v1/chat/completions', url))).status).toBe(404);
    expect((await fetch(`${desk.url}/metrics`, bearer(TOKEN))).status).toBe(404);
    await desk.close();
    await expect(fetch(url)).rejects.toThrow();
  });

  test('with a token, only its bearers', async () => {
    const desk = await openRelay(relayWith(`metrics: { port: 0, token: 'env:TOKEN' }`));
    const url = desk.relay.metricsUrl as string;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, bearer(TOKEN))).status).toBe(200);
    await desk.close();
  });

  test('a port that is taken ends the start, and the error tells which', async () => {
    const first = await openRelay(relayWith('metrics: { port: 0 }'));
    const port = Number(new URL(first.relay.metricsUrl as string).port);
    const config = { ...relayWith(`metrics: { port: ${port} }`), database: new Secret('memory:') };
    await expect(startRelay(config)).rejects.toMatchObject({ code: 'EADDRINUSE', address: '127.0.0.1', port });
    await first.close();
  });
});

describe('of real traffic', () => {
  let desk: SimulatedDesk;
  let read: () => Promise<ReturnType<typeof samplesOf>>;
  beforeAll(async () => {
    desk = await openSimulated(
      'metrics: { port: 0 }',
      `models: { gpt-4o: [qwen/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] }, limits: { rpm: 3, tpm: 100000 } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
    );
    read = async () => samplesOf(await (await fetch(desk.relay.metricsUrl as string)).text());
  });
  afterAll(() => desk.close());

  test('answers, streams, refusals and their causes', async () => {
    expect((await chat(desk)).status).toBe(200);
    await (await chat(desk, { ...HELLO, stream: true })).text();
    await chat(desk, { ...HELLO, model: 'no-such-model"} 1' });
    await chat(desk, HELLO, { authorization: 'Bearer wrong' });
    expect((await chat(desk)).status).toBe(200);
    expect((await chat(desk)).status).toBe(429);
    const all = await read();
    const requests = (labels: Record<string, string>) => totalOf(all, 'estafet_requests_total', labels);
    expect(requests({ model: 'gpt-4o', backend: 'qwen', status: '200', cause: 'none' })).toBe(3);
    expect(requests({ status: '429', backend: 'none', cause: 'rate_limit_exceeded' })).toBe(1);
    expect(totalOf(all, 'estafet_first_byte_seconds_count', { backend: 'qwen' })).toBe(1);
    expect(totalOf(all, 'estafet_quota_reservations_total', { outcome: 'admitted' })).toBe(3);
    expect(totalOf(all, 'estafet_quota_refusals_total', { limit: 'team.rpm', kind: 'wait' })).toBe(1);
    expect(totalOf(all, 'estafet_estimate_ratio_count', { vendor: 'qwen', kind: 'prompt' })).toBe(3);
    expect(totalOf(all, 'estafet_error_answers_total', { cause: 'invalid_api_key' })).toBe(1);
    expect(totalOf(all, 'estafet_error_answers_total', { cause: 'model_not_found' })).toBe(1);
    expect(totalOf(all, 'estafet_tokens_total', { kind: 'completion' })).toBeGreaterThan(3);
    expect(totalOf(all, 'estafet_quota_open_reservations')).toBe(0);
  });

  test('a running stream is in flight until its caller has left', async () => {
    const going = new AbortController();
    const other = await openSimulated('metrics: { port: 0 }');
    const streams = async () =>
      totalOf(samplesOf(await (await fetch(other.relay.metricsUrl as string)).text()), 'estafet_requests_in_flight', { kind: 'stream' });
    const messages = [{ role: 'user', content: '[[sim:stall after=1]]' }];
    await chat(other, { ...HELLO, messages, stream: true }, {}, going.signal);
    expect(await streams()).toBe(1);
    going.abort();
    await expect.poll(streams, { timeout: 5000 }).toBe(0);
    await other.close();
  });
});
