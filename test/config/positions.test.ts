// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { expect, test } from 'vitest';
import { parse } from './setup.ts';

/** `¦` marks where the first problem must point; it is taken out before the file is read. */
test.each([
  ['a wrong value in block style', 'server:\n  host: 127.0.0.1\n  port: ¦-1\n'],
  ['an unknown key in block style', 'server:\n  ¦prot: 1\n'],
  ['an unknown key in flow style', 'server: { host: ::1, ¦prot: 1 }\n'],
  ['after references in braces', 'backends: { a: { vendor: qwen, apiKey: ${QWEN_KEY}, ¦x: ${GLM_KEY} } }\n'],
  ['a missing key points at its parent', 'backends:\n  ¦a:\n    apiKey: env:QWEN_KEY\n'],
  ['an entry of a list', 'backends: { a: { vendor: qwen, apiKey: env:QWEN_KEY } }\nmodels:\n  m:\n    - a/x\n    - ¦b/x\n'],
  ['a secret that is not there', 'backends:\n  a:\n    vendor: qwen\n    apiKey: ¦env:NOPE\n'],
  ['behind an anchor', 'models:\n  m: &m [¦zzz/x]\n  n: *m\nbackends: { a: { vendor: qwen, apiKey: env:QWEN_KEY } }\n'],
  ['a second key of the same name', 'server: { port: 1, ¦port: 2 }\n'],
])('%s', (_name, marked) => {
  const offset = marked.indexOf('¦');
  const before = marked.slice(0, offset).split('\n');
  const result = parse(marked.replace('¦', ''));
  if (result.ok) throw new Error('expected a refused file');
  const [first] = result.problems;
  expect({ line: first?.line, column: first?.column }, first?.message).toEqual({
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
  });
});
