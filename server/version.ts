import { readFileSync } from 'node:fs';

/** The version in package.json, which stands above the compiled tree too. */
export const VERSION: string = findVersion();

function findVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { name?: string; version?: string };
      if (name === 'estafet' && version !== undefined) return version;
    } catch {
      // Not there: the other place is tried.
    }
  }
  return '0.0.0';
}
