import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../../simulator/simulator.ts';
import { cleanUp, estafet, folder, type Run } from '../process.ts';
import { type Collector, startCollector } from './tracing/collector.ts';

/** In the prompts of the team that has asked for nothing, and of the one whose prompts are logged; the simulator answers with them. */
const QUIET = 'QUETZALCOATLUS';
const LOGGED = 'LOGORRHOEA';
const KEYS = { quiet: 'sk-test-quiet-0123456789abcdef', logged: 'sk-test-logged-0123456789abcdef', token: 'metrics-0123456789abcdef' };

let simulator: Simulator;
let collector: Collector;
beforeAll(async () => {
  simulator = await startSimulator();
  collector = await startCollector();
});
afterAll(async () => {
  await cleanUp();
  await simulator.close();
  await collector.close();
});

const config = (logLevel: string): string => {
  const backend = (vendor: string): string => {
    const found = simulator.vendors[vendor as 'qwen'];
    return `  ${vendor}: { vendor: ${vendor}, baseUrl: '${found?.baseUrl}', apiKey: 'env:${vendor.toUpperCase()}', retries: 0, breaker: off }`;
  };
  return `server: { port: 0, logLevel: ${logLevel}, metrics: { token: 'env:TOKEN' } }
backends:
${['qwen', 'ernie', 'glm'].map(backend).join('\n')}
  nobody: { vendor: qwen, baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'env:QWEN', retries: 0 }
models:
  qwen: [qwen/qwen-plus]
  ernie: [ernie/ernie-4.5-turbo-128k]
  glm: [glm/glm-4.6]
  pair: [nobody/qwen-plus, qwen/qwen-plus]
  vectors: [qwen/text-embedding-v4]
  scores: [qwen/qwen3-rerank]
teams:
  quiet: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] } }
  logged: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] }, logPrompts: true }
keys:
  - { name: quiet, team: quiet, key: 'env:QUIET' }
  - { name: logged, team: logged, key: 'env:LOGGED' }
`;
};

interface Started {
  readonly run: Run;
  readonly url: string;
  readonly cwd: string;
}

async function start(logLevel: string): Promise<Started> {
  const cwd = folder({ 'estafet.yaml': config(logLevel) });
  const vendorKeys = Object.fromEntries(Object.entries(simulator.vendors).map(([vendor, { key }]) => [vendor.toUpperCase(), key]));
  const env = { ...vendorKeys, QUIET: KEYS.quiet, LOGGED: KEYS.logged, TOKEN: KEYS.token, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const run = estafet(['serve'], env, cwd);
  const [, url = ''] = await run.seen(/listens on (\S+)/);
  return { run, url, cwd };
}

/** Every way a request may go, with the mark wherever a caller can put words. @returns how many got as far as a log line */
async function askAll({ url }: Started, key: string, mark: string): Promise<number> {
  const ask = async (path: string, body: unknown): Promise<{ readonly status: number; readonly text: string; readonly id: string }> => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text(), id: answer.headers.get('x-request-id') ?? '' };
  };
  const chat = '/v1/chat/completions';
  const user = (fault: string) => [{ role: 'user', content: `${mark} ${fault}` }];
  const tool = { type: 'function', function: { name: 'f', description: mark, parameters: { type: 'object', properties: { [mark]: {} } } } };
  const more = { stop: [`${mark}!`], user: mark, metadata: { note: mark }, tools: [tool], unknown_field: mark };
  let asked = 0;
  for (const model of ['qwen', 'ernie', 'glm', 'pair']) {
    for (const stream of [false, true]) {
      for (const fault of [
        '[[sim:echo]]',
        '[[sim:moderation where=input]]',
        '[[sim:cut after=3]] [[sim:echo]]',
        '[[sim:overload]]',
        '[[sim:context-length]]',
      ]) {
        const { id } = await ask(chat, { model, stream, messages: user(fault), ...more });
        asked++;
        const receipt = await fetch(`${url}/v1/estafet/requests/${id}`, { headers: { authorization: `Bearer ${key}` } });
        expect(await receipt.text()).not.toContain(mark);
      }
    }
  }
  expect((await ask('/v1/embeddings', { model: 'vectors', input: [mark] })).status).toBe(200);
  expect((await ask('/v1/rerank', { model: 'scores', query: mark, documents: [mark, 'other'] })).status).toBe(200);
  asked += 2;
  // Refused on the way in.
  for (const messages of [mark, [{ role: 'user', content: { [mark]: 1 } }], [{ content: mark }]]) {
    expect((await ask(chat, { model: 'qwen', messages })).status).toBe(400);
  }
  expect((await ask(chat, `{"model":"qwen","messages":[{"role":"user","content":"${mark}`)).status).toBe(400);
  return asked;
}

/** All that a relay has left behind. */
async function left({ run, url, cwd }: Started): Promise<{ readonly log: string; readonly elsewhere: string }> {
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${KEYS.token}` } })).text();
  expect(metrics).toContain('estafet_requests_total{');
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(0);
  const files = readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .map((name) => join(cwd, name))
    .filter((path) => statSync(path).isFile());
  // The books are among them.
  expect(files.some((path) => path.endsWith('.db'))).toBe(true);
  return { log: run.stdout + run.stderr, elsewhere: metrics + files.map((path) => readFileSync(path, 'latin1')).join('\n') };
}

describe('a team that has asked for nothing', () => {
  test.each(['trace', 'info'])('no prompt and no answer in log, books, metrics and spans: log level %s', async (level) => {
    const relay = await start(level);
    const asked = await askAll(relay, KEYS.quiet, QUIET);
    const { log, elsewhere } = await left(relay);
    expect(log.match(/"msg":"request"/g)).toHaveLength(asked);
    expect(log).not.toContain(QUIET);
    expect(elsewhere).not.toContain(QUIET);
    expect(collector.posts.map(({ text }) => text).join('')).not.toContain(QUIET);
  });
});

test('a team with `logPrompts`: in the line of the request, and nowhere else', async () => {
  const relay = await start('trace');
  const asked = await askAll(relay, KEYS.logged, LOGGED);
  const { log, elsewhere } = await left(relay);
  const lines = log.split('\n').filter((line) => line.includes('"msg":"request"'));
  expect(lines).toHaveLength(asked);
  for (const line of lines) expect(JSON.stringify((JSON.parse(line) as { prompt: unknown }).prompt)).toContain(LOGGED);
  const answered = lines.map(
    (line) => JSON.parse(line) as { surface: string; finishReasons?: string[]; stream: boolean; answer?: unknown },
  );
  for (const wanted of [false, true]) {
    const whole = answered.filter(({ stream, finishReasons }) => stream === wanted && finishReasons?.[0] === 'stop');
    expect(whole.length).toBeGreaterThanOrEqual(4);
    for (const { answer } of whole) expect(JSON.stringify(answer)).toContain(LOGGED);
  }
  expect(answered.filter(({ surface }) => surface !== 'chat.completions').map(({ answer }) => answer)).toEqual([undefined, undefined]);
  expect(log.split('\n').filter((line) => line.includes(LOGGED) && !line.includes('"msg":"request"'))).toEqual([]);
  expect(elsewhere).not.toContain(LOGGED);
  expect(collector.posts.map(({ text }) => text).join('')).not.toContain(LOGGED);
});
