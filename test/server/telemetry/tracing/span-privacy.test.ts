import { describe, expect, test } from 'vitest';
import { HELLO, KEY, type SimulatedDesk } from '../../../http/desk.ts';
import { KIND } from './collector.ts';
import { PARENT, TRACE, tracingRig } from './tracing-rig.ts';

const rig = tracingRig();

/** In prompts and answers only. */
const MARK = 'QUETZALCOATLUS';

test('no prompt, answer or secret in any span, and the relay’s own export makes none', async () => {
  const { simulator } = await rig.open();
  const marked = {
    ...HELLO,
    messages: [{ role: 'user', content: `${MARK} [[sim:echo]]` }],
    stop: [MARK],
    user: MARK,
    metadata: { m: MARK },
  };
  await (await rig.ask(marked)).text();
  await (await rig.ask({ ...marked, stream: true })).text();
  await rig.post('/v1/embeddings', { model: 'vectors', input: MARK });
  await rig.post('/v1/rerank', { model: 'scores', query: MARK, documents: [MARK] });
  simulator.setFault({ name: 'dead-key', vendor: 'qwen', args: {} });
  await rig.post('/v1/chat/completions', marked);
  await rig.post('/v1/chat/completions', { ...HELLO, messages: MARK });
  const secrets = Object.values(simulator.vendors).map(({ key }) => key);
  await rig.closed();
  const sent = rig.collector.posts.map(({ text }) => text).join('\n');
  expect(rig.collector.spans.filter(({ kind }) => kind === KIND.server)).toHaveLength(6);
  expect(sent).not.toContain(MARK);
  for (const secret of [...secrets, KEY]) expect(sent).not.toContain(secret);
});

describe('traceparent for vendors', () => {
  let desk: SimulatedDesk;
  const sentTo = (vendor: string) =>
    desk.simulator
      .journal()
      .filter((entry) => entry.vendor === vendor)
      .map(({ headers }) => headers);

  test('none unless a backend says so: nothing of the caller’s either', async () => {
    desk = await rig.open();
    await rig.ask(HELLO, { traceparent: PARENT, tracestate: 'a=1' });
    const [headers] = sentTo('qwen');
    expect(headers).toBeDefined();
    expect(headers).not.toHaveProperty('traceparent');
    expect(headers).not.toHaveProperty('tracestate');
  });

  test('where it says so: the span of the call is named, also when the trace is not sampled; the caller’s state stays here', async () => {
    desk = await rig.open({ backend: 'traceparent: true' });
    const { simulator } = desk;
    simulator.setFault({ name: 'overload', vendor: 'qwen', args: {} });
    await (await rig.ask({ ...HELLO, model: 'pair' }, { traceparent: PARENT, tracestate: 'a=1' })).text();
    await rig.post('/v1/embeddings', { model: 'vectors', input: 'a' }, { traceparent: PARENT.replace(/01$/, '00') });
    const sent = [...sentTo('qwen'), ...sentTo('glm')];
    expect(sent.map(({ tracestate }) => tracestate)).toEqual([undefined, undefined, undefined]);
    const { calls } = await rig.spans();
    const [first, , second] = sent.map(({ traceparent }) => traceparent);
    expect([first, second]).toEqual(calls.map(({ spanId }) => `00-${TRACE}-${spanId}-01`));
    expect(sent[1]?.['traceparent']).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  });
});
