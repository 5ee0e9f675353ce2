import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpenAIError } from '../../openai/errors.ts';
import { type AppDeps, createApp } from '../../server/app.ts';
import type { Built } from '../../server/built.ts';
import { createLogger, logError } from '../../server/telemetry/logger.ts';
import { VERSION } from '../../server/version.ts';
import { build } from '../../server/wiring.ts';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { configOf, digestOf, HELLO, KEY } from '../http/desk.ts';

const CONFIG = configOf(
  `backends: { q: { vendor: qwen, baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
  { K: 'k' },
);
const silent = createLogger('silent');

describe('while it shuts down', () => {
  let built: Built;
  beforeAll(() => {
    built = build(CONFIG, { logger: silent });
    built.drain();
  });
  afterAll(() => built.close(true));

  test('what was on its way is answered', async () => {
    const answer = await request(built.app).post('/v1/chat/completions').set('authorization', `Bearer ${KEY}`).send({});
    expect(answer.status).toBe(400);
  });

  test('new work is refused so that SDKs ask again elsewhere', async () => {
    built.refuse();
    const answer = await request(built.app).post('/v1/chat/completions').set('authorization', `Bearer ${KEY}`).send(HELLO);
    expect(answer.status).toBe(503);
    expect(checkErrorResponse(503, answer.body)).toEqual([]);
    expect(checkHeaders(answer.headers, 'json')).toEqual([]);
    expect(answer.body.error.code).toBe('draining');
    expect(answer.headers['connection']).toBe('close');
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.headers).not.toHaveProperty('x-should-retry');
  });

  test('the process is still alive', async () => {
    expect((await request(built.app).get('/healthz')).status).toBe(200);
  });
});

describe('a fault of our own', () => {
  const told: { error: OpenAIError; id: string }[] = [];
  const app = createApp({
    current: () => {
      throw new TypeError('secret details at /home/x');
    },
    refusing: () => false,
    overload: { enter: () => true, leave: () => undefined },
    onError: (error: OpenAIError, id: string) => void told.push({ error, id }),
  } as unknown as AppDeps);

  test.each([
    ['post', '/v1/chat/completions'],
    ['get', '/v1/models'],
  ] as const)('%s %s: a bare 500, and the cause for the log', async (method, path) => {
    told.length = 0;
    const answer = await request(app)[method](path).set('authorization', `Bearer ${KEY}`);
    expect(answer.status).toBe(500);
    expect(checkErrorResponse(500, answer.body)).toEqual([]);
    expect(answer.text).not.toMatch(/secret|home|TypeError/);
    expect(told).toMatchObject([{ id: answer.headers['x-request-id'], error: { kind: 'internal_error' } }]);
    expect(told[0]?.error.cause).toBeInstanceOf(TypeError);
  });
});

describe('the log', () => {
  const lines = (write: (logger: ReturnType<typeof createLogger>) => void, level = 'debug'): Record<string, unknown>[] => {
    const out: string[] = [];
    write(createLogger(level, { write: (line) => void out.push(line) }));
    return out.map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  test('our faults are errors with their cause, callers\u2019 mistakes are details', () => {
    const fault = new OpenAIError('internal_error', 'x', { cause: new Error('why') });
    const mistake = new OpenAIError('invalid_json', 'bad');
    const [first, second] = lines((logger) => {
      logError(logger, fault, 'req_1', 'GET', '/x', null);
      logError(logger, mistake, 'req_2', 'POST', '/y', null);
    });
    expect(first).toMatchObject({ level: 'error', id: 'req_1', status: 500, error: expect.stringContaining('why') });
    expect(second).toMatchObject({ level: 'debug', id: 'req_2', status: 400, code: 'invalid_json', reason: 'bad' });
    expect(lines((logger) => logError(logger, mistake, 'req_2', 'POST', '/y', null), 'info')).toEqual([]);
  });
});

test('the version is that of the package', () => {
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+/);
  expect(VERSION).not.toBe('0.0.0');
});
