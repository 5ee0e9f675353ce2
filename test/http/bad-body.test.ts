import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { checkErrorResponse, checkHeaders } from '../contract/openai-schema.ts';
import { chat, HELLO, KEY, openSimulated, rawExchange, type SimulatedDesk } from './desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated();
});
afterAll(() => desk.close());

/** Whatever was sent before: the process still answers, and nothing wrong has reached a vendor. */
afterEach(async () => {
  const reached = desk.simulator.journal().length;
  const good = await chat(desk);
  expect(good.status).toBe(200);
  await good.arrayBuffer();
  expect(desk.simulator.journal()).toHaveLength(reached + 1);
  expect(desk.log.filter(({ msg }) => msg === 'internal error')).toEqual([]);
  desk.simulator.reset();
});

interface Wanted {
  readonly status?: number;
  readonly code?: string | null;
  readonly param?: string | null;
}

async function refused(answer: Response, wanted: Wanted): Promise<void> {
  const body: unknown = await answer.json();
  expect(checkErrorResponse(answer.status, body)).toEqual([]);
  expect(checkHeaders(answer.headers, 'json')).toEqual([]);
  const { error } = body as { error: Record<string, unknown> };
  expect({ status: answer.status, code: error['code'], param: error['param'] }).toMatchObject({ status: 400, ...wanted });
  expect(desk.simulator.journal()).toHaveLength(0);
}

const nested = (levels: number, open: string, close: string): string =>
  `{"model":"gpt-4o","messages":[{"role":"user","content":"x"}],"x":${open.repeat(levels)}${close.repeat(levels)}}`;
const MESSAGES = '"messages":[{"role":"user","content":"x"}]';

describe('bodies that are no JSON object', () => {
  test.each<[string, string | Uint8Array]>([
    ['empty', ''],
    ['white space', ' \n '],
    ['half an object', '{"model":"gpt-4o"'],
    ['two objects', '{}{}'],
    ['single quotes', "{'model':'gpt-4o'}"],
    ['a trailing comma', `{"model":"gpt-4o",${MESSAGES},}`],
    ['a comment', `{"model":"gpt-4o",/* */${MESSAGES}}`],
    ['NaN', `{"model":"gpt-4o","temperature":NaN,${MESSAGES}}`],
    ['Infinity', `{"model":"gpt-4o","temperature":-Infinity,${MESSAGES}}`],
    ['a byte order mark', `\ufeff${JSON.stringify(HELLO)}`],
    ['an array', `[${JSON.stringify(HELLO)}]`],
    ['a string', '"gpt-4o"'],
    ['a number', '12'],
    ['null', 'null'],
    ['true', 'true'],
    ['form fields', 'model=gpt-4o&messages=x'],
    ['a cut UTF-8 character', Buffer.concat([Buffer.from('{"model":"gpt-4o","x":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')])],
    ['an overlong UTF-8 slash', Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])],
    ['a UTF-8 surrogate', Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')])],
    ['UTF-16', Buffer.from(JSON.stringify(HELLO), 'utf16le')],
    ['a NUL behind it', Buffer.from(`${JSON.stringify(HELLO)}\0`)],
    ['unclosed depth', '['.repeat(100_000)],
  ])('%s', async (_name, body) => refused(await chat(desk, body), { status: 400, code: null, param: null }));

  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('100,000 nested %s', async (_name, open, close) => {
    const text = nested(100_000, open, close).replace(/:}/, ':1}');
    await refused(await chat(desk, text), { code: 'object_too_deep' });
  });

  test('the depth limit itself is allowed, one more is not', async () => {
    // The body is the first level, so 63 lists fit into 64.
    const fits = await chat(desk, nested(63, '[', ']'));
    expect(fits.status).toBe(200);
    await fits.arrayBuffer();
    desk.simulator.reset();
    await refused(await chat(desk, nested(64, '[', ']')), { code: 'object_too_deep' });
  });
});

