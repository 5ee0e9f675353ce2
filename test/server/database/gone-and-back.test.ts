import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Books } from '../../../relay/ledger/books.ts';
import type { LedgerEvent } from '../../../relay/ledger/ledger-store.ts';
import type { RequestRecord } from '../../../relay/records/request-record.ts';
import { openPostgres } from '../../../server/database/postgres.ts';
import { SqlLedger } from '../../../server/database/sql-ledger.ts';
import { startRelay } from '../../../server/main.ts';
import { createLogger } from '../../../server/telemetry/logger.ts';
import { build } from '../../../server/wiring.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { chat, configOf, digestOf, KEY } from '../../http/desk.ts';
import { POSTGRES, type PostgresServer, postgresServer } from './postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  if (POSTGRES.length > 0) server = await postgresServer();
}, 60_000);
afterAll(() => server?.remove());

const ALL = { by: null, fromMs: null, toMs: null, team: null, key: null } as const;
let made = 0;

const record = (): RequestRecord => ({
  id: `req_${++made}`,
  object: 'estafet.request',
  at: '2026-11-02T10:00:00.000Z',
  surface: 'chat.completions',
  key: 'app',
  team: 'blue',
  model: 'gpt-4o',
  stream: false,
  status: 200,
  reason: 'done',
  error: null,
  decision: { strategy: 'order', order: [{ to: 'qwen/qwen-plus' }], skipped: [] },
  attempts: [{ backend: 'qwen', vendor: 'qwen', region: 'cn-beijing', model: 'qwen-plus', error: null, upstreamCode: null, ms: 1 }],
  receipt: null,
  usage: { promptTokens: 1, paidPromptTokens: 1, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0, source: 'vendor' },
  estimate: null,
  cost: { amountNano: 3, currency: 'CNY', priceSource: 'x', priceDate: '2026-11-01', priceConfidence: 'official' },
  firstByteMs: 1,
  totalMs: 1,
});

/** Writes lines for as long as `during` runs, as requests would. */
async function underTraffic(books: Books, during: () => Promise<void>): Promise<number> {
  let lines = 0;
  const timer = setInterval(() => {
    for (let burst = 0; burst < 20; burst++, lines++) books.add(JSON.stringify(record()));
  }, 5);
  await during();
  clearInterval(timer);
  return lines;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(POSTGRES)('%s away while requests are served', () => {
  test.each([
    [
      'stopped at once and started again, twice',
      async () => {
        for (let times = 0; times < 2; times++) {
          await pause(150);
          server.stop();
          await pause(150);
          server.start();
        }
        await pause(100);
      },
    ],
    [
      'frozen for a while',
      async () => {
        await pause(100);
        server.freeze(true);
        await pause(600);
        server.freeze(false);
        await pause(100);
      },
    ],
  ])(
    '%s: every line is there, once, and the trouble is told',
    async (name, trouble) => {
      const events: LedgerEvent[] = [];
      const url = server.database();
      const books = new Books(new SqlLedger(openPostgres(url)), {
        retentionDays: 36_500,
        queueMax: 100_000,
        report: (event) => events.push(event),
      });
      await books.open();
      const lines = await underTraffic(books, trouble);
      expect(lines).toBeGreaterThan(100);
      await expect.poll(() => books.status(), { timeout: 15_000 }).toEqual({ waiting: 0, lost: 0, down: false });
      expect(await books.usage(ALL)).toMatchObject([{ requests: lines, costNano: { CNY: BigInt(3 * lines) } }]);
      const told = events.map(({ type }) => type);
      if (name.startsWith('stopped')) expect(told.slice(0, 2)).toEqual(['store-down', 'store-back']);
      await books.close(5_000);
      expect(events.filter(({ type }) => type.startsWith('line'))).toEqual([]);
    },
    40_000,
  );

  test('for good: the stop ends in time and tells how many lines are lost', async () => {
    const events: LedgerEvent[] = [];
    const books = new Books(new SqlLedger(openPostgres(server.database())), {
      retentionDays: 36_500,
      queueMax: 1000,
      report: (event) => events.push(event),
    });
    await books.open();
    server.stop();
    try {
      for (let lines = 0; lines < 1200; lines++) books.add(JSON.stringify(record()));
      await expect(books.usage(ALL)).rejects.toMatchObject({ name: 'LedgerFault' });
      await books.close(500);
      expect(events.at(-1)).toEqual({ type: 'lines-unwritten', lost: 1000, lostInAll: 1200 });
      expect(events.filter(({ type }) => type === 'lines-dropped').at(-1)).toMatchObject({ lostInAll: 200 });
    } finally {
      server.start();
    }
  }, 20_000);
});

test.each(POSTGRES)(
  'a relay on %s answers on while it is away, says so where it is asked, and the books are complete in the end',
  async () => {
    const log: Record<string, unknown>[] = [];
    const logger = createLogger('info', { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) });
    const simulator = await startSimulator({ vendors: ['qwen'] });
    const { baseUrl, key } = simulator.vendors.qwen as { baseUrl: string; key: string };
    const config = configOf(
      `server: { port: 0 }
backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKey: 'env:K' } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
database: '${server.database()}'
`,
      { K: key },
    );
    const relay = await startRelay(config, build(config, { logger }));
    const ask = async (): Promise<number> =>
      (await chat(relay, { model: 'qwen-plus', messages: [{ role: 'user', content: 'Hi' }] })).status;
    const usage = () => fetch(`${relay.url}/v1/estafet/usage`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(await ask()).toBe(200);
    expect(await (await usage()).json()).toMatchObject({ all: { requests: 1 } });
    server.stop();
    try {
      for (let times = 0; times < 10; times++) expect(await ask()).toBe(200);
      const refused = await usage();
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(await refused.json()).toEqual({
        error: {
          message: 'The books cannot be read at the moment. Please try again.',
          type: 'server_error',
          param: null,
          code: 'usage_unavailable',
        },
      });
    } finally {
      server.start();
    }
    await expect.poll(async () => (await usage()).json(), { timeout: 15_000 }).toMatchObject({ all: { requests: 11 } });
    expect(await relay.stop()).toBe(true);
    await simulator.close();
    const told = log.filter(({ msg }) => String(msg).startsWith('books:')).map(({ level, type }) => [level, type]);
    expect(told).toEqual([
      ['error', 'store-down'],
      ['warn', 'store-back'],
    ]);
    expect(JSON.stringify(log)).not.toContain('postgres://');
  },
  40_000,
);

describe('what an admin reads when PostgreSQL cannot be used', () => {
  test.each([
    ['nothing listens', 'postgres://u:s3cret@127.0.0.1:1/books', 'PostgreSQL at 127.0.0.1:1/books: nothing listens there'],
    ['no such host', 'postgres://u:s3cret@no-such-host.invalid/books', 'PostgreSQL at no-such-host.invalid/books: there is no such host'],
  ])('%s', async (_name, url, message) => {
    const ledger = new SqlLedger(openPostgres(url));
    const fault = await ledger.open().then(() => '', String);
    expect(fault).toBe(`LedgerFault: ${message}`);
    await ledger.close();
  });

  test.each(POSTGRES)('%s: no such database', async () => {
    const ledger = new SqlLedger(openPostgres(server.database().replace(/books\d+$/, 'nothing')));
    await expect(ledger.open()).rejects.toThrow(/^PostgreSQL at 127\.0\.0\.1:\d+\/nothing: database "nothing" does not exist$/);
    await ledger.close();
  });
});
