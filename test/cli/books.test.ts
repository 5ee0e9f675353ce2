import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { moment } from '../../cli/usage.ts';
import { formatUsage } from '../../cli/usage-table.ts';
import { NO_USAGE } from '../../relay/ledger/usage.ts';
import { SqliteThread } from '../../server/database/sqlite-thread.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { digestOf, KEY } from '../http/desk.ts';
import { entry, HOUR, TEN } from '../relay/ledger/entries.ts';
import { cleanUp, estafet, type Run } from '../server/process.ts';

let folder: string;
let simulator: Simulator;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'estafet-cli-books-'));
  simulator = await startSimulator({ vendors: ['qwen'] });
});
afterEach(cleanUp);
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
/** A configuration file in a folder of its own; its path. */
function written(database: string | null): string {
  const home = join(folder, String(++files));
  mkdirSync(home);
  const file = join(home, 'estafet.yaml');
  const { baseUrl } = simulator.vendors.qwen as { baseUrl: string };
  writeFileSync(
    file,
    `server: { port: 0 }
backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKey: 'env:BACKEND_KEY' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
${database === null ? '' : `database: '${database}'`}
`,
  );
  return file;
}

const env = (): Record<string, string> => ({ BACKEND_KEY: (simulator.vendors.qwen as { key: string }).key });
const at = (file: string): string => join(file, '..');

async function outcome(run: Run): Promise<{ code: number | string; out: string; err: string }> {
  const code = await run.exit;
  return { code, out: run.stdout, err: run.stderr };
}

async function asked(run: Run, times: number): Promise<void> {
  const url = (await run.seen(/listens on (http:\S+)/))[1] as string;
  const answers = Array.from({ length: times }, () =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] }),
    }),
  );
  for (const answer of await Promise.all(answers)) {
    expect(answer.status).toBe(200);
    await answer.text();
  }
}

describe('estafet serve and estafet usage', () => {
  test('the default: a file under ./data, read while the relay runs; SIGTERM right after the answers loses no line', async () => {
    const file = written(null);
    for (const total of [30, 60]) {
      const run = estafet(['serve', '-c', file], env(), at(file));
      await asked(run, 30);
      run.child.kill('SIGTERM');
      expect(await run.exit).toBe(0);
      expect(readdirSync(join(at(file), 'data'))).toEqual(['estafet.db']);
      const json = await outcome(estafet(['usage', '-c', file, '--by', 'key', '--format', 'json'], env(), at(file)));
      expect(JSON.parse(json.out)).toMatchObject({ by: 'key', rows: [{ key: 'app', requests: total, cost: { CNY: expect.any(String) } }] });
    }
    const run = estafet(['serve', '-c', file], env(), at(file));
    await asked(run, 1);
    await expect
      .poll(async () => (await outcome(estafet(['usage', '-c', file, '--format', 'csv'], env(), at(file)))).out, { timeout: 10_000 })
      .toMatch(/^team,requests,.*\r\nt,61,/);
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
  }, 60_000);

  test('the first run leaves no file behind', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    const first = estafet(['serve', '--port', '0'], {}, empty);
    await first.seen(/API key/);
    first.child.kill('SIGTERM');
    expect(await first.exit).toBe(0);
    expect(readdirSync(empty)).toEqual([]);
  });

  test.each([
    ['a file in the way', '/dev/null/x.db', 'a part of its path is a file, not a folder'],
    ['a disk that takes no files', '/proc/x.db', 'it cannot be opened: does its folder exist, and may this user write there?'],
  ])('the relay does not start on %s: one line, exit code 1', async (_name, path, message) => {
    const file = written(`sqlite:${path}`);
    expect(await outcome(estafet(['serve', '-c', file], env(), at(file)))).toEqual({
      code: 1,
      out: '',
      err: `estafet: the database ${path}: ${message}\n`,
    });
  });

  test('nor where this user may not write', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o555);
    chmodSync(folder, 0o755);
    const file = written(`sqlite:${locked}/deep/x.db`);
    const cli = fileURLToPath(new URL('../../cli/cli.js', import.meta.url));
    // Root may write everywhere: then the process runs as nobody.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawn(process.execPath, [cli, 'serve', '-c', file], {
      ...user,
      cwd: at(file),
      env: env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(err).toBe(`estafet: the database ${locked}/deep/x.db: this user may not write in its folder\n`);
    expect(code).toBe(1);
  });

  test.each([
    ['no books yet', null, 'there are no books at ./data/estafet.db: the relay creates them when it starts'],
    [
      'books in memory',
      'memory:',
      'the books of this configuration are in the memory of the relay (`database: memory:`): use GET /v1/estafet/usage',
    ],
    ['no server', 'postgres://u:s3cret@127.0.0.1:1/d', 'PostgreSQL at 127.0.0.1:1/d: nothing listens there'],
  ])('usage with %s: one line, exit code 1', async (_name, database, message) => {
    const file = written(database);
    expect(await outcome(estafet(['usage', '-c', file], env(), at(file)))).toEqual({ code: 1, out: '', err: `estafet: ${message}\n` });
  });

  test.each([
    ['--by', 'colour'],
    ['--from', 'yesterday'],
    ['--to', '2026-11-01T08:30Z'],
    ['--format', 'xml'],
  ])('wrong usage: %s %s', async (option, value) => {
    const { code, out, err } = await outcome(estafet(['usage', option, value]));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`'${value}' is invalid`);
  });

  test.each([
    ['2026-11-02', '2026-11-01'],
    ['2026-11-01T08:00Z', '2026-11-01T08:00Z'],
  ])('wrong usage: from %s to %s', async (from, to) => {
    const { code, out, err } = await outcome(estafet(['usage', '--from', from, '--to', to]));
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain("'--to' must be later than '--from'");
  });

  test('spans, keys and teams narrow what is shown', async () => {
    const file = written('sqlite:books.db');
    const books = new SqliteThread({ path: join(at(file), 'books.db') });
    await books.open();
    await books.write([
      entry('1', { atMs: TEN - 24 * HOUR }),
      entry('2'),
      entry('3', { atMs: TEN + HOUR, key: 'ci', costNano: 7 }),
      entry('4', { atMs: TEN + 24 * HOUR, team: 'red' }),
    ]);
    await books.close();
    const days = async (...args: string[]) => {
      const { code, out, err } = await outcome(estafet(['usage', '-c', file, '--by', 'day', '--format', 'json', ...args], env(), at(file)));
      expect([code, err]).toEqual([0, '']);
      return (JSON.parse(out) as { rows: { day: string; requests: number }[] }).rows.map(({ day, requests }) => [day, requests]);
    };
    expect(await days()).toEqual([
      ['2026-11-01', 1],
      ['2026-11-02', 2],
      ['2026-11-03', 1],
    ]);
    expect(await days('--from', '2026-11-02', '--to', '2026-11-02')).toEqual([['2026-11-02', 2]]);
    expect(await days('--from', '2026-11-02T19:00+08:00')).toEqual([
      ['2026-11-02', 1],
      ['2026-11-03', 1],
    ]);
    expect(await days('--key', 'ci')).toEqual([['2026-11-02', 1]]);
    expect(await days('--team', 'red')).toEqual([['2026-11-03', 1]]);
    expect((await outcome(estafet(['usage', '-c', file, '--team', 't'], env(), at(file)))).out).toBe('no usage\n');
  }, 30_000);
});

