import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnswerCheck, parseStream, WrongAnswer } from '../../bench/answer-check.ts';
import { parseCores, parseRssKib, parseStat, treeTicks } from '../../bench/cpu.ts';
import { median, pairedDifference, pairedRatio, quantile, table } from '../../bench/figures.ts';
import { type Mock, STATS_PATH, startMock } from '../../bench/mock.ts';
import {
  CHAT_PATHS,
  CHUNK_BYTES,
  cannedReply,
  cannedStream,
  DIALECTS,
  type Dialect,
  MODELS,
  REPLY_BYTES,
  REQUEST_BYTES,
  requestBody,
  USAGE,
} from '../../bench/mock-answers.ts';
import { latencyOf, perChunk, summaryOf } from '../../bench/report.ts';
import { ChunkEncoder } from '../../openai/chat/chunk-encoder.ts';
import { CompletionCollector } from '../../openai/chat/completion-collector.ts';
import type { AnswerHead } from '../../openai/chat/events.ts';
import { SseDecoder } from '../../openai/sse.ts';
import { TRANSLATORS } from '../../translators/registry.ts';

describe('/proc', () => {
  const stat = (pid: number, name: string, parent: number, times: string): string =>
    `${pid} (${name}) S ${parent} 1 1 0 -1 4194560 900 0 0 0 ${times} 20 0 11 0 5000 1200000 15000 18446744073709551615`;

  test.each([
    ['a plain name', 'node', '120 30 0 0', 150],
    ['a name with spaces and parentheses', 'a) S 1 (b', '120 30 0 0', 150],
    ['children that have ended', 'node', '1 2 3 4', 10],
  ])('stat: %s', (_, name, times, ticks) => {
    expect(parseStat(stat(4242, name, 17, times))).toEqual({ pid: 4242, parent: 17, ticks });
  });

  test.each(['', '12 node S 1', '12 (node) S 1 2 3'])('stat: "%s" is refused', (text) => {
    expect(() => parseStat(text)).toThrow('/proc/PID/stat');
  });

  test('the tree is a process and all below it, in whatever order they are listed', () => {
    const processes = [
      { pid: 30, parent: 20, ticks: 100 },
      { pid: 20, parent: 10, ticks: 10 },
      { pid: 10, parent: 1, ticks: 1 },
      { pid: 11, parent: 1, ticks: 1000 },
    ];
    expect(treeTicks(10, processes)).toBe(111);
  });

  test('status: resident memory and cores', () => {
    const text = 'Name:\tnode\nVmHWM:\t  99999 kB\nVmRSS:\t   51234 kB\nCpus_allowed:\t13\nCpus_allowed_list:\t0-1,4\n';
    expect(parseRssKib(text)).toBe(51234);
    expect(parseCores(text)).toEqual([0, 1, 4]);
    expect(() => parseRssKib('Name:\tkthreadd\n')).toThrow('VmRSS');
    expect(parseCores('Name:\tx\n')).toEqual([]);
  });
});

