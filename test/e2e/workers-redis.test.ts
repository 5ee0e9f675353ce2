import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { standingBackend } from '../relay/standing-backend.ts';
import { cleanUp } from '../server/process.ts';
import { totalOf } from '../server/telemetry/exposition.ts';
import { chat, fileOf, once, type Place, place, serve } from './workers-rig.ts';

/** `estafet serve` with two workers, as processes of their own. */
let here: Place;
beforeEach(async () => {
  here = await place();
});
afterEach(async () => {
  await cleanUp();
  await here.close();
});

const TEAMS = { a: {}, b: {} };
const times = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

test('both serve; one scrape, one log and one look-up see both; a killed one is replaced, and no sum falls', async () => {
  const { run, url, log, pids, metrics } = await serve(here, fileOf(here, TEAMS));
  expect(run.stdout).toMatch(/^Estafet listens on \S+ \(configuration: estafet\.yaml, 2 workers\)\.$/m);
  const before = pids();
  expect([...before.keys()]).toEqual([1, 2]);
  expect(new Set([run.child.pid, ...before.values()]).size).toBe(3);

  const replies = await times(12, () => chat(url, 'a'));
  expect(replies.map(({ status }) => status)).toEqual(Array(12).fill(200));
  const sums = await metrics();
  expect(totalOf(sums, 'estafet_requests_total')).toBe(12);
  expect(totalOf(sums, 'estafet_request_duration_seconds_count')).toBe(12);
  expect(totalOf(sums, 'estafet_workers_serving')).toBe(2);
  const ofEach = sums.filter(({ name }) => name === 'process_resident_memory_bytes').map(({ labels }) => labels['worker']);
  expect(ofEach.toSorted()).toEqual(['1', '2', 'primary']);
  await expect.poll(() => log().filter(({ msg }) => msg === 'request').length).toBe(12);
  const servedBy = new Map(log().flatMap((line) => (line['msg'] === 'request' ? [[line['id'], line['worker']]] : [])));
  expect(new Set(servedBy.values())).toEqual(new Set([1, 2]));

  // Each receipt, asked for at both workers.
  for (const { id } of replies) {
    const found = await times(2, () => once(`${url}/v1/estafet/requests/${id}`, 'a'));
    expect(found.map(({ status, text }) => [status, (JSON.parse(text) as { id: string }).id])).toEqual(Array(2).fill([200, id]));
    const others = await times(2, () => once(`${url}/v1/estafet/requests/${id}`, 'b'));
    expect(others.map(({ status }) => status)).toEqual([404, 404]);
  }
  const unknown = await times(2, () => once(`${url}/v1/estafet/requests/req_${'0'.repeat(32)}`, 'a'));
  expect(unknown.map(({ status, text }) => [status, (JSON.parse(text) as { error: { code: string } }).error.code])).toEqual(
    Array(2).fill([404, 'unknown_request']),
  );

  process.kill(before.get(1) as number, 'SIGKILL');
  await run.seen(/"type":"worker-ended","worker":1,.*"how":"SIGKILL","againInMs":0/);
  expect((await times(4, () => chat(url, 'a'))).map(({ status }) => status)).toEqual(Array(4).fill(200));
  await expect.poll(() => pids().get(1), { timeout: 15_000 }).not.toBe(before.get(1));
  expect(pids().get(2)).toBe(before.get(2));
  expect((await times(4, () => chat(url, 'a'))).map(({ status }) => status)).toEqual(Array(4).fill(200));
  const after = await metrics();
  expect(totalOf(after, 'estafet_requests_total')).toBe(20);
  expect(totalOf(after, 'estafet_worker_ends_total')).toBe(1);
  expect(totalOf(after, 'estafet_workers_serving')).toBe(2);
  // What the one had kept is gone with it, what the other has is found.
  const again = await times(12, (index) => once(`${url}/v1/estafet/requests/${replies[index]?.id}`, 'a'));
  expect(again.map(({ status }) => status)).toEqual(replies.map(({ id }) => (servedBy.get(id) === 1 ? 404 : 200)));

  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
  expect(run.stderr).toBe('');
});

