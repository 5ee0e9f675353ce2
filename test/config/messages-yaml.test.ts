// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { describe, expect, test } from 'vitest';
import { problemsOf } from './setup.ts';

/** Each bad file and the first line it gets. The message is the contract: what was wrong, where, what to do. */
const start = (expected: string) => `estafet.yaml${expected.startsWith(' ') ? '' : ':'}${expected}`;

describe('YAML', () => {
  test.each([
    ['empty', '', '1:1  the file is empty; config/examples has files to start from'],
    ['only a comment', '# nothing\n', '1:1  the file is empty; config/examples has files to start from'],
    ['a list', '- a\n', '1:1  the file must be a mapping such as "server: …", "backends: …"'],
    ['plain text', 'hello', '1:1  the file must be a mapping such as "server: …", "backends: …"'],
    ['a tab', 'server:\n\tport: 1\n', '2:1  tabs are not allowed for indentation, use spaces'],
    [
      'unclosed brace',
      'server: {port: 1',
      '1:17  YAML syntax: Flow map in block collection must be sufficiently indented and end with a }',
    ],
    ['two documents', 'server: {}\n---\nserver: {}\n', '2:1  the file must hold one document: remove the second ---'],
    ['a bare star', 'teams: { t: { permit: { vendors: [*] } } }', '1:35  a value that starts with * must be quoted, as in "*"'],
    ['a tag', 'server: !thing {}', '1:9  tags such as !name are not supported, write plain text'],
    ['a binary tag', 'redis: !!binary aGk=', '1:17  redis: tags such as !!binary are not supported, write plain text'],
    ['a key twice', 'server: {}\nbackends: {}\nserver: {}\n', '3:1  server: is written twice'],
    ['a quoted key twice', 'backends:\n  a: {}\n  "a": {}\n', '3:3  backends.a: is written twice'],
    ['__proto__', 'backends:\n  __proto__: { vendor: qwen }\n', '2:3  backends.__proto__: "__proto__" is not allowed as a name'],
    ['a mapping as key', '? { a: 1 }\n: b\n', '1:1  a key must be plain text'],
    ['unknown alias', 'server: *nothing\n', '1:9  server: alias *nothing has no anchor &nothing before it'],
    ['an alias in itself', 'models: &a { x: *a }\n', '1:17  models.x.x: alias *a contains itself'],
    ['a merge key', 'server: { "<<": { port: 1 } }', '1:11  server.<<: unknown key; the keys here are: '],
    ['too deep', `a: ${'['.repeat(40)}${']'.repeat(40)}`, '1:36  nested more than 32 levels'],
    ['too deep by indentation', Array.from({ length: 40 }, (_, level) => `${' '.repeat(level)}a:\n`).join(''), '34:34  a.a.a'],
    ['far too deep', '['.repeat(50_000), '1:33  nested more than 32 levels'],
    ['5,000 lists', `server: {}\nmodels: ${'['.repeat(5_000)}${']'.repeat(5_000)}\n`, '2:41  nested more than 32 levels'],
    ['5,000 mappings', `models:\n  ${'{a: '.repeat(5_000)}1${'}'.repeat(5_000)}\n`, '2:131  nested more than 32 levels'],
    ['5,000 dashes', `models:\n  ${'- '.repeat(5_000)}x\n`, '2:67  nested more than 32 levels'],
    ['brackets in text are no levels', `x: "${'['.repeat(99)}"\n`, '1:1  x: unknown key; the keys here are: server, '],
    ['too long', `# ${'x'.repeat(1024 * 1024)}`, '  the file is longer than 1024 KiB'],
    ['a BOM does not move columns', '\uFEFFsevrer: {}\n', '1:1  sevrer: unknown key, did you mean "server"?'],
    [
      'a reference in braces does not move columns',
      'x: ${A}\ny: { a: ${B}, b: ${C} }\nsevrer: { a: ${B} }',
      '1:1  x: unknown key; the keys here are: server, ',
    ],
    ['Windows line ends', 'server: {}\r\nsevrer: {}\r\n', '2:1  sevrer: unknown key, did you mean "server"?'],
  ])('%s', (_name, text, expected) => {
    const line = problemsOf(text)[0] ?? '';
    expect(line.slice(0, start(expected).length)).toBe(start(expected));
  });

  test('a thousand levels of indentation', () => {
    const text = Array.from({ length: 1_000 }, (_, level) => `${' '.repeat(level)}a:\n`).join('');
    const problems = problemsOf(text);
    expect(problems[0]).toMatch(/^estafet\.yaml:\d+:\d+ {2}.*nested more than 32 levels$/);
    expect(problems.join()).not.toMatch(/stack|regular/i);
  });

  test.each([
    ['server: { port: 99999999999999999999999 }', '1:17  server.port: must be at most 65535'],
    ['server: { port: -99999999999999999999999 }', '1:17  server.port: must be at least 0'],
    ['server: { heartbeatMs: 1e30 }', '1:24  server.heartbeatMs: must be at most 2147483647'],
  ])('%s has one problem', (text, expected) => {
    expect(problemsOf(text).filter((line) => line.includes('  server.'))).toEqual([`estafet.yaml:${expected}`]);
  });

  test('an alias bomb is refused, and quickly', () => {
    const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    const started = performance.now();
    expect(problemsOf(bomb.join('\n'))[0]).toMatch(/^estafet\.yaml:\d+:\d+ {2}a2.*: more than 100 aliases \(\*name\) in one file$/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
