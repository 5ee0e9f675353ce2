import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { freePort, portOpen } from '../free-port.ts';
import { cleanUp, estafet, folder, type Run } from '../server/process.ts';
import { type NginxServer, startNginx } from './nginx-server.ts';

/** Two relays behind a real nginx with the configuration of the compose project. */
const KEY = 'sk-estafet-behind-the-front-0123456789';
const LIMIT = 100_000;

let simulator: Simulator;
let front: NginxServer;
let home: string;
const ports: number[] = [];
const relays: Run[] = [];

/** On its own port, again and again: nginx is told once where it is. */
async function serve(at: number): Promise<void> {
  const env = { VENDOR: simulator.vendors['qwen']?.key ?? '', KEY };
  const run = estafet(['serve', '--port', `${ports[at]}`], env, home);
  await run.seen(/listens on /);
  relays[at] = run;
}

beforeAll(async () => {
  simulator = await startSimulator();
  const config = {
    server: { host: '127.0.0.1', port: 0, maxBodyBytes: LIMIT, trustedProxies: ['127.0.0.1'], watchFiles: false },
    backends: { qwen: { vendor: 'qwen', baseUrl: simulator.vendors['qwen']?.baseUrl, apiKey: 'env:VENDOR' } },
    models: { 'gpt-4o': ['qwen/qwen-plus'] },
    teams: {
      apps: { permit: { vendors: ['qwen'], regions: ['*'], callers: ['127.0.0.5'] } },
    },
    keys: [{ name: 'app', team: 'apps', key: 'env:KEY' }],
  };
  home = folder({ 'estafet.yaml': stringify(config) });
  ports.push(await freePort(), await freePort());
  await serve(0);
  await serve(1);
  front = await startNginx({ 'relay-1': ports[0] as number, 'relay-2': ports[1] as number });
}, 60_000);
afterAll(async () => {
  await front?.stop();
  await cleanUp();
  await simulator?.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(body: object, { from = '127.0.0.5', headers = {} }: { from?: string; headers?: object } = {}): Promise<IncomingMessage> {
  const asked = request(`${front.url}/v1/chat/completions`, {
    method: 'POST',
    localAddress: from,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
  });
  asked.end(JSON.stringify(body));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return answer.setEncoding('utf8');
}

async function post(...asked: Parameters<typeof ask>): Promise<Answer> {
  const answer = await ask(...asked);
  return { status: answer.statusCode ?? 0, text: await textOf(answer) };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer) text += piece;
  return text;
}
const say = (content: string, more: object = {}) => ({ model: 'gpt-4o', messages: [{ role: 'user', content }], ...more });

test('a chunk of a stream reaches the app when the relay has sent it', async () => {
  // From its third chunk on the vendor is silent: a front that waits for more shows nothing.
  const answer = await ask(say('[[sim:stall after=3]]', { stream: true }));
  expect(answer.statusCode).toBe(200);
  let seen = '';
  for await (const piece of answer) {
    seen += piece;
    if ((seen.match(/"content":"[^"]/g) ?? []).length === 3) break;
  }
  expect(seen).toMatch(/^data: \{/);
});

test.each([
  ['the address that is permitted', '127.0.0.5', undefined, 200],
  ['another one', '127.0.0.6', undefined, 403],
  ['another one that claims to be the permitted one', '127.0.0.6', '127.0.0.5', 403],
  ['the permitted one, whatever it says of itself', '127.0.0.5', '127.0.0.6', 200],
])('the relay knows the caller’s address: %s', async (_, from, claims, status) => {
  const answer = await post(say('x'), { from, headers: claims === undefined ? {} : { 'x-forwarded-for': claims } });
  expect(answer.status, answer.text).toBe(status);
});

test('the largest body is the relay’s to say, in OpenAI’s form', async () => {
  const content = 'a'.repeat(LIMIT - 1_000);
  expect((await post(say(content))).status).toBe(200);
  const refused = await post(say('a'.repeat(LIMIT)));
  expect(refused.status).toBe(413);
  expect(JSON.parse(refused.text)).toMatchObject({ error: { type: 'invalid_request_error' } });
});

test('relays are restarted one after the other under streams: none is cut, and whoever comes meanwhile is answered by the other', async () => {
  const results: string[] = [];
  let running = 0;
  let ending = false;
  /** Requests whose answer has not begun. One on its way to a relay in the moment it stops listening would be lost. */
  let calling = 0;
  let gate = Promise.resolve();
  const reader = async (): Promise<void> => {
    while (!ending) {
      await gate;
      calling++;
      const answer = await ask(say('[[sim:tokens n=12]] [[sim:slow chunkMs=50]]', { stream: true }));
      calling--;
      running++;
      const text = await textOf(answer);
      running--;
      results.push(answer.statusCode === 200 && text.endsWith('data: [DONE]\n\n') ? 'whole' : `${answer.statusCode} ${text.slice(-300)}`);
    }
  };
  const load = Promise.all(Array.from({ length: 16 }, reader));
  const answered = async (more: number): Promise<void> => {
    const before = results.length;
    await expect.poll(() => results.length - before, { timeout: 20_000 }).toBeGreaterThan(more);
  };
  for (const at of [0, 1]) {
    await answered(20);
    const opens = Promise.withResolvers<void>();
    gate = opens.promise;
    await expect.poll(() => calling, { interval: 1 }).toBe(0);
    expect(running).toBeGreaterThan(0);
    relays[at]?.child.kill('SIGTERM');
    await expect.poll(() => portOpen(ports[at] as number), { interval: 5 }).toBe(false);
    opens.resolve();
    expect(await relays[at]?.exit).toBe(0);
    await answered(20);
    await serve(at);
  }
  await answered(20);
  ending = true;
  await load;
  expect(results.filter((result) => result !== 'whole')).toEqual([]);
});
