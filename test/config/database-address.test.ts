import { describe, expect, test } from 'vitest';
import { databaseAddress } from '../../config/database-address.ts';
import { accepted, GOOD, problemsOf } from './setup.ts';

describe('database', () => {
  test.each([
    [undefined, { kind: 'sqlite', path: './data/estafet.db' }],
    ['memory:', { kind: 'memory' }],
    ['sqlite:books.db', { kind: 'sqlite', path: 'books.db' }],
    ['sqlite:/var/lib/estafet/books.db', { kind: 'sqlite', path: '/var/lib/estafet/books.db' }],
    ['sqlite:///var/lib/books.db', { kind: 'sqlite', path: '/var/lib/books.db' }],
    ['postgres://u:p@h:5444/d', { kind: 'postgres', url: 'postgres://u:p@h:5444/d' }],
    ['postgres://u@/d?host=/run/p', { kind: 'postgres', url: 'postgres://u@/d?host=/run/p' }],
    ['postgresql://h/d', { kind: 'postgres', url: 'postgresql://h/d' }],
  ])('%s', (text, expected) => expect(databaseAddress(text)).toEqual(expected));

  test.each([
    '',
    'books.db',
    'mysql://u:s3cret@h/d',
    'sqlite:',
    'sqlite::memory:',
    'sqlite:file:x',
    'sqlite:a\0b',
    'postgres://s3cret:@:x',
  ])('refuses %j without repeating it', (text) => {
    const read = databaseAddress(text);
    expect(read).toEqual({ fault: expect.stringMatching(/^(must|is)/) });
    expect(JSON.stringify(read)).not.toContain('s3cret');
  });

  test('a file that names one the relay cannot use is refused, whether written out or referenced', () => {
    expect(problemsOf(`${GOOD}database: env:QWEN_KEY\n`)).toEqual([
      'estafet.yaml:7:11  database: must be `sqlite:` and a path, `postgres://…` or `memory:`',
    ]);
    expect(problemsOf(`${GOOD}database: redis://x\n`)).toHaveLength(1);
  });

  test('books have defaults, and bounds', () => {
    expect(accepted(GOOD).config.books).toEqual({ retentionDays: 90, queueMax: 100_000, flushTimeoutMs: 10_000 });
    expect(problemsOf(`${GOOD}books: { retentionDays: 0 }\n`)[0]).toContain('books.retentionDays');
    expect(problemsOf(`${GOOD}books: { retentionDay: 9 }\n`)[0]).toContain('unknown key, did you mean "retentionDays"?');
  });
});
