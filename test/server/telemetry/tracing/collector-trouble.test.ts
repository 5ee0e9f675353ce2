import { describe, expect, test } from 'vitest';
import { tracingRig } from './tracing-rig.ts';

const rig = tracingRig();

describe('a collector in trouble', () => {
  const METRICS = "metrics: { token: 'env:QWEN' }";
  const ask = async (): Promise<number> => (await rig.ask()).status;

  test('it refuses: requests are served, spans are counted as lost, the log says so once, and once that it is over', async () => {
    rig.collector.answer = 400;
    const { log } = await rig.open({ env: { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' }, server: METRICS });
    expect([await ask(), await ask()]).toEqual([200, 200]);
    await expect.poll(() => rig.metric('estafet_trace_spans_total{outcome="lost"}'), { timeout: 5000, interval: 10 }).toBe(4);
    rig.collector.answer = 200;
    expect(await ask()).toBe(200);
    await expect.poll(() => rig.metric('estafet_trace_spans_total{outcome="sent"}'), { timeout: 5000, interval: 10 }).toBe(2);
    const told = log.filter(({ msg }) => String(msg).startsWith('traces:'));
    expect(told).toMatchObject([
      { level: 'warn', error: expect.any(String) },
      { level: 'warn', lost: 4 },
    ]);
  });

  test('it is silent: what waits is bounded, and the end does not wait for it', async () => {
    rig.collector.answer = null;
    await rig.open({ env: { OTEL_BSP_MAX_QUEUE_SIZE: '4', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' }, server: METRICS });
    for (let index = 0; index < 5; index++) expect(await ask()).toBe(200);
    // Two are on their way, four wait.
    expect(await rig.metric('estafet_trace_spans_total{outcome="lost"}')).toBe(4);
    // A test that waited for it would run into its own time limit.
    await rig.closed();
    expect(rig.collector.posts).toHaveLength(1);
  });
});
