import fc from 'fast-check';
import { expect, test } from 'vitest';
import { traceParent, traceParentHeader } from '../../../../server/telemetry/tracing/trace-parent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test.each([
  ['sampled', `00-${TRACE}-${SPAN}-01`, true],
  ['not sampled', `00-${TRACE}-${SPAN}-00`, false],
  ['more flags', `00-${TRACE}-${SPAN}-03`, true],
  ['a later version', `01-${TRACE}-${SPAN}-01`, true],
  ['a later version with more', `cc-${TRACE}-${SPAN}-01-what-comes`, true],
])('%s', (_name, header, sampled) => {
  expect(traceParent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
});

test.each([
  ['nothing', ''],
  ['two of them', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['version 00 with more', `00-${TRACE}-${SPAN}-01-more`],
  ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['spaces', ` 00-${TRACE}-${SPAN}-01`],
  ['a later version without its dash', `01-${TRACE}-${SPAN}-01more`],
  ['far too long', `01-${TRACE}-${SPAN}-01-${'x'.repeat(600)}`],
])('no parent: %s', (_name, header) => {
  expect(traceParent(header)).toBeNull();
});

test('what is sent can be read, and no text is an accident', () => {
  const parent = { traceId: TRACE, spanId: SPAN, sampled: true };
  expect(traceParentHeader(parent)).toBe(`00-${TRACE}-${SPAN}-01`);
  expect(traceParent(traceParentHeader({ ...parent, sampled: false }))).toEqual({ ...parent, sampled: false });
  fc.assert(fc.property(fc.string(), (text) => void traceParent(text)));
});