describe('values', () => {
  test.each<[string, string, Wanted]>([
    ['no model', `{${MESSAGES}}`, { code: 'missing_required_parameter', param: 'model' }],
    ['model null', `{"model":null,${MESSAGES}}`, { code: 'missing_required_parameter', param: 'model' }],
    ['model a number', `{"model":4,${MESSAGES}}`, { code: 'invalid_type', param: 'model' }],
    ['model a list', `{"model":["gpt-4o"],${MESSAGES}}`, { code: 'invalid_type', param: 'model' }],
    ['model empty', `{"model":"",${MESSAGES}}`, { code: 'empty_string', param: 'model' }],
    ['model too long', `{"model":"${'m'.repeat(257)}",${MESSAGES}}`, { code: 'string_above_max_length', param: 'model' }],
    ['model half a pair', `{"model":"\\ud800",${MESSAGES}}`, { code: 'invalid_value', param: 'model' }],
    ['upper-case escape of half a pair', `{"model":"\\uDC00",${MESSAGES}}`, { code: 'invalid_value', param: 'model' }],
    [
      'half a pair in a message',
      '{"model":"gpt-4o","messages":[{"role":"user","content":"a\\ud83dz"}]}',
      { code: 'invalid_value', param: 'messages[0].content' },
    ],
    ['half a pair in a key', `{"model":"gpt-4o",${MESSAGES},"metadata":{"\\ud83d":"x"}}`, { code: 'invalid_value', param: 'metadata' }],
    ['no messages', '{"model":"gpt-4o"}', { code: 'missing_required_parameter', param: 'messages' }],
    ['messages an object', '{"model":"gpt-4o","messages":{}}', { code: 'invalid_type', param: 'messages' }],
    ['messages empty', '{"model":"gpt-4o","messages":[]}', { code: 'empty_array', param: 'messages' }],
    ['a huge number', `{"model":"gpt-4o",${MESSAGES},"temperature":1e400}`, { code: 'invalid_value', param: 'temperature' }],
    ['a huge integer', `{"model":"gpt-4o",${MESSAGES},"max_tokens":1e400}`, { code: 'invalid_value', param: 'max_tokens' }],
    ['too many digits', `{"model":"gpt-4o",${MESSAGES},"n":${'9'.repeat(400)}}`, { param: 'n' }],
    ['stream a string', `{"model":"gpt-4o",${MESSAGES},"stream":"true"}`, { code: 'invalid_type', param: 'stream' }],
    ['the last of duplicate keys counts', `{"model":"gpt-4o","model":"nope",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
    ['model __proto__', `{"model":"__proto__",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
    ['model constructor', `{"model":"constructor",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
    ['model toString', `{"model":"toString",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
    ['backend __proto__', `{"model":"__proto__/x",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
    ['backend constructor', `{"model":"constructor/x",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
    ['a backend without a model', `{"model":"qwen/",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
    ['model with line breaks', `{"model":"a\\r\\nb\`c",${MESSAGES}}`, { status: 404, code: 'model_not_found' }],
  ])('%s', async (_name, body, wanted) => refused(await chat(desk, body), wanted));

  test('an inherited field is no field', async () => {
    const text = `{"model":"gpt-4o",${MESSAGES},"__proto__":{"temperature":9,"stream":true,"max_tokens":1},"constructor":{"prototype":{"n":7}}}`;
    const answer = await chat(desk, text);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    const sent = desk.simulator.journal()[0]?.body as Record<string, unknown>;
    expect(sent).not.toHaveProperty('temperature');
    expect(sent['stream']).not.toBe(true);
    expect(sent['max_tokens']).not.toBe(1);
    expect(({} as Record<string, unknown>)['n']).toBeUndefined();
  });

  test('a message for the caller does not grow with what the caller sent', async () => {
    const long = 'x'.repeat(2_000_000);
    for (const part of [
      { model: long },
      { tools: [{ type: long }] },
      { functions: [{ name: 'f' }], function_call: { name: long } },
      { functions: [{ name: 'f', parameters: { type: long } }] },
      { response_format: { type: 'json_schema', json_schema: { name: 'n', strict: true, schema: { type: long } } } },
      { tools: [{ type: 'function', function: { name: 'f' } }], tool_choice: { type: 'function', function: { name: long } } },
      { logit_bias: { [long]: 'x' } },
      { metadata: { [long]: 1 } },
    ]) {
      const answer = await chat(desk, { ...HELLO, ...part });
      expect(answer.status).toBe(400);
      expect((await answer.text()).length, JSON.stringify(part).slice(0, 80)).toBeLessThan(3_000);
    }
  });

  test('a body of millions of small lists does not grow in memory', async () => {
    const bytes = Buffer.from(`{"model":"gpt-4o","messages":[${'[],'.repeat(5_000_000)}[]]}`);
    const answer = await chat(desk, bytes);
    expect(answer.status).toBe(400);
    await answer.arrayBuffer();
    // Most the process ever had; JSON.parse alone takes some 500 MB for these.
    expect(process.resourceUsage().maxRSS / 1024).toBeLessThan(1_300);
  });
});

describe('sizes', () => {
  const MIB = 1024 * 1024;
  const huge = JSON.stringify({ ...HELLO, pad: 'x'.repeat(20 * MIB) });

  test('20 MiB with a length', async () => refused(await chat(desk, huge), { status: 413, code: 'request_too_large' }));

  test('20 MiB in chunks, without a length', async () => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n`;
    const piece = Buffer.from(`100000\r\n${'x'.repeat(MIB)}\r\n`);
    const answer = await rawExchange(desk.port, [head, ...Array.from({ length: 20 }, () => piece), '0\r\n\r\n']);
    expect(answer.status).toBe(413);
    expect(checkErrorResponse(answer.status, JSON.parse(answer.body))).toEqual([]);
    expect(checkHeaders(answer.headers, 'json')).toEqual([]);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('a %s bomb', async (encoding, compress) => {
    const bomb = compress(Buffer.from(huge));
    expect(bomb.length).toBeLessThan(MIB);
    await refused(await chat(desk, bomb, { 'content-encoding': encoding }), { status: 413, code: 'request_too_large' });
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('a small %s body is read', async (encoding, compress) => {
    const answer = await chat(desk, compress(Buffer.from(JSON.stringify(HELLO))), { 'content-encoding': encoding });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  });

  test.each([
    ['broken gzip', 'gzip', Buffer.from('no gzip at all')],
    ['gzip that breaks off', 'gzip', gzipSync(Buffer.from(JSON.stringify(HELLO))).subarray(0, 20)],
    ['plain text as br', 'br', Buffer.from(JSON.stringify(HELLO))],
  ])('%s', async (_name, encoding, body) => refused(await chat(desk, body, { 'content-encoding': encoding }), { status: 400, code: null }));
});

describe('content types and encodings', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'application/xml',
    'json',
    'text/json',
    'application/json, text/plain',
  ])('%s', async (type) =>
    refused(await chat(desk, JSON.stringify(HELLO), { 'content-type': type }), { status: 415, code: 'unsupported_content_type' }),
  );

  test.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.api+json', 'application/json;charset="utf-8"'])(
    '%s is JSON',
    async (type) => {
      const answer = await chat(desk, JSON.stringify(HELLO), { 'content-type': type });
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    },
  );

  test.each(['zstd', 'gzip, gzip', 'constructor', '__proto__', 'compress'])('encoding %s', async (encoding) =>
    refused(await chat(desk, JSON.stringify(HELLO), { 'content-encoding': encoding }), { status: 415, code: 'unsupported_content_type' }),
  );

  test('names of encodings in any case', async () => {
    const answer = await chat(desk, gzipSync(Buffer.from(JSON.stringify(HELLO))), { 'content-encoding': 'GZIP' });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  });
});
