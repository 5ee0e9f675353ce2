import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkStream, foldStream } from '../contract/openai-schema.ts';
import { expectBrokenStream, expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

/** Real time limits, as short as the relay's clock (a tick is 100 ms) allows. */
describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat, model: name }) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({
      configExtra: {
        backend: { timeouts: { firstByteMs: 300, wholeMs: 300, idleMs: 250, totalMs: 60_000 } },
        server: { heartbeatMs: 100 },
        backends: {
          patient: { simulated: vendor, timeouts: { firstByteMs: 20_000, idleMs: 20_000 } },
          writing: { simulated: vendor, timeouts: { firstByteMs: 300, wholeMs: 20_000 } },
          brief: { simulated: vendor, timeouts: { firstByteMs: 20_000, idleMs: 20_000, totalMs: 300 } },
        },
        models: { pair: [`${vendor}/${name}`, `patient/${name}`] },
      },
    });
  });
  beforeEach(() => rig.reset());
  afterAll(() => rig.close());

  test.each(['silent', 'slow firstByteMs=5000'])('%s: 504 after firstByteMs, and the call is closed', async (fault) => {
    const startedAt = performance.now();
    const ask = (stream: boolean) => rig.raw({ model: chat, messages: [user(`hello [[sim:${fault}]]`)], stream });
    for (const answer of await Promise.all([ask(false), ask(true)])) expectRefusal(answer, 'upstream_timeout');
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    await expect.poll(() => rig.seen().map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test('an answer that is not streamed may take wholeMs, since it comes when all of it is written; one that is may not', async () => {
    const ask = (stream: boolean) =>
      rig.raw({ model: `writing/${name}`, messages: [user('hello [[sim:slow firstByteMs=700]]')], stream, reasoning_effort: 'none' });
    const [whole, streamed] = await Promise.all([ask(false), ask(true)]);
    expect(whole.status, whole.text).toBe(200);
    expectRefusal(streamed, 'upstream_timeout');
  });

  test.each([false, true])('stall: the answer that had begun is given up after idleMs; streamed: %s', async (stream) => {
    const answer = await rig.raw({ model: chat, messages: [user('[[sim:tokens n=20]] [[sim:stall after=3]]')], stream });
    if (stream) expectBrokenStream(answer, 'upstream_timeout');
    else expectRefusal(answer, 'upstream_timeout');
    await expect.poll(() => rig.seen()[0]?.aborted).toBe(true);
  });

  test.each(['silent', 'stall after=0'])('%s: another backend answers', async (text) => {
    const [name = '', ...args] = text.split(' ');
    rig.simulator.setFault({ name, vendor, times: 1, args: Object.fromEntries(args.map((arg) => arg.split('='))) });
    const answer = await rig.raw({ model: 'pair', messages: [user('hello')], stream: true });
    expect(answer.stream()).toMatchObject({ problems: [], error: null, done: true });
    expect(answer.headers.get('x-estafet-backend')).toBe('patient');
    expect(answer.record().attempts).toMatchObject([{ error: 'upstream_timeout' }, { error: null }]);
  });

  test('stall before the first token: a real 504', async () => {
    expectRefusal(await rig.raw({ model: chat, messages: [user('[[sim:stall after=0]]')], stream: true }), 'upstream_timeout');
  });

  test('a stall of this process is not taken for a silence of the backend', async () => {
    const messages = [user('[[sim:tokens n=8]] [[sim:slow chunkMs=40]]')];
    const stream = await rig.client().chat.completions.create({ model: chat, messages, stream: true });
    let seen = 0;
    let finish: string | null = null;
    for await (const chunk of stream) {
      if (++seen === 3) for (const until = performance.now() + 450; performance.now() < until; );
      finish = chunk.choices[0]?.finish_reason ?? finish;
    }
    expect(finish).toBe('stop');
  });

  test('totalMs bounds an answer that goes on and on', async () => {
    const answer = await rig.raw({
      model: `brief/${name}`,
      reasoning_effort: 'none',
      messages: [user('[[sim:tokens n=200]] [[sim:slow chunkMs=20]]')],
      stream: true,
    });
    expectBrokenStream(answer, 'upstream_timeout');
  });

  test('a stream that is silent but alive gets comments, which no client sees as data', async () => {
    const messages = [user('[[sim:tokens n=1]] [[sim:slow chunkMs=250]]')];
    const body = { model: `patient/${name}`, reasoning_effort: 'none' as const, messages, stream: true as const };
    const built = rig.client().chat.completions.stream(body).finalChatCompletion();
    const answer = await rig.raw(body);
    expect(answer.text).toContain('\n\n: keep-alive\n\n');
    expect(checkStream(answer.text.replaceAll(': keep-alive\n\n', ''), { includeUsage: false }).problems).toEqual([]);
    expect(foldStream(answer.stream().chunks).choices[0]?.finish_reason).toBe('stop');
    const { choices } = await built;
    expect(choices[0]?.finish_reason).toBe('stop');
  });
});
