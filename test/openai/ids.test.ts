import { expect, test } from 'vitest';
import { completionId, requestId, toolCallId } from '../../openai/ids.ts';

test.each([
  ['requestId', requestId, /^req_[0-9a-f]{32}$/],
  ['completionId', completionId, /^chatcmpl-[0-9a-f]{29}$/],
  ['toolCallId', toolCallId, /^call_[0-9a-f]{24}$/],
])('%s has its shape and never repeats, across refills of the pool', (_name, make, shape) => {
  const ids = Array.from({ length: 5000 }, make);
  expect(ids.filter((id) => !shape.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});

test('mixed draws stay apart', () => {
  const ids = Array.from({ length: 3000 }, (_, index) =>
    [requestId, completionId, toolCallId]
      [index % 3]?.()
      .replace(/^.*[_-]/, '')
      .slice(0, 24),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test('request ids begin with their time, so that those of one time lie together, and end in 80 random bits', () => {
  const before = Date.now();
  const ids = Array.from({ length: 100 }, requestId);
  for (const id of ids) {
    const atMs = Number.parseInt(id.slice(4, 16), 16);
    expect(atMs).toBeGreaterThanOrEqual(before);
    expect(atMs).toBeLessThanOrEqual(Date.now());
  }
  expect(new Set(ids.map((id) => id.slice(16))).size).toBe(100);
});