describe('moments', () => {
  test.each([
    ['2026-11-01', false, '2026-11-01T00:00:00.000Z'],
    ['2026-11-01', true, '2026-11-02T00:00:00.000Z'],
    ['2026-11-01T08:00Z', true, '2026-11-01T08:00:00.000Z'],
    ['2026-11-01T08:00+08:00', false, '2026-11-01T00:00:00.000Z'],
  ])('%s, end: %s', (text, end, expected) => expect(new Date(moment(text, end)).toISOString()).toBe(expected));

  test.each([
    '',
    '2026',
    '2026-11-1',
    '2026-02-31',
    '2026-11-01T08:00',
    '2026-11-01 08:00Z',
    '1',
    '2026-11-01T08:30+08:00',
    '2026-11-01T08:00+05:30',
  ])('refuses %j', (text) => expect(() => moment(text, false)).toThrow(/^must be/));
});

describe('printed', () => {
  const rows = [
    { ...NO_USAGE, group: '产品,"甲"', requests: 2, promptTokens: 12, estimated: 1, costNano: { CNY: 1_500_000_001n } },
    { ...NO_USAGE, group: '=sum(A1)', requests: 10, expired: 2, unpriced: 3, costNano: { CNY: 20_000_000_000n, USD: 7n } },
  ];

  test('as a table: aligned, a sum per currency, and what the sums leave out', () => {
    const lines = formatUsage(rows, 'team', 'table').split('\n');
    expect(lines[0]).toMatch(/^team {7}requests .* cost_cny {5}cost_usd$/);
    expect(lines[1]).toMatch(/^产品,"甲" .* 1\.500000001$/);
    expect(lines[3]).toMatch(/^total .* 21\.500000001 {2}0\.000000007$/);
    expect(lines.slice(5)).toEqual([
      'unpriced: no price is known for 3 answered requests; their cost is not included.',
      "estimated: for 1 requests the vendor gave no count; the relay's estimate is used.",
      'expired: 2 requests ended when their process died; what was reserved for them is used.',
      '',
    ]);
  });

  test('as CSV: RFC 4180, no formula, both currencies always', () => {
    const [head, first, second, end] = formatUsage(rows, 'team', 'csv').split('\r\n');
    expect(head).toMatch(/,cost_cny,cost_usd$/);
    expect(first).toBe('"产品,""甲""",2,0,0,0,12,0,0,0,0,1,0,0,1.500000001,');
    expect(second).toBe("'=sum(A1),10,0,0,0,0,0,0,0,0,0,2,3,20.00,0.000000007");
    expect(end).toBe('');
    expect(formatUsage([], 'team', 'csv')).toBe(`${head}\r\n`);
  });

  test('as JSON: amounts are text, so that no reader rounds them', () => {
    expect(JSON.parse(formatUsage(rows, 'key', 'json')).rows[1]).toMatchObject({
      key: '=sum(A1)',
      cost: { CNY: '20.00', USD: '0.000000007' },
    });
  });

  test.each(['\u001b', '\r', '\u202e', '\u2066', '\u2028'])('what would garble a terminal in a name (%j) does not reach it', (sign) => {
    expect(formatUsage([{ ...NO_USAGE, group: `a${sign}[31mb` }], 'model', 'table')).toContain('a?[31mb');
  });

  test('a name that is none', () => {
    expect(formatUsage([{ ...NO_USAGE, group: '' }], 'model', 'table')).toContain('(none)');
  });
});
