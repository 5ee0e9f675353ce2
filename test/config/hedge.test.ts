import { describe, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import { parseConfig } from '../../config/load.ts';
import { isChatModel } from '../../relay/routing/chat-models.ts';
import { accepted, ENV, GOOD, noFile, vendors } from './setup.ts';

const entry = (text: string) => accepted(`${GOOD}models: { m: ${text} }\n`).config.models['m'];

test.each([
  ['{ to: [qwen/a, qwen/b] }', null],
  ['{ hedge: off, to: [qwen/a] }', null],
  ['[qwen/a, qwen/b]', null],
  ['{ hedge: p95, to: [qwen/a, qwen/b] }', { after: 'p95', mostPercent: 10 }],
  ['{ hedge: 800, to: [qwen/a, qwen/b] }', { after: 800, mostPercent: 10 }],
  ['{ hedge: { after: p99 }, to: [qwen/a, qwen/b] }', { after: 'p99', mostPercent: 10 }],
  ['{ hedge: { after: 100, mostPercent: 1 }, to: [qwen/a, qwen/b] }', { after: 100, mostPercent: 1 }],
])('%s', (text, hedge) => {
  expect(entry(text)?.hedge).toEqual(hedge);
});

test.each([
  ['[qwen/a]', null],
  ['{ to: [qwen/a] }', null],
  ['{ totalDeadlineMs: 5000, to: [qwen/a] }', 5000],
])('the deadline of %s', (text, totalDeadlineMs) => {
  expect(entry(text)?.totalDeadlineMs).toBe(totalDeadlineMs);
});

describe('for chat models only, as far as the catalogue knows', () => {
  const catalog = loadCatalog();
  const problemsOf = (to: string): string[] => {
    const text = `${GOOD}models: { m: { hedge: p95, to: ${to} } }\n`;
    const chats = (vendor: string, model: string): boolean => isChatModel(catalog, vendor, model);
    const result = parseConfig(text, { file: 'estafet.yaml', env: ENV, readFile: noFile, vendors, chats });
    return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
  };
  test.each([
    ['[qwen/qwen-plus, qwen/qwen-max]', null],
    ['[qwen/nobody-knows, qwen/qwen-max]', null],
    ['[qwen/text-embedding-v4, qwen/text-embedding-v3]', 'qwen/text-embedding-v4'],
    ['[qwen/qwen-plus, qwen/text-embedding-v3]', 'qwen/text-embedding-v3'],
    ['[qwen/text-embedding-v99, qwen/qwen-plus]', 'qwen/text-embedding-v99'],
    ['[qwen/qwen-plus, qwen/gte-rerank-v2]', 'qwen/gte-rerank-v2'],
  ])('%s', (to, none) => {
    expect(problemsOf(to)).toEqual(none === null ? [] : [`models.m.hedge: is for chat models only, and ${none} is not one`]);
  });
});