describe('figures', () => {
  test.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ])('median of %j', (values, middle) => {
    const before = [...values];
    expect(median(values)).toBe(middle);
    expect(values).toEqual(before);
  });

  test('a median of nothing, and ratios of unequal rounds, are refused', () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => pairedRatio([1, 2], [1])).toThrow(RangeError);
  });

  test.each([
    [[5, 1, 4, 2, 3], 0.5, 3],
    [[1, 2], 0.99, 2],
    [Array.from({ length: 200 }, (_, index) => index + 1), 0.99, 198],
    [[7], 0.01, 7],
  ])('of %j the part %f does not exceed %f', (values, part, value) => expect(quantile(values, part)).toBe(value));

  test('latency is set against both bare proxies, round by round', () => {
    const none = { perRequest: [], perPaced: [], perChunk: [] };
    const latencies = latencyOf([
      { ...none, name: 'n', process: 'node', p50: [1, 10, 1], p99: [2, 20, 2] },
      { ...none, name: 'e', process: 'express', p50: [2, 11, 2], p99: [3, 21, 3] },
      { ...none, name: 'r', process: 'relay', p50: [3, 12, 4], p99: [5, 23, 6] },
    ]);
    expect(latencies[2]).toEqual({ name: 'r', p50: 4, p99: 6, overNode: { p50: 2, p99: 3 }, overExpress: { p50: 1, p99: 2 } });
    expect(() => pairedDifference([1], [])).toThrow(RangeError);
  });

  test('a ratio pairs the rounds', () => {
    // The second round was slow for both: each pair says 2, although the medians (12 and 10) say 1.2.
    expect(pairedRatio([10, 200, 12], [5, 100, 6])).toBe(2);
    expect(pairedRatio([3, 2, 8], [2, 2, 2])).toBe(1.5);
  });

  test('a summary sets each target against both bare proxies', () => {
    const cpu = [
      { name: 'n', process: 'node', perRequest: [], perChunk: [2, 4, 3] },
      { name: 'e', process: 'express', perRequest: [], perChunk: [4, 8, 6] },
      { name: 'r', process: 'relay', perRequest: [], perChunk: [6, 12, 12] },
    ] as const;
    expect(
      summaryOf(
        cpu.map((figure) => ({ ...figure, perRequest: [], perPaced: [], perChunk: [...figure.perChunk], p50: [], p99: [] })),
        perChunk,
      )[2],
    ).toEqual({
      name: 'r',
      median: 12,
      least: 6,
      most: 12,
      overExpress: 1.5,
      overNode: 3,
      overRedis: null,
    });
  });

  test('columns line up', () => {
    expect(
      table([
        ['', 'µs'],
        ['relay', '7'],
      ]),
    ).toBe('       µs\nrelay   7');
  });
});

describe('the mock', () => {
  const CHUNKS = 45;
  let mock: Mock;
  beforeAll(async () => {
    mock = await startMock({ chunks: CHUNKS, burst: 20, everyMs: 1, slowMs: 1 });
  });
  afterAll(() => mock.close());

  const HEAD: AnswerHead = { id: 'chatcmpl-x', created: 1, model: 'gpt-4o', legacyFunctions: false, showReasoning: true };
  const translator = (dialect: Dialect) => TRANSLATORS.find(({ vendor }) => vendor === dialect)!;
  const usage = { prompt: USAGE.prompt, completion: USAGE.completion, cached: 0, reasoning: 0 };
  const ask = async (dialect: Dialect, kind: 'whole' | 'stream') => {
    const { statusCode, headers, body } = await request(`http://127.0.0.1:${mock.port}${CHAT_PATHS[dialect]}`, {
      method: 'POST',
      body: requestBody(MODELS[dialect], kind),
    });
    return { status: statusCode, contentType: String(headers['content-type']), body: Buffer.from(await body.arrayBuffer()) };
  };

  test.each(DIALECTS)('%s: a whole answer that its translator reads', async (dialect) => {
    const answer = await ask(dialect, 'whole');
    expect(answer.body.length).toBe(REPLY_BYTES);
    const collector = new CompletionCollector(HEAD);
    translator(dialect).whole(JSON.parse(answer.body.toString()), collector);
    expect(collector.lastUsage).toEqual(usage);
    const { content } = cannedReply(dialect);
    expect(JSON.parse(collector.json())).toMatchObject({ choices: [{ message: { content }, finish_reason: 'stop' }] });
    new AnswerCheck('whole', content).check(answer);
  });

  test.each(DIALECTS)('%s: a stream that its translator reads', async (dialect) => {
    const answer = await ask(dialect, 'stream');
    const { events, content } = cannedStream(dialect, CHUNKS);
    expect(answer.body.toString()).toBe(events.join(''));
    expect(events.filter((event) => Buffer.byteLength(event) === CHUNK_BYTES)).toHaveLength(CHUNKS);
    const encoder = new ChunkEncoder(HEAD, true);
    const reader = translator(dialect).frames(encoder);
    const decoder = new SseDecoder((data) => reader.frame(data));
    decoder.push(answer.body);
    decoder.end();
    reader.end();
    encoder.done();
    expect(encoder.lastUsage).toEqual(usage);
    // The relay's own bytes pass the check that the bench makes of them.
    const check = new AnswerCheck('stream', content);
    check.check({ status: 200, contentType: 'text/event-stream; charset=utf-8', body: Buffer.from(encoder.take()) });
    await expect.poll(mock.open).toBe(0);
  });

  test('a held stream stays open until its caller goes, and is counted', async () => {
    const gone = new AbortController();
    const { body } = await request(`http://127.0.0.1:${mock.port}${CHAT_PATHS.qwen}`, {
      method: 'POST',
      body: requestBody(MODELS.qwen, 'held'),
      signal: gone.signal,
    });
    await body[Symbol.asyncIterator]().next();
    const stats = await request(`http://127.0.0.1:${mock.port}${STATS_PATH}`);
    expect(await stats.body.json()).toEqual({ open: 1 });
    body.on('error', () => {});
    gone.abort();
    await expect.poll(mock.open).toBe(0);
  });

  test.each(['whole', 'stream', 'held', 'slow'] as const)('a request (%s) has its size', (kind) => {
    expect(requestBody('qwen-plus', kind)).toHaveLength(REQUEST_BYTES);
  });
});

