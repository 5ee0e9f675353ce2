import { describe, expect, test } from 'vitest';
import { HELLO } from '../../../http/desk.ts';
import type { SeenSpan } from './collector.ts';
import { PARENT, SPAN, TRACE, tracingRig } from './tracing-rig.ts';

const rig = tracingRig();

describe('context of the caller', () => {
  const ids = ({ traceId, parentSpanId = '' }: SeenSpan) => ({ traceId, parentSpanId });

  test('joined: the same trace, its span the parent, and its state kept', async () => {
    await rig.open();
    await rig.ask(HELLO, { traceparent: PARENT, tracestate: 'vendor=abc,other=1' });
    const { root } = await rig.spans();
    expect(ids(root)).toEqual({ traceId: TRACE, parentSpanId: SPAN });
    expect(root.traceState).toBe('vendor=abc,other=1');
  });

  test.each([
    ['broken', 'x'],
    ['of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['twice', `${PARENT}, ${PARENT}`],
  ])('%s: none, and no error', async (_name, traceparent) => {
    await rig.open();
    expect((await rig.ask(HELLO, { traceparent, tracestate: ',,=' })).status).toBe(200);
    const { root } = await rig.spans();
    expect(root.parentSpanId ?? '').toBe('');
    expect(root.traceId).not.toBe(TRACE);
  });

  test('linked: a trace of its own that names it', async () => {
    await rig.open({ server: 'tracing: { callerContext: link }' });
    await rig.ask(HELLO, { traceparent: PARENT });
    const { root } = await rig.spans();
    expect(root.traceId).not.toBe(TRACE);
    expect(root.links).toMatchObject([{ traceId: TRACE, spanId: SPAN }]);
  });

  test('ignored', async () => {
    await rig.open({ server: 'tracing: { callerContext: ignore }' });
    await rig.ask(HELLO, { traceparent: PARENT });
    const { root } = await rig.spans();
    expect(root).toMatchObject({ links: [] });
    expect(root.traceId).not.toBe(TRACE);
  });
});

test('log lines name the trace; answers do not', async () => {
  const { log } = await rig.open();
  const answer = await rig.ask(HELLO, { traceparent: PARENT });
  expect(JSON.stringify([...answer.headers]) + (await answer.text())).not.toContain(TRACE);
  await rig.ask({ model: 'gpt-4o' }, { traceparent: PARENT });
  await rig.spans().catch(() => {});
  expect(log.filter(({ msg }) => msg === 'request')).toMatchObject([{ traceId: TRACE }]);
  expect(log.filter(({ msg }) => msg === 'refused')).toMatchObject([{ traceId: TRACE }]);
});
