import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/guide/point-an-app.md', 'utf8');
const rows = [...page.matchAll(/^\| .+ \| `([^`]+)` (\d[\w.]*) \|$/gm)].map((match) => `${match[1]} ${match[2]}`);

test('the guide names the very versions that the tests run with', () => {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: Record<string, string> };
  const python = /^openai==(.+)$/m.exec(readFileSync('test/clients/requirements.txt', 'utf8'))?.[1];
  const node = ['openai', 'ai', '@ai-sdk/openai', '@langchain/core', '@langchain/openai'].map((name) => `${name} ${devDependencies[name]}`);
  expect(rows.toSorted()).toEqual([...node, `openai ${python}`].toSorted());
});