test('a connection on its way to a worker that dies is closed, not left waiting', async () => {
  const { run, url, log, pids } = await serve(here, fileOf(here, TEAMS));
  // It takes nothing any more, and the primary cannot know.
  process.kill(pids().get(1) as number, 'SIGSTOP');
  const ends: string[] = [];
  const calls = [1, 2, 3].map(() =>
    chat(url, 'a').then(
      ({ status }) => ends.push(`${status}`),
      ({ code }: NodeJS.ErrnoException) => ends.push(`${code}`),
    ),
  );
  await expect.poll(() => ends, { timeout: 15_000 }).toEqual(['200', '200']);
  process.kill(pids().get(1) as number, 'SIGKILL');
  await Promise.all(calls);
  expect(ends).toEqual(['200', '200', 'ECONNRESET']);
  await expect.poll(() => log().filter(({ type }) => type === 'worker-serves').length, { timeout: 15_000 }).toBe(3);
  expect((await times(4, () => chat(url, 'a'))).map(({ status }) => status)).toEqual(Array(4).fill(200));
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
});

test('metrics on the port of the apps, from whichever worker', async () => {
  const token = 'a-token-of-enough-characters';
  const { run, url } = await serve(here, fileOf(here, TEAMS, { metrics: { token: 'env:TOKEN' } }), undefined, { TOKEN: token });
  await times(6, () => chat(url, 'a'));
  const scrape = async (): Promise<number> => {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } });
    return Number(/^estafet_requests_total\{.*\} (\d+)$/m.exec(await answer.text())?.[1]);
  };
  expect([await scrape(), await scrape(), await scrape()]).toEqual([6, 6, 6]);
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
});

test('connections go to the workers in turn; a full worker closes the next one', async () => {
  const { run, url } = await serve(here, fileOf(here, TEAMS, { maxConnections: 2 }));
  const sockets: ReturnType<typeof connect>[] = [];
  const opened: string[] = [];
  for (let index = 0; index < 6; index++) {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => resolve('closed'));
    socket.on('close', () => resolve('closed'));
    socket.on('connect', () => socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'));
    socket.on('data', () => resolve('open'));
    sockets.push(socket);
    opened.push(await promise);
  }
  expect(opened).toEqual(['open', 'open', 'open', 'open', 'closed', 'closed']);
  for (const socket of sockets) socket.destroy();
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
});

