/**
 * Facts that other tests hold, as `section | fact | file › words` lines, in the order of the vendor's documents: with the tables of `facts-*.test.ts`
 * beside it, a reader can lay the documents and the tests side by side. The words are those of a test's name or row, or of what it reads; they must
 * stand in the file, so that the list does not outlive what it points to.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

export function heldElsewhere(lines: string): void {
  const rows = lines
    .trim()
    .split('\n')
    .map((line) => line.split(' | ').map((cell) => cell.trim()) as [string, string, string]);
  test.each(rows)('%s: %s', (_section, _fact, where) => {
    const [file = '', words = ''] = where.split(' › ');
    const url = new URL(`../${file}`, import.meta.url);
    expect(existsSync(url), file).toBe(true);
    expect(words.length).toBeGreaterThan(0);
    expect(readFileSync(url, 'utf8'), `${file} no longer holds this`).toContain(words);
  });
}