describe('the check of answers', () => {
  const stream = (id: string, created: number, pieces: readonly string[]): Buffer => {
    const chunks = [
      ...pieces.map((content) => ({ id, created, choices: [{ delta: { content }, finish_reason: null }] })),
      { id, created, choices: [{ delta: {}, finish_reason: 'stop' }] },
      { id, created, choices: [], usage: { prompt_tokens: USAGE.prompt, completion_tokens: USAGE.completion } },
    ];
    return Buffer.from(`${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`);
  };
  const answer = (body: Buffer, status = 200) => ({ status, contentType: 'text/event-stream', body });
  const begun = (): AnswerCheck => {
    const check = new AnswerCheck('stream', 'abcd');
    check.check(answer(stream('id-1', 100, ['ab', 'cd'])));
    return check;
  };

  test('another id and time pass, again and again', () => {
    const check = begun();
    check.check(answer(stream('id-2', 101, ['ab', 'cd'])));
    check.check(answer(stream('id-3', 102, ['ab', 'cd'])));
  });

  test.each([
    ['a piece cut elsewhere', stream('id-2', 101, ['a', 'bcd'])],
    ['another text of the same length', stream('id-2', 101, ['ab', 'ce'])],
    ['a byte less', stream('id-2', 101, ['ab', 'c'])],
    ['an id that changes on the way', Buffer.from(stream('id-2', 101, ['ab', 'cd']).toString().replace('id-2', 'id-9'))],
  ])('%s is told from the first answer', (_, body) => {
    expect(() => begun().check(answer(body))).toThrow(WrongAnswer);
  });

  test.each([
    ['no [DONE]', 'data: {}\n\n'],
    ['no blank line at the end', 'data: {}\n\ndata: [DONE]\n'],
    ['a comment', ': hello\n\ndata: [DONE]\n\n'],
    ['no JSON', 'data: {\n\ndata: [DONE]\n\n'],
  ])('a stream with %s does not parse', (_, text) => {
    expect(() => parseStream(text)).toThrow(WrongAnswer);
  });

  test.each([
    ['a refusal', answer(stream('id', 1, ['abcd']), 503)],
    ["a text that is not the mock's", answer(stream('id', 1, ['abc']))],
    ['JSON where a stream was asked for', { ...answer(stream('id', 1, ['abcd'])), contentType: 'application/json' }],
  ])('a first answer that is %s is refused', (_, first) => {
    expect(() => new AnswerCheck('stream', 'abcd').check(first)).toThrow(WrongAnswer);
  });
});
