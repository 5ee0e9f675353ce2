import { expect, test } from 'vitest';
import { accepted, GOOD, problemsOf } from './setup.ts';

const withCatalog = (entries: string): string => `${GOOD}catalog: ${entries}\n`;

test('an entry is taken as it stands', () => {
  const { config, warnings } = accepted(
    withCatalog('{ qwen/own:x: { family: qwen-plus, jsonObject: non-thinking, shutdown: 2027-01-31 }, glm/a/b: {} }'),
  );
  expect(config.catalog).toEqual({
    'qwen/own:x': { family: 'qwen-plus', jsonObject: 'non-thinking', shutdown: '2027-01-31' },
    'glm/a/b': {},
  });
  expect(warnings).toEqual([]);
});

test.each([
  ['{ qwne/a: {} }', 'estafet.yaml:7:12  catalog.qwne/a: unknown vendor "qwne", did you mean "qwen"?'],
  ['{ acme/a: {} }', 'estafet.yaml:7:12  catalog.acme/a: unknown vendor "acme"; there are: qwen, ernie, glm'],
  ['{ qwen-plus: {} }', 'estafet.yaml:7:12  catalog.qwen-plus: must be written as vendor/model'],
  ['{ qwen/: {} }', 'estafet.yaml:7:12  catalog.qwen/: must be written as vendor/model'],
  ['{ qwen/a: { vison: true } }', 'estafet.yaml:7:22  catalog.qwen/a.vison: unknown key, did you mean "vision"?'],
  ['{ qwen/a: { contextTokens: 0 } }', 'estafet.yaml:7:37  catalog.qwen/a.contextTokens: must be at least 1'],
  [
    '{ qwen/a: { thinking: sometimes } }',
    'estafet.yaml:7:32  catalog.qwen/a.thinking: "sometimes" is not one of none, optional, always, stream-only',
  ],
  ['{ qwen/a: { shutdown: soon } }', 'estafet.yaml:7:32  catalog.qwen/a.shutdown: must be a day such as 2027-01-31'],
  [
    '{ qwen/a: { shutdown: 2027-01-31, retired: false } }',
    'estafet.yaml:7:53  catalog.qwen/a.retired: contradicts shutdown: remove one of them',
  ],
])('%s', (entries, problem) => {
  expect(problemsOf(withCatalog(entries))).toEqual([problem]);
});
