import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SchemaChecker } from '../../relay/emulation/schema-checker.ts';
import { Books } from '../../relay/ledger/books.ts';
import { QuotaGate } from '../../relay/quota/gate.ts';
import { SqliteThread } from '../../server/database/sqlite-thread.ts';
import { startRelay } from '../../server/main.ts';
import { openTracing } from '../../server/telemetry/tracing/open-tracing.ts';
import { Tracing } from '../../server/telemetry/tracing/tracing.ts';
import { build } from '../../server/wiring.ts';
import { configOf, digestOf, HELLO, KEY, until } from '../http/desk.ts';
import { standingBackend } from '../relay/standing-backend.ts';
import { cleanUp, folder } from './process.ts';

/** Nobody listens there, and no request is traced. */
const TRACES = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };

afterEach(async () => {
  vi.restoreAllMocks();
  await cleanUp();
});

const configFor = (backend: string) =>
  configOf(
    `server: { port: 0, logLevel: silent }
backends: { q: { vendor: qwen, baseUrl: '${backend}/v1', apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
database: 'sqlite:${join(folder({}), 'books.db')}'
`,
    { K: 'sk-backend-secret' },
  );

async function relayTo(backend: string) {
  const config = configFor(backend);
  return startRelay(config, build(config, { tracing: await openTracing(TRACES) }));
}
const NOBODY = 'http://127.0.0.1:9';

test('the lines of the last answers are on their way to the log before anything else is closed', async () => {
  const config = configFor(NOBODY);
  const built = build(config);
  const relay = await startRelay(config, built);
  const flush = vi.spyOn(built.logger, 'flush');
  const close = vi.spyOn(built, 'close');
  await relay.stop();
  expect(flush.mock.invocationCallOrder[0]).toBeLessThan(close.mock.invocationCallOrder[0] as number);
});

test('connections to backends are closed as their answers end, not all of them after the last', async () => {
  const backend = await standingBackend();
  const relay = await relayTo(backend.url);
  const ask = (): Promise<Response> =>
    fetch(`${relay.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...HELLO, stream: true }),
    });
  const answers = [await ask(), await ask()];
  const [first, second] = [...backend.sockets];
  const closed: string[] = [];
  first?.on('close', () => closed.push('first'));
  second?.on('close', () => closed.push('second'));
  const stopped = relay.stop().then(() => closed.push('stopped'));
  backend.finish(1);
  await answers[0]?.text();
  await until('the first is closed', () => closed.length === 1);
  backend.finish();
  await answers[1]?.text();
  await stopped;
  await backend.close();
  expect(closed).toEqual(['first', 'second', 'stopped']);
});

test('the connection of the keys is closed while the last answers run; that of the books after them', async () => {
  const backend = await standingBackend();
  const relay = await relayTo(backend.url);
  const answer = await fetch(`${relay.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...HELLO, stream: true }),
  });
  const closed = vi.spyOn(SqliteThread.prototype, 'close');
  const written = vi.spyOn(SqliteThread.prototype, 'write');
  const stopped = relay.stop();
  await until('the keys are closed', () => closed.mock.calls.length > 0);
  expect(written).not.toHaveBeenCalled();
  await closed.mock.results[0]?.value;
  expect(closed).toHaveBeenCalledOnce();
  // It would be for nobody.
  await expect(relay.apply(configFor(backend.url))).rejects.toThrow('the relay is shutting down');
  backend.finish();
  expect((await answer.text()).endsWith('data: [DONE]\n\n')).toBe(true);
  expect(await stopped).toBe(true);
  const [keys, books] = closed.mock.contexts;
  expect([closed.mock.calls.length, keys === books, written.mock.contexts[0] === books]).toEqual([2, false, true]);
  await backend.close();
});

const PARTS = {
  limits: QuotaGate.prototype,
  books: Books.prototype,
  traces: Tracing.prototype,
  checks: SchemaChecker.prototype,
} as const;

describe('after the last answer', () => {
  test.each(Object.keys(PARTS) as (keyof typeof PARTS)[])('all is closed side by side: %s hold up no other', async (held) => {
    const relay = await relayTo(NOBODY);
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = PARTS[held].close as (...how: unknown[]) => Promise<void>;
    const spies = Object.values(PARTS).map((part) => vi.spyOn(part, 'close'));
    vi.spyOn(PARTS[held], 'close').mockImplementation(async function (this: unknown, ...how: unknown[]) {
      await own.apply(this, how);
      await promise;
    });
    let over = false;
    const stopped = relay.stop().finally(() => {
      over = true;
    });
    await until('all are being closed', () => spies.every(({ mock }) => mock.calls.length === 1));
    expect(over).toBe(false);
    resolve();
    expect(await stopped).toBe(true);
  });

  test('one that cannot be closed keeps none from its end, and is told', async () => {
    const relay = await relayTo(NOBODY);
    const { promise, resolve } = Promise.withResolvers<void>();
    vi.spyOn(QuotaGate.prototype, 'close').mockImplementation(() => promise);
    const books = vi.spyOn(Books.prototype, 'close').mockRejectedValue(new Error('its thread ended'));
    let over = false;
    const stopped = relay.stop().finally(() => {
      over = true;
    });
    const told = expect(stopped).rejects.toThrow('its thread ended');
    await until('the books fail', () => books.mock.settledResults[0]?.type === 'rejected');
    await new Promise(setImmediate);
    expect(over).toBe(false);
    resolve();
    await told;
  });

  test('who stops it twice hears of one end', async () => {
    const relay = await relayTo(NOBODY);
    const stopped = relay.stop();
    expect(relay.stop()).toBe(stopped);
    expect(await stopped).toBe(true);
    expect(await relay.stop()).toBe(true);
  });
});
