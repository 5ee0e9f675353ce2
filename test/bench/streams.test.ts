import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WrongAnswer } from '../../bench/answer-check.ts';
import { measureBooks } from '../../bench/books.ts';
import { chunksOf, FULL_STREAMS } from '../../bench/measure-streams.ts';
import { type Mock, startMock } from '../../bench/mock.ts';
import { CHAT_PATHS, cannedStream, MODELS, requestBody } from '../../bench/mock-answers.ts';
import { parseMostFiles, parsePssKib, sampleOf, slope } from '../../bench/samples.ts';
import { StreamCallers } from '../../bench/stream-callers.ts';
import { StreamCheck, StreamPattern } from '../../bench/stream-check.ts';

const CHUNKS = 4;
const { events, content } = cannedStream('qwen', CHUNKS);
const BODY = events.join('');
const pattern = new StreamPattern(BODY, content);
/** The same stream as another answer. */
const OTHER = BODY.replaceAll(/"id":"chatcmpl-\w/g, '"id":"chatcmpl-Z').replaceAll('"created":1790000000', '"created":1790000999');

function checked(text: string, size = 7): StreamCheck {
  const check = new StreamCheck(pattern);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) check.take(bytes.subarray(at, at + size));
  return check;
}

describe('the check of a stream while it comes', () => {
  test.each([1, 7, 269, 100_000])('the same, and one with another id and time, arriving %i bytes at a time', (size) => {
    expect(OTHER).not.toBe(BODY);
    for (const text of [BODY, OTHER]) expect(checked(text, size)).toMatchObject({ whole: true, seen: events.length, comments: 0 });
  });

  test('comments are counted, and are no part of it', () => {
    expect(checked(BODY.replaceAll('\n\n', '\n\n: keep-alive\n\n'))).toMatchObject({ whole: true, comments: events.length });
  });

  test.each([
    ['a text that differs in one byte', OTHER.replace('relay', 'delay')],
    ['an event less', events.toSpliced(2, 1).join('')],
    ['an event twice', events.toSpliced(2, 0, events[2] as string).join('')],
    ['two events in the other order', events.toSpliced(2, 2, events[3] as string, events[2] as string).join('')],
    ['an id that changes on the way', BODY.replace('"id":"c', '"id":"d')],
    ['more than [DONE]', `${BODY}data: [DONE]\n\n`],
    ['an error event', `${events.slice(0, 3).join('')}data: {"error":{"message":"x"}}\n\n`],
  ])('%s is wrong', (_, text) => {
    expect(() => checked(text)).toThrow(WrongAnswer);
  });

  test.each([
    ['before [DONE]', BODY.slice(0, -14)],
    ['inside an event', BODY.slice(0, -20)],
    ['nowhere, with more than it', `${BODY}d`],
  ])('cut %s it is not whole', (_, text) => {
    expect(checked(text).whole).toBe(false);
  });

  test('another text than the mock said is no pattern', () => {
    expect(() => new StreamPattern(BODY, `${content}x`)).toThrow(WrongAnswer);
  });
});

describe('callers that read streams', () => {
  let mock: Mock;
  beforeAll(async () => {
    mock = await startMock({ chunks: CHUNKS, burst: 20, everyMs: 1, slowMs: 5 });
  });
  afterAll(() => mock.close());

  // Callers ask for OpenAI's path: in front of the mock, that of the vendor.
  const proxied = async (answer: (path: string) => string, work: (callers: StreamCallers) => Promise<void>): Promise<void> => {
    const proxy = createServer((incoming, response) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', async () => {
        const upstream = await fetch(answer(CHAT_PATHS.qwen), { method: 'POST', body: Buffer.concat(parts) });
        response.writeHead(upstream.status, { 'content-type': 'text/event-stream' });
        for await (const part of upstream.body ?? []) response.write(part);
        response.end();
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const callers = new StreamCallers(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, pattern, 10);
    try {
      await work(callers);
    } finally {
      await callers.vanish();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  };

  test('a slow stream brings what a fast one does', () =>
    proxied(
      (path) => `http://127.0.0.1:${mock.port}${path}`,
      async (callers) => {
        const streams = (['slow', 'stream', 'slow'] as const).map((kind) => callers.open(requestBody(MODELS.qwen, kind)));
        expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual([null, null, null]);
        for (const { opened, check } of streams) {
          await opened;
          expect(check.whole).toBe(true);
        }
      },
    ));

  test('a refusal is no stream, and says so', () =>
    proxied(
      () => `http://127.0.0.1:${mock.port}/nowhere`,
      async (callers) => {
        const { opened, ended } = callers.open(requestBody(MODELS.qwen, 'slow'));
        await expect(opened).rejects.toThrow('status 404');
        expect(await ended).toContain('status 404');
      },
    ));
});

describe('samples', () => {
  test('what /proc says', () => {
    expect(parsePssKib('55-66 ---p 0 0:0 0 [rollup]\nRss:   100 kB\nPss:    4321 kB\nPss_Dirty:  1 kB\n')).toBe(4321);
    expect(() => parsePssKib('Rss: 1 kB\n')).toThrow('Pss');
    expect(
      parseMostFiles('Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 20000                files \n'),
    ).toBe(20000);
    expect(parseMostFiles('Max open files            unlimited            unlimited            files\n')).toBe(Number.POSITIVE_INFINITY);
    expect(() => parseMostFiles(readFileSync('/proc/self/status', 'latin1'))).toThrow('open files');
    const sample = sampleOf(process.pid, 10_000);
    expect(sample.files).toBeGreaterThan(3);
    expect(sample.rssKib).toBeGreaterThan(10_000);
  });

  test.each([
    [[0, 1, 2], [5, 7, 9], 2],
    [[0, 1, 2, 3], [4, 4, 4, 4], 0],
    [[10, 20, 30], [3, 2, 1], -0.1],
    [[0, 1, 2], [0, 2, 1], 0.5],
  ])('the slope over %j of %j', (xs, ys, rise) => {
    expect(slope(xs.map((x, index) => ({ x, y: ys[index] as number })))).toBeCloseTo(rise);
  });

  test('one place has no slope', () => {
    expect(() => slope([{ x: 1, y: 2 }])).toThrow(RangeError);
  });

  test('the full run lasts ten minutes', () => {
    expect(chunksOf(FULL_STREAMS) * FULL_STREAMS.slowMs).toBe(600_000);
  });
});

test('the bench of the books fills books and weighs them', async () => {
  const [figure] = await measureBooks(undefined, 600);
  expect(figure).toMatchObject({ name: 'SQLite' });
  // A line has some hundred bytes; tables and indices begin with pages of four thousand.
  expect(figure?.bytesPerLine).toBeGreaterThan(200);
  expect(figure?.bytesPerLine).toBeLessThan(3_000);
});
