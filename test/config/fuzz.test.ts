// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explainConfig } from '../../config/explain.ts';
import { formatProblem } from '../../config/problem.ts';
import { GOOD, parse } from './setup.ts';

/** Whatever comes in: an answer, never an exception; a refusal always says something, at a place inside the file. */
function answers(text: string): void {
  const result = parse(text);
  if (result.ok) {
    expect(explainConfig(result.config, result.warnings)).toContain('estafet.yaml: good');
    return;
  }
  expect(result.problems.length).toBeGreaterThan(0);
  const lines = text.split(/\r\n|\n|\r/).length;
  for (const problem of result.problems) {
    expect(problem.message).not.toBe('');
    expect(problem.line).toBeLessThanOrEqual(lines + 1);
    expect(formatProblem(problem)).toMatch(/^estafet\.yaml(?::\d+:\d+)? {2}/);
  }
}

test('any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), answers), { numRuns: 300 });
});

test('text made of what YAML is made of', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    '\n',
    '  ',
    '\t',
    '&a ',
    '*a',
    '"',
    "'",
    '|',
    '>',
    '!',
    '#',
    '%',
    '---\n',
    '${A}',
    '<<',
    '__proto__',
    '? ',
    ', ',
    'backends',
    'keys',
    'x',
    '1',
    '~',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => answers(pieces.join(''))),
    { numRuns: 1500 },
  );
});

test('a good file with a piece replaced', () => {
  const junk = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('[]', '{}', '~', '-1', '.nan', '*x', '&x ', '${NOPE}', '"', '\n', ': '),
  );
  fc.assert(
    fc.property(fc.nat(GOOD.length), fc.nat(12), junk, (at, length, text) => answers(GOOD.slice(0, at) + text + GOOD.slice(at + length))),
    { numRuns: 400 },
  );
});

test('any value in any place of the tree', () => {
  const section = fc.constantFrom('server', 'backends', 'models', 'teams', 'keys', 'redis', 'database', 'other');
  const inner = fc.constantFrom(
    'vendor',
    'permit',
    'limits',
    'timeouts',
    'breaker',
    'prices',
    'apiKey',
    'name',
    'team',
    'to',
    'budget',
    'constructor',
    'port',
  );
  const leaf = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('qwen', 'env:QWEN_KEY', 'a/b', '*'));
  const node = fc.oneof(leaf, fc.dictionary(inner, leaf), fc.array(fc.dictionary(inner, leaf), { maxLength: 2 }));
  const tree = fc.dictionary(section, fc.oneof(node, fc.dictionary(fc.constantFrom('a', 'b', 'toString'), node)));
  fc.assert(
    fc.property(tree, (value) => answers(JSON.stringify(value))),
    { numRuns: 400 },
  );
});
