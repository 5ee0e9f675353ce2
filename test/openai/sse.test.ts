import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseDecoder, SseError } from '../../openai/sse.ts';

/** All events of the bytes when they come in pieces that end at the given places. */
function decode(bytes: Buffer, cuts: readonly number[] = [], maxEventBytes?: number): string[] {
  const events: string[] = [];
  const decoder = new SseDecoder((data) => void events.push(data), maxEventBytes);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    decoder.push(bytes.subarray(from, cut));
    from = cut;
  }
  decoder.push(bytes.subarray(from));
  decoder.end();
  return events;
}

const all = (text: string): string[] => decode(Buffer.from(text));

/** The WHATWG rules, line by line over a whole text, with the three allowances of the decoder. */
function reference(text: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  for (const line of [...lines, '']) {
    if (line === '' || line.startsWith('id:')) {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
      continue;
    }
    if (line.startsWith('{')) events.push(line);
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    if (name === 'data') data.push(colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, ''));
  }
  return events;
}

describe('events', () => {
  test.each<[string, string, string[]]>([
    ['one line', 'data: a\n\n', ['a']],
    ['no space', 'data:a\n\n', ['a']],
    ['only one space is taken', 'data:  a\n\n', [' a']],
    ['several data lines', 'data: a\ndata: b\n\n', ['a\nb']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['mixed ends', 'data: a\r\n\ndata: b\n\r\n', ['a', 'b']],
    ['comments', ': ping\n\n: HTTP_STATUS/200\ndata: a\n\n', ['a']],
    ['other fields', 'event: error\nid: 7\nretry: 10\ndata: a\n\n', ['a']],
    ['frames without blank lines', 'id:1\nevent:result\n:HTTP_STATUS/200\ndata:a\nid:2\nevent:result\ndata:b\n', ['a', 'b']],
    ['fields without data', 'event: ping\n\n', []],
    ['a name that only begins so', 'database: a\n\ndata: b\n\n', ['b']],
    ['a field without a colon', 'data: a\ndata\ndata: b\n\n', ['a\n\nb']],
    ['empty data', 'data:\n\n', ['']],
    ['blank lines', '\n\n\ndata: a\n\n\n\n', ['a']],
    ['no blank line at the end', 'data: a\n\ndata: b', ['a', 'b']],
    ['no blank line but a line end', 'data: b\n', ['b']],
    ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
    ['a second mark is text', 'data: \ufeffa\n\n', ['\ufeffa']],
    ['a bare JSON error', 'data: a\n\n{"error":{"code":"x"}}\n', ['a', '{"error":{"code":"x"}}']],
    ['a bare JSON error without an end', '{"error":1}', ['{"error":1}']],
    ['nothing', '', []],
    ['[DONE]', 'data: [DONE]\n\n', ['[DONE]']],
  ])('%s', (_name, text, events) => {
    expect(all(text)).toEqual(events);
    expect(reference(text)).toEqual(events);
  });

  test('an event leaves as soon as its blank line has come', () => {
    const events: string[] = [];
    const decoder = new SseDecoder((data) => void events.push(data));
    decoder.push(Buffer.from('data: a\n'));
    expect(events).toEqual([]);
    decoder.push(Buffer.from('\ndata: b'));
    expect(events).toEqual(['a']);
  });

  test('a comment is told before the data behind it, and needs no listener', () => {
    const told: string[] = [];
    const decoder = new SseDecoder(
      (data) => void told.push(data),
      undefined,
      (text) => void told.push(`comment ${text}`),
    );
    decoder.push(Buffer.from(': ping\n\nid:1\n:HTTP_STATUS/429\ndata:a\n\n:'));
    decoder.end();
    expect(told).toEqual(['comment  ping', 'comment HTTP_STATUS/429', 'a', 'comment ']);
    expect(all(':x\ndata: a\n\n')).toEqual(['a']);
  });

  test('an error of the listener comes out of push', () => {
    const decoder = new SseDecoder(() => {
      throw new Error('told');
    });
    expect(() => decoder.push(Buffer.from('data: a\n\n'))).toThrow('told');
  });
});

describe('any stream, split anywhere', () => {
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('你好', '👩‍👩‍👧', 'é', '{"a":1}', '[DONE]', ' '));
  const value = text.map((entry) => entry.replace(/[\r\n]/g, ''));
  const line = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom('data: ', 'data:'), value).map((parts) => parts.join('')) },
    fc.constantFrom('', '', ': ping', 'event: error', 'id: 1', 'retry: 5', 'data', 'dat', '{"error":{}}', ':'),
    value,
  );
  const end = fc.constantFrom('\n', '\n', '\r\n', '\r');
  const stream = fc.array(fc.tuple(line, end), { maxLength: 24 }).map((lines) => lines.map((parts) => parts.join('')).join(''));

  test('the same as the reference', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 12 }), fc.boolean(), (body, places, mark) => {
        const whole = mark ? `\ufeff${body}` : body;
        const bytes = Buffer.from(whole);
        const cuts = places.map((place) => place % (bytes.length + 1));
        expect(decode(bytes, cuts)).toEqual(reference(whole));
      }),
      { numRuns: 2000 },
    );
  });

  test('the same byte by byte', () => {
    fc.assert(
      fc.property(stream, (body) => {
        const bytes = Buffer.from(body);
        expect(
          decode(
            bytes,
            [...bytes.keys()].map((at) => at + 1),
          ),
        ).toEqual(reference(body));
      }),
      { numRuns: 300 },
    );
  });
});

describe('bounds', () => {
  test('a line that does not end', () => {
    const decoder = new SseDecoder(() => {}, 100);
    decoder.push(Buffer.from(`data: ${'x'.repeat(94)}`));
    expect(() => decoder.push(Buffer.from('y'))).toThrow(SseError);
  });

  test('an event of many lines', () => {
    const decoder = new SseDecoder(() => {}, 100);
    expect(() => {
      for (let count = 0; count < 60; count++) decoder.push(Buffer.from('data: xx\n'));
    }).toThrow(SseError);
  });

  test('many events together may be larger', () => {
    expect(decode(Buffer.from('data: 12345678\n\n'.repeat(50)), [], 20)).toHaveLength(50);
  });

  test('a long line in small pieces is read in linear time', () => {
    const piece = Buffer.alloc(64, 'x');
    const events: string[] = [];
    const decoder = new SseDecoder((data) => void events.push(data));
    decoder.push(Buffer.from('data: '));
    for (let count = 0; count < 60_000; count++) decoder.push(piece);
    decoder.push(Buffer.from('\n\n'));
    expect(events[0]).toHaveLength(64 * 60_000);
  });

  test('what is held is a copy: the network buffer may be used again', () => {
    const events: string[] = [];
    const decoder = new SseDecoder((data) => void events.push(data));
    const buffer = Buffer.from('data: first');
    decoder.push(buffer);
    buffer.fill('z');
    decoder.push(Buffer.from('\n\n'));
    expect(events).toEqual(['first']);
  });
});

describe('text that is not UTF-8', () => {
  test.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a cut character', [0xe4, 0xbd]],
  ])('%s', (_name, bytes) => {
    expect(() => decode(Buffer.concat([Buffer.from('data: '), Buffer.from(bytes), Buffer.from('\n\n')]))).toThrow(SseError);
    expect(() => decode(Buffer.concat([Buffer.from('data: '), Buffer.from(bytes)]))).toThrow(SseError);
  });
});
