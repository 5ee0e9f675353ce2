import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Overload } from '../../server/overload.ts';
import { configOf, type Desk, digestOf, KEY, openRelay, until } from '../http/desk.ts';
import { type Backend, completion, http, scripted } from '../relay/backends.ts';

describe('the event loop', () => {
  const LATE = 1_200;
  const IN_TIME = 110;
  test.each<[string, number, number[], boolean]>([
    ['in time', 1_000, [IN_TIME, IN_TIME], true],
    ['late once: a pause that is over', 1_000, [LATE], true],
    ['late twice in a row', 1_000, [LATE, LATE], false],
    ['late twice, then in time', 1_000, [LATE, LATE, IN_TIME], true],
    ['late, in time, late', 1_000, [LATE, IN_TIME, LATE], true],
    ['switched off', 0, [LATE, LATE, LATE], true],
  ])('%s', (_, most, looks, taken) => {
    let now = 0;
    const overload = new Overload({ maxInFlight: () => 10, maxLagMs: () => most, now: () => now });
    overload.start();
    for (const ms of looks) {
      now += ms;
      overload.look();
    }
    overload.stop();
    expect(overload.enter()).toBe(taken);
    expect(overload.running).toBe(taken ? 1 : 0);
  });
});

describe('too many at once', () => {
  let backend: Backend;
  let desk: Desk;
  const waiting: (() => void)[] = [];
  beforeAll(async () => {
    backend = await scripted((socket) => waiting.push(() => socket.write(http(200, completion('x')))));
    desk = await openRelay(
      configOf(
        `server: { port: 0, maxInFlight: 2 }
backends: { q: { vendor: qwen, baseUrl: '${backend.url}/v1', apiKey: 'env:K' } }
models: { gpt-4o: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
        { K: 'k' },
      ),
    );
  });
  afterAll(async () => {
    await desk.close();
    await backend.close();
  });

  const post = (signal?: AbortSignal): Promise<Response> =>
    fetch(`${desk.url}/v1/chat/completions`, {
      method: 'POST',
      ...(signal === undefined ? {} : { signal }),
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] }),
    });
  const release = (): void => {
    for (const answer of waiting.splice(0)) answer();
  };

  test('one more is refused early; those that run end well; then there is room again, also for callers who had left', async () => {
    const running = [post(), post()];
    await until('both run', () => waiting.length === 2);
    const refused = await post();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(((await refused.json()) as { error: { code: string } }).error.code).toBe('overloaded');
    expect(backend.requests.length).toBe(2);
    // What does no work is answered all the same.
    expect((await fetch(`${desk.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } })).status).toBe(200);
    release();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
    const gone = new AbortController();
    const left = [post(gone.signal), post(gone.signal)].map((answer) => answer.catch(() => 'left'));
    await until('both run', () => waiting.length === 2);
    gone.abort();
    expect(await Promise.all(left)).toEqual(['left', 'left']);
    waiting.splice(0);
    await expect
      .poll(async () => {
        const answer = post();
        const seen = backend.requests.length;
        // Refused at once, or on its way to the backend.
        await Promise.race([answer, until('it runs', () => backend.requests.length > seen)]);
        release();
        return (await answer).status;
      })
      .toBe(200);
  });
});
