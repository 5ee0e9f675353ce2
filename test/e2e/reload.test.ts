import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import { configOf, type Desk, digestOf, KEY, openRelay } from '../http/desk.ts';
import {
  type Backend,
  completion,
  DONE,
  finishFrame,
  http,
  httpChunk,
  roleFrame,
  SSE_HEAD,
  scripted,
  textFrame,
} from '../relay/backends.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Held {
  readonly backend: Backend;
  /** Ends the streams that stand after their first piece. */
  finish(): void;
}

/** Answers whole requests at once; streams stand after a piece until `finish`. */
async function held(word: string): Promise<Held> {
  const rests: (() => void)[] = [];
  const backend = await scripted((socket, request) => {
    if (!request.includes('"stream":true')) return void socket.write(http(200, completion(word)));
    socket.write(SSE_HEAD + httpChunk(roleFrame + textFrame(word)));
    rests.push(() => void socket.write(`${[textFrame('!'), finishFrame(), DONE].map(httpChunk).join('')}0\r\n\r\n`));
  });
  ends.push(() => backend.close());
  return { backend, finish: () => rests.splice(0).forEach((rest) => void rest()) };
}

const config = (places: Readonly<Record<string, string>>, more = '', key = KEY): Config =>
  configOf(
    `server: { port: 0, drainTimeoutMs: 2000 }
backends: { ${Object.entries(places)
      .map(([name, url]) => `${name}: { vendor: qwen, baseUrl: '${url}/v1', apiKey: 'env:K'${more} }`)
      .join(', ')} }
models: { gpt-4o: [${Object.keys(places)
      .map((name) => `${name}/qwen-plus`)
      .join(', ')}] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(key)}' }]
`,
    { K: 'k' },
  );

async function opened(first: Config): Promise<Desk> {
  const desk = await openRelay(first);
  ends.push(() => desk.close());
  return desk;
}

const post = (desk: Desk, body: object = {}, key = KEY): Promise<Response> =>
  fetch(`${desk.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }], ...body }),
  });

const said = async (answer: Response): Promise<string | undefined> =>
  ((await answer.json()) as { choices: [{ message: { content: string } }] }).choices[0].message.content;

describe('another configuration', () => {
  test('a stream of the old one ends whole on a backend that is gone; its connections are closed then', async () => {
    const [old, next] = [await held('old'), await held('next')];
    const desk = await opened(config({ one: old.backend.url }));
    const stream = await post(desk, { stream: true });
    const changes = await desk.relay.apply(config({ two: next.backend.url }));
    expect(changes.map(({ text }) => text)).toEqual(expect.arrayContaining(['backend one is removed', 'backend two is added']));
    expect(await said(await post(desk))).toBe('next');
    expect(old.backend.sockets.size).toBe(1);
    old.finish();
    const text = await stream.text();
    expect(text).toContain('"content":"!"');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    await expect.poll(() => old.backend.sockets.size).toBe(0);
    expect(desk.records.map(({ attempts }) => attempts[0]?.backend).sort()).toEqual(['one', 'two']);
  });

  test('a backend that stays as it is keeps its connection; one with another key gets new ones', async () => {
    const { backend } = await held('x');
    const desk = await opened(config({ one: backend.url }));
    await (await post(desk)).text();
    await desk.relay.apply(config({ one: backend.url, two: backend.url }));
    await (await post(desk)).text();
    expect(backend.connections).toBe(1);
    const changed = configOf(
      `backends: { one: { vendor: qwen, baseUrl: '${backend.url}/v1', apiKey: 'env:K' } }
models: { gpt-4o: [one/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
      { K: 'another' },
    );
    await desk.relay.apply(changed);
    await (await post(desk)).text();
    expect(backend.connections).toBe(2);
    expect(backend.requests.at(-1)).toContain('authorization: Bearer another');
  });

  test('what was learned of latencies stays with the backends that stay', async () => {
    const [one, two] = [await held('one'), await held('two')];
    const latency = (first: string, second: string): Config =>
      configOf(
        `backends: { one: { vendor: qwen, baseUrl: '${first}/v1', apiKey: 'env:K' }, two: { vendor: qwen, baseUrl: '${second}/v1', apiKey: 'env:K' } }
models: { gpt-4o: { strategy: latency, to: [one/qwen-plus, two/qwen-plus] }, only-one: { strategy: latency, to: [one/qwen-plus] } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
        { K: 'k' },
      );
    const desk = await opened(latency(one.backend.url, two.backend.url));
    const known = async (): Promise<boolean> => {
      await (await post(desk, { model: 'only-one' })).text();
      return desk.records.at(-1)?.decision.order[0]?.expectedMs !== null;
    };
    expect(await known()).toBe(false);
    await desk.relay.apply(latency(one.backend.url, one.backend.url));
    expect(await known()).toBe(true);
    await desk.relay.apply(latency(two.backend.url, one.backend.url));
    expect(await known()).toBe(false);
  });

  test('a backend that is out is asked at once where it has moved', async () => {
    const [bad, good] = [
      await scripted((socket) => void socket.write(http(401, '{"error":{"code":"invalid_api_key","message":"x"}}'))),
      await held('good'),
    ];
    ends.push(() => bad.close());
    const desk = await opened(config({ one: bad.url }));
    for (const times of [1, 1]) {
      expect((await post(desk)).status).toBe(502);
      expect(bad.requests).toHaveLength(times);
    }
    await desk.relay.apply(config({ one: good.backend.url }));
    expect(await said(await post(desk))).toBe('good');
  });

  test('a key that is gone is refused at once, while its stream runs on', async () => {
    const { backend, finish } = await held('x');
    const other = 'sk-other-0123456789abcdef';
    const desk = await opened(config({ one: backend.url }));
    const stream = await post(desk, { stream: true });
    await desk.relay.apply(config({ one: backend.url }, '', other));
    expect((await post(desk)).status).toBe(401);
    expect((await post(desk, {}, other)).status).toBe(200);
    finish();
    expect((await stream.text()).endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('one that cannot be used changes nothing', async () => {
    const { backend } = await held('x');
    const desk = await opened(config({ one: backend.url }));
    const broken = configOf(
      `backends: { z: { vendor: glm, apiKey: 'env:K', auth: jwt } }
models: { gpt-4o: [z/glm-4.6] }
teams: {}
keys: []
`,
      { K: 'no-dot-in-it' },
    );
    await expect(desk.relay.apply(broken)).rejects.toThrow('id.secret');
    expect(await said(await post(desk))).toBe('x');
  });

  test('under load no request fails, whole or streamed', async () => {
    const [one, two] = [await held('one'), await held('two')];
    const places = [
      config({ one: one.backend.url }),
      config({ two: two.backend.url }),
      config({ one: one.backend.url, two: two.backend.url }),
    ];
    const desk = await opened(places[0] as Config);
    let running = true;
    let answered = 0;
    const caller = async (): Promise<void> => {
      while (running) {
        const answer = await post(desk);
        expect(answer.status).toBe(200);
        expect(['one', 'two']).toContain(await said(answer));
        answered++;
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    const streams: Promise<string>[] = [];
    for (let round = 0; round < 30; round++) {
      streams.push((await post(desk, { stream: true })).text());
      await desk.relay.apply(places[round % 3] as Config);
    }
    running = false;
    await Promise.all(callers);
    one.finish();
    two.finish();
    for (const text of await Promise.all(streams)) expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(answered).toBeGreaterThan(30);
    expect(desk.records.filter(({ error }) => error !== null)).toEqual([]);
  });
});
