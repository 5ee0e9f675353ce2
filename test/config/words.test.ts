import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globMatches, globsOverlap, regionMatches } from '../../config/glob.ts';
import { editDistance, nearest } from '../../config/nearest.ts';
import { networkFault, networksOverlap } from '../../config/network.ts';
import { formatPath, formatProblem } from '../../config/problem.ts';

describe('nearest', () => {
  test.each([
    ['vender', 'vendor'],
    ['apikey', 'apiKey'],
    ['api_key', 'apiKey'],
    ['regoin', 'region'],
    ['tiemouts', 'timeouts'],
    ['xyz', undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%.20s → %s', (written, expected) => {
    expect(nearest(written, ['vendor', 'region', 'apiKey', 'timeouts'])).toBe(expected);
  });

  test.each([
    ['', '', 0],
    ['', 'ab', 2],
    ['ab', 'ba', 1],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('distance of %j and %j is %i', (a, b, expected) => {
    expect(editDistance(a, b)).toBe(expected);
    expect(editDistance(b, a)).toBe(expected);
  });

  test('one edit is one apart', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-d]{1,10}$/), fc.nat(9), (text, at) => {
        const index = at % text.length;
        expect(editDistance(text, `${text.slice(0, index)}#${text.slice(index)}`)).toBe(1);
        expect(editDistance(text, `${text.slice(0, index)}#${text.slice(index + 1)}`)).toBe(1);
      }),
    );
  });
});

describe('globs', () => {
  test.each([
    ['*', '', true],
    ['cn-*', 'cn-beijing', true],
    ['cn-*', 'cn', false],
    ['*-1', 'us-east-1', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['gpt-4o', 'gpt-4o-mini', false],
    ['a.c', 'abc', false],
    ['', '', true],
    ['', 'a', false],
    ['a', '*', false],
  ])('%j matches %j: %s', (pattern, text, expected) => {
    expect(globMatches(pattern, text)).toBe(expected);
  });

  test.each([
    ['cn-*', 'cn-beijing', true],
    ['cn-*', 'cn', true],
    ['cn-*', 'cnx', false],
    ['cn-*', 'us-cn', false],
    ['*', 'intl', true],
    ['cn*', 'cn', true],
    ['cn', 'cn-beijing', false],
    ['-*', '', true],
  ])('a permit of %j covers region %j: %s', (pattern, region, expected) => {
    expect(regionMatches(pattern, region)).toBe(expected);
  });

  test('agrees with a regular expression', () => {
    const short = fc.stringMatching(/^[ab*]{0,6}$/);
    fc.assert(
      fc.property(short, fc.stringMatching(/^[ab]{0,6}$/), (pattern, text) => {
        expect(globMatches(pattern, text)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text));
      }),
    );
  });

  test('two patterns overlap if some text fits both', () => {
    const texts = ['', 'a', 'b'];
    for (let from = 1; texts.length < 255; from++) texts.push(`${texts[from]}a`, `${texts[from]}b`);
    const short = fc.stringMatching(/^[ab*]{0,3}$/);
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(globsOverlap(a, b)).toBe(texts.some((text) => globMatches(a, text) && globMatches(b, text)));
      }),
    );
  });

  test('stars without end cost no time', () => {
    const started = performance.now();
    expect(globMatches('*a'.repeat(60), 'a'.repeat(59))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('networks', () => {
  test.each(['10.0.0.0/8', '10.1.2.3', '0.0.0.0/0', '::1', '2001:db8::/32', '::/0', '127.0.0.1/32'])('%s is one', (entry) => {
    expect(networkFault(entry)).toBeUndefined();
  });
  test.each([
    '',
    '10',
    '10.1',
    '0x7f.1',
    '010.0.0.1',
    '10.0.0.256',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.1/8',
    '2001:db8::1/32',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    '::ffff:10.0.0.0/104',
    'localhost',
    '10.0.0.0/08x',
    '*',
  ])('%j is none', (entry) => {
    expect(networkFault(entry)).toBeTypeOf('string');
  });
  test.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['10.0.0.0/8', '11.0.0.0/8', false],
    ['10.0.0.0/8', '::/0', false],
    ['2001:db8::/32', '2001:db8:1::1', true],
  ])('%s and %s overlap: %s', (a, b, expected) => {
    expect(networksOverlap(a, b)).toBe(expected);
    expect(networksOverlap(b, a)).toBe(expected);
  });
});

describe('problems', () => {
  test.each([
    [[], ''],
    [['backends', 'qwen', 'vender'], 'backends.qwen.vender'],
    [['keys', 0, 'team'], 'keys[0].team'],
    [['models', 'gpt-4.1', 0], 'models."gpt-4.1"[0]'],
    [['models', 'a"b'], 'models."a\\"b"'],
  ])('%j is written %s', (path, expected) => {
    expect(formatPath(path)).toBe(expected);
  });

  test('one line each', () => {
    const problem = {
      file: 'estafet.yaml',
      path: 'backends.qwen.vender',
      line: 12,
      column: 5,
      message: 'unknown key, did you mean "vendor"?',
      nearest: 'vendor',
    };
    expect(formatProblem(problem)).toBe('estafet.yaml:12:5  backends.qwen.vender: unknown key, did you mean "vendor"?');
    expect(formatProblem({ ...problem, path: '', line: 0, column: 0, message: 'is not UTF-8 text' })).toBe(
      'estafet.yaml  is not UTF-8 text',
    );
  });
});
