import { afterEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { digestOf, KEY } from '../http/desk.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';
import { type Rig, startRig, user } from './rig.ts';

let rig: Rig | null = null;
let simulator: Simulator | null = null;
afterEach(async () => {
  await rig?.close();
  await cleanUp();
  await simulator?.close();
  rig = simulator = null;
});

const BREAKER = { failures: 1, windowMs: 60_000, openMs: 100 };
const started = async (probe: unknown): Promise<Rig> => {
  rig = await startRig({
    configExtra: {
      server: { metrics: { token: 'env:SIMULATED_QWEN' } },
      backend: { breaker: BREAKER, probe },
      models: { pair: ['qwen/qwen-plus', 'glm/glm-4.6'], cheaper: ['qwen/qwen-flash'] },
    },
  });
  return rig;
};
type Entry = ReturnType<Simulator['journal']>[number];
/** What the relay asks by itself. */
const isProbe = ({ body }: Entry): boolean => (body as { max_tokens?: number }).max_tokens === 1;
const ask = (one: Rig, model: string) => one.raw({ model, messages: [user('hello')] });
const modelOf = ({ body }: Entry): string => (body as { model: string }).model;

test('a backend that was out is asked by the relay itself, and comes back without any caller', async () => {
  const one = await started({});
  one.simulator.setFault({ name: 'reset', vendor: 'qwen', times: 1 });
  const answer = await ask(one, 'pair');
  expect(answer.record().attempts.map(({ backend }) => backend)).toEqual(['qwen', 'glm']);
  const text = async (): Promise<string> =>
    (await one.raw(undefined, { method: 'GET', path: '/metrics', headers: { authorization: `Bearer ${one.simulator.vendors.qwen?.key}` } }))
      .text;
  await expect.poll(text, { timeout: 10_000 }).toContain('estafet_breaker_changes_total{backend="qwen",cause="failure",state="closed"} 1');
  const probes = one.seen().filter(isProbe);
  // Of what `models` sends there the cheapest, at the address of the backend and nowhere else.
  expect(probes.map((entry) => [entry.vendor, modelOf(entry)])).toEqual([['qwen', 'qwen-flash']]);
  expect(await text()).toContain('estafet_probes_total{backend="qwen",outcome="answered"} 1');
  expect((await ask(one, 'pair')).record().attempts.map(({ backend }) => backend)).toEqual(['qwen']);
  // Nobody's request: no record, no receipt, no count as one.
  expect(one.records.map(({ surface }) => surface)).toEqual(['chat.completions', 'chat.completions']);
});

test('while it is broken, only probes find out: no request of a caller is spent on it', async () => {
  const one = await started({ model: 'qwen-max' });
  one.simulator.setFault({ name: 'reset', vendor: 'qwen' });
  await ask(one, 'qwen-chat');
  const atQwen = () => one.seen().filter(({ vendor }) => vendor === 'qwen');
  while (atQwen().filter(isProbe).length < 3) {
    expect((await ask(one, 'qwen-chat')).record().attempts).toMatchObject([{ unsent: true, error: 'upstream_truncated' }]);
  }
  const [first, ...others] = atQwen();
  expect(first && isProbe(first)).toBe(false);
  expect(others.every((entry) => isProbe(entry) && modelOf(entry) === 'qwen-max')).toBe(true);
}, 20_000);

test.each([
  ['off', 'off', { name: 'reset' }],
  ['on, but a limit passes by itself', {}, { name: 'rate-limit', args: { retry: '1' } }],
])('probe %s: nothing is sent by itself, the next request finds out', async (_name, probe, fault) => {
  const one = await started(probe);
  one.simulator.setFault({ ...fault, vendor: 'qwen', times: 1 });
  await ask(one, 'qwen-chat');
  await expect.poll(async () => (await ask(one, 'qwen-chat')).status, { timeout: 10_000, interval: 50 }).toBe(200);
  expect(one.seen().filter(isProbe)).toEqual([]);
});

test('a probe under way does not hold up the end of the process', async () => {
  const one = await started({});
  one.simulator.setFault({ name: 'reset', vendor: 'qwen', times: 1 });
  one.simulator.setFault({ name: 'silent', vendor: 'qwen', skip: 1 });
  await ask(one, 'qwen-chat');
  await expect.poll(() => one.seen().filter(isProbe).length, { timeout: 10_000 }).toBe(1);
  const begun = performance.now();
  await one.close();
  rig = null;
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test('the books and the log name what was sent and what it cost', async () => {
  simulator = await startSimulator({ vendors: ['qwen'] });
  const { baseUrl, key } = simulator.vendors.qwen as { baseUrl: string; key: string };
  simulator.setFault({ name: 'reset', vendor: 'qwen', times: 2 });
  const home = folder({
    'estafet.yaml': `server: { port: 0 }
database: sqlite:books.db
backends: { q: { vendor: qwen, baseUrl: '${baseUrl}', apiKey: 'env:Q', retries: 0, breaker: { failures: 1, openMs: 100 }, probe: {} } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
  });
  const serving = estafet(['serve', '--config', 'estafet.yaml'], { Q: key }, home);
  const [, url] = await serving.seen(/listens on (http:\S+)/);
  await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] }),
  });
  await serving.seen(/"surface":"probe"[^\n]*"reason":"vendor_error"/);
  const [line] = await serving.seen(/\{[^\n]*"surface":"probe"[^\n]*"reason":"done"[^\n]*\}/);
  const logged = JSON.parse(line) as Record<string, unknown>;
  expect(logged).toMatchObject({
    key: 'estafet:probe',
    team: 'estafet:probe',
    model: 'qwen-plus',
    attempts: [{ backend: 'q', error: null }],
  });
  serving.child.kill('SIGTERM');
  expect(await serving.exit).toBe(0);
  const told = estafet(['usage', '--by', 'team', '--json', '--config', 'estafet.yaml'], { Q: key }, home);
  expect(await told.exit, told.stderr).toBe(0);
  const { rows } = JSON.parse(told.stdout) as { rows: Record<string, unknown>[] };
  const probes = rows.find(({ team }) => team === 'estafet:probe');
  expect(probes, told.stdout).toMatchObject({ requests: 2, failed: 1 });
  expect(Number((probes as { cost: Record<string, string> }).cost['CNY'])).toBeGreaterThan(0);
}, 60_000);