describe('the end', () => {
  /** Four streams over two workers that stand after their first piece. */
  async function standing(drainTimeoutMs: number) {
    const backend = await standingBackend();
    const qwen = { vendor: 'qwen', baseUrl: `${backend.url}/v1`, apiKey: 'env:SIMULATED' };
    const served = await serve(here, fileOf(here, TEAMS, { drainTimeoutMs }, { backends: { qwen } }));
    const answers: ReturnType<typeof chat>[] = [];
    // One after the other: so each worker gets its turn.
    for (let count = 1; count <= 4; count++) {
      answers.push(chat(served.url, 'a', 'x', { stream: true }));
      await expect.poll(() => backend.requests.length, { timeout: 15_000 }).toBe(count);
    }
    await expect.poll(async () => totalOf(await served.metrics(), 'estafet_requests_in_flight', { kind: 'stream' })).toBe(4);
    return { ...served, backend, answers };
  }
  const closed = (url: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.on('connect', () => resolve(!socket.destroy()));
      socket.on('error', () => resolve(true));
    });
  const workersOf = (log: readonly Readonly<Record<string, unknown>>[]): unknown[] =>
    log.flatMap((line) => (line['msg'] === 'request' ? [line['worker']] : [])).toSorted();

  test('SIGTERM: the streams of all workers end whole, the port is closed, exit code 0', async () => {
    const { run, url, log, pids, backend, answers } = await standing(30_000);
    const workers = [...pids().values()];
    run.child.kill('SIGTERM');
    await expect.poll(() => closed(url), { timeout: 15_000 }).toBe(true);
    backend.finish();
    for (const { text } of await Promise.all(answers)) {
      expect(text).toContain('"content":"lo"');
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    }
    expect(await run.exit).toBe(0);
    expect(run.stderr).toBe('');
    expect(workersOf(log())).toEqual([1, 1, 2, 2]);
    // They need not have gone before the first process, but they do go.
    await expect.poll(() => workers.filter(lives), { timeout: 15_000 }).toEqual([]);
    await backend.close();
  });

  test('what does not end in time is cut and booked in every worker, and said once', async () => {
    const { run, log, backend, answers } = await standing(300);
    run.child.kill('SIGTERM');
    for (const { text } of await Promise.all(answers)) expect(text).toMatch(/"code":"draining"\}\}\n\n$/);
    expect(await run.exit).toBe(0);
    expect(run.stderr).toBe('estafet: some answers were still running after server.drainTimeoutMs and were cut.\n');
    expect(workersOf(log())).toEqual([1, 1, 2, 2]);
    await backend.close();
  });

  test('SIGTERM to one worker: it drains and is replaced', async () => {
    const { run, pids, backend, answers } = await standing(30_000);
    const before = pids();
    process.kill(before.get(2) as number, 'SIGTERM');
    backend.finish();
    for (const { text } of await Promise.all(answers)) expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    await run.seen(/"type":"worker-ended","worker":2,.*"how":"exit code 0"/);
    await expect.poll(() => pids().get(2), { timeout: 15_000 }).not.toBe(before.get(2));
    run.child.kill('SIGINT');
    expect(await run.exit).toBe(0);
    await backend.close();
  });

  test.each([
    ['is killed', false],
    ['is killed while the workers drain', true],
  ])('the primary %s: running streams end whole all the same', async (_, draining) => {
    const { run, url, pids, backend, answers } = await standing(30_000);
    const workers = [...pids().values()];
    if (draining) {
      run.child.kill('SIGTERM');
      await expect.poll(() => closed(url), { timeout: 15_000 }).toBe(true);
    }
    const gone = new Promise((resolve) => run.child.once('exit', resolve));
    run.child.kill('SIGKILL');
    await gone;
    await expect.poll(() => closed(url), { timeout: 15_000 }).toBe(true);
    backend.finish();
    for (const { text } of await Promise.all(answers)) expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    await expect.poll(() => workers.filter(lives), { timeout: 15_000 }).toEqual([]);
    await backend.close();
  });
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a file is in force in all workers or in none, told once; one that starts later has what is in force', async () => {
  const { run, url, home, log, pids, metrics } = await serve(here, fileOf(here, TEAMS));
  const path = join(home, 'estafet.yaml');
  const good = JSON.parse(readFileSync(path, 'utf8')) as { server: object; models: object; backends: object };
  const models = (name: string): Promise<number[]> => times(4, async () => (await once(`${url}/v1/models/${name}`, 'a')).status);
  const hup = async (text: string, wanted: RegExp): Promise<void> => {
    writeFileSync(path, text);
    run.child.kill('SIGHUP');
    await run.seen(wanted);
  };
  expect(await models('gpt-5')).toEqual([404, 404, 404, 404]);
  const next = { ...good, models: { ...good.models, 'gpt-5': ['qwen/qwen-plus'] }, server: { ...good.server, workers: 3 } };
  await hup(JSON.stringify(next), /the changes are in force/);
  expect(await models('gpt-5')).toEqual([200, 200, 200, 200]);
  const told = log().filter(({ msg }) => String(msg).startsWith('configuration:'));
  expect(told).toHaveLength(1);
  expect(told[0]?.['changes']).toEqual(
    expect.arrayContaining(['+ team a gains gpt-5 (keys a)', '! server.workers needs a restart; the old value stays in force']),
  );

  await hup('models: 5', /"problems":\["estafet\.yaml:1:.*REFUSED as a whole/);
  // A file that can be read, and not be used: a key that cannot sign is found by the workers.
  const unusable = { ...good.backends, glm: { vendor: 'glm', apiKey: 'env:SIMULATED', auth: 'jwt' } };
  await hup(JSON.stringify({ ...good, backends: unusable }), /"problems":\["[^"]*id\.secret[^"]*"\].*REFUSED as a whole/);
  expect(await models('gpt-5')).toEqual([200, 200, 200, 200]);
  const sums = await metrics();
  expect(['applied', 'refused'].map((outcome) => totalOf(sums, 'estafet_config_reloads_total', { outcome }))).toEqual([1, 2]);
  expect(totalOf(sums, 'estafet_config_refused')).toBe(1);

  const before = pids();
  for (const pid of before.values()) process.kill(pid, 'SIGKILL');
  await expect.poll(() => [...pids()].filter(([worker, pid]) => before.get(worker) !== pid).length, { timeout: 20_000 }).toBe(2);
  const changed = run.stdout.match(/"type":"worker-serves"/g)?.length;
  expect(changed).toBe(4);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
});
