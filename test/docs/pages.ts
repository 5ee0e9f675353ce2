import { globSync, readFileSync } from 'node:fs';

/** One page of documentation, as the tests read it. */
export interface Page {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Inline code outside of blocks. */
  readonly spans: readonly string[];
}

export interface Block {
  /** The word after the fence; empty if there is none. */
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

export const root = new URL('../../', import.meta.url).pathname;

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;

export function readPage(path: string): Page {
  const text = readFileSync(root + path, 'utf8');
  const blocks = [...text.matchAll(FENCE)].map((match) => ({
    language: match[1] as string,
    text: match[2] as string,
    line: text.slice(0, match.index).split('\n').length,
  }));
  const prose = text.replace(FENCE, '');
  // A code span may hold a single backtick only between double ones.
  const spans = [...prose.matchAll(/``(.+?)``|`([^`]+)`/g)].map((match) => (match[1] ?? match[2] ?? '').replaceAll('\\|', '|'));
  return { path, text, blocks, spans };
}

export const pages: readonly Page[] = [
  'README.md',
  'CHANGELOG.md',
  ...globSync('docs/{guide,decisions,generated}/*.md', { cwd: root }).sort(),
].map(readPage);

export function page(path: string): Page {
  const found = pages.find((entry) => entry.path === path);
  if (found === undefined) throw new Error(`no page ${path}`);
  return found;
}

/** The cells of every table row, without header lines. */
export function rows(markdown: string): string[][] {
  return [...markdown.matchAll(/^\|(.+)\|$/gm)]
    .map((match) => (match[1] as string).split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter((cells) => !cells.every((cell) => /^-+$/.test(cell)));
}
