import { expect, test } from 'vitest';
import { LineForwarder } from '../../../server/workers/line-forwarder.ts';

const TEXT = '{"a":1}\n{"b":"接力"}\n\n{"c":3}\n';

test.each([1, 2, 3, 7, 1000])('whole lines go on, when they come %i bytes at a time', (size) => {
  const written: string[] = [];
  const lines = new LineForwarder((text) => written.push(text));
  const bytes = Buffer.from(TEXT);
  for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size));
  for (const text of written) expect(text.endsWith('\n')).toBe(true);
  lines.end();
  expect(written.join('')).toBe(TEXT);
});

test('what a dead process had begun becomes a line', () => {
  const written: string[] = [];
  const lines = new LineForwarder((text) => written.push(text));
  lines.push(Buffer.from('one\ntw'));
  lines.push(Buffer.from('o'));
  lines.end();
  lines.end();
  expect(written).toEqual(['one\n', 'two\n']);
});
