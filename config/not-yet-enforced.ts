import { valueAt } from './issues.ts';
import type { Problems } from './problem.ts';

/**
 * Keys that are validated but have no effect in this release. A file that uses one gets a warning, so that nobody relies
 * on a limit that is not there. When a feature arrives, its line here goes, and nothing else changes.
 * `*` stands for any name or index; with `value`, only that value is without effect.
 */
export const NOT_YET_ENFORCED: readonly { readonly path: readonly string[]; readonly value?: string; readonly what: string }[] = [];

/** Warns of every key in the file (as written, before defaults) that nothing enforces yet. */
export function warnNotEnforced(written: unknown, warnings: Problems): void {
  for (const { path, value, what } of NOT_YET_ENFORCED) {
    for (const found of expand(written, path)) {
      const there = valueAt(written, found);
      if (there === undefined || (value !== undefined && there !== value)) continue;
      warnings.add(found, `${what} validated but not enforced by this release`, { at: 'key' });
    }
  }
}

function expand(written: unknown, pattern: readonly string[]): (string | number)[][] {
  let paths: (string | number)[][] = [[]];
  for (const part of pattern) {
    paths = paths.flatMap((path) => {
      if (part !== '*') return [[...path, part]];
      const parent = valueAt(written, path);
      if (Array.isArray(parent)) return parent.map((_, index) => [...path, index]);
      return Object.keys(typeof parent === 'object' && parent !== null ? parent : {}).map((name) => [...path, name]);
    });
  }
  return paths;
}
