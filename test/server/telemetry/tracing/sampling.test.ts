import { describe, expect, test } from 'vitest';
import { HELLO } from '../../../http/desk.ts';
import { KIND } from './collector.ts';
import { PARENT, tracingRig } from './tracing-rig.ts';

const rig = tracingRig();

describe('sampling', () => {
  const UNSAMPLED = PARENT.replace(/01$/, '00');
  test.each([
    ['parentbased_always_on', '', undefined, 2],
    ['parentbased_always_on', '', UNSAMPLED, 0],
    ['parentbased_always_off', '', undefined, 0],
    ['parentbased_always_off', '', PARENT, 2],
    ['always_on', '', UNSAMPLED, 2],
    ['always_off', '', PARENT, 0],
    ['traceidratio', '0', PARENT, 0],
    ['traceidratio', '1', UNSAMPLED, 2],
    ['parentbased_traceidratio', '0', PARENT, 2],
    ['parentbased_traceidratio', '0', undefined, 0],
  ])('%s %s, parent %s: %i spans', async (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, traceparent, count) => {
    await rig.open({ env: { OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG } });
    await (await rig.ask(HELLO, traceparent === undefined ? {} : { traceparent })).text();
    await rig.closed();
    expect(rig.collector.spans).toHaveLength(count);
  });

  test('callers who mark every request get no more than the rate, and it is counted', async () => {
    let nowMs = 0;
    await rig.open({ server: "tracing: { maxPerSecond: 2 }, metrics: { token: 'env:QWEN' }", now: () => nowMs });
    const ask = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index++) await (await rig.ask(HELLO, { traceparent: PARENT })).text();
    };
    await ask(4);
    nowMs = 500;
    await ask(3);
    expect(await rig.metric('estafet_traces_beyond_rate_total')).toBe(4);
    await rig.closed();
    expect(rig.collector.spans.filter(({ kind }) => kind === KIND.server)).toHaveLength(3);
  });

  test('strangers make no span', async () => {
    await rig.open();
    const answers = await Promise.all([
      rig.post('/v1/chat/completions', HELLO, { authorization: 'Bearer sk-nobody', traceparent: PARENT }),
      rig.post('/v1/chat/completions', HELLO, { authorization: '' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    await rig.closed();
    expect(rig.collector.spans).toEqual([]);
  });
});
