import type { z } from 'zod';
import { nearest } from './nearest.ts';
import type { Path, Problems } from './problem.ts';
import { keysAt, type Schema } from './schema-walk.ts';

type Issue = z.core.$ZodIssue;

/**
 * Turns what the schema found into problems in the user's words. No message repeats a value, except the names of
 * unknown keys and words that are not one of a fixed list.
 */
export function reportIssues(issues: readonly Issue[], schema: Schema, value: unknown, problems: Problems): void {
  for (const issue of withoutEchoes(issues)) {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) reportUnknownKey(key, path, schema, problems);
    } else if (issue.code === 'invalid_union') {
      reportIssues(closestBranch(issue), schema, value, problems);
    } else {
      const written = valueAt(value, path);
      if (issue.code === 'invalid_value') reportInvalidValue(issue, path, written, problems);
      else problems.add(path, describe(issue, written), { at: issue.code === 'invalid_key' ? 'key' : 'value' });
    }
  }
}

/** A whole number beyond all bounds is out of range twice: of exact numbers, and of its own key. The narrower range is told. */
function withoutEchoes(issues: readonly Issue[]): Issue[] {
  const narrowest = new Map<string, Issue>();
  const id = (issue: Issue): string => `${issue.code} ${JSON.stringify(issue.path)}`;
  for (const issue of issues) {
    const known = narrowest.get(id(issue));
    if (known === undefined || isNarrower(issue, known)) narrowest.set(id(issue), issue);
  }
  return issues.filter((issue) => !isRange(issue) || narrowest.get(id(issue)) === issue);
}

const isRange = ({ code }: Issue): boolean => code === 'too_big' || code === 'too_small';

function isNarrower(issue: Issue, than: Issue): boolean {
  if (issue.code === 'too_big' && than.code === 'too_big') return issue.maximum < than.maximum;
  return issue.code === 'too_small' && than.code === 'too_small' && issue.minimum > than.minimum;
}

function reportUnknownKey(key: string, path: Path, schema: Schema, problems: Problems): void {
  const known = keysAt(schema, path);
  const near = nearest(key, known);
  const message = near === undefined ? `unknown key; the keys here are: ${known.join(', ')}` : 'unknown key';
  problems.add([...path, key], message, { at: 'key', nearest: near });
}

function reportInvalidValue(issue: Issue & { code: 'invalid_value' }, path: Path, written: unknown, problems: Problems): void {
  if (written === undefined) {
    problems.add(path, 'is required', { at: 'key' });
    return;
  }
  const words = issue.values.map(String);
  const text = typeof written === 'string' && written.length <= 64 ? JSON.stringify(written) : kindOf(written);
  problems.add(path, `${text} is not one of ${words.join(', ')}`, {
    nearest: typeof written === 'string' ? nearest(written, words) : undefined,
  });
}

/** Zod's own words for a value that no branch of a union takes. */
const NO_BRANCH = 'Invalid input';

/** Of a union, the branch that got furthest: one that complains about an inner key or a form, not about the kind of value. */
function closestBranch(issue: Issue & { code: 'invalid_union' }): Issue[] {
  // A union of plain values says by itself what it takes.
  if (issue.message !== NO_BRANCH) return [{ code: 'custom', path: issue.path, message: issue.message, input: undefined }];
  const branches = issue.errors.map((errors) => errors.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })));
  const isOfKind = (inner: Issue): boolean => inner.path.length === issue.path.length;
  const meant =
    branches.find((errors) => !errors.some(isOfKind)) ??
    branches.find((errors) => !errors.some((inner) => inner.code === 'invalid_type' && isOfKind(inner)));
  if (meant !== undefined) return meant;
  const expected = branches
    .flat()
    .map((inner) => (inner.code === 'invalid_type' ? (KINDS[inner.expected] ?? inner.expected) : 'another value'));
  return [{ code: 'custom', path: issue.path, message: `must be ${[...new Set(expected)].join(' or ')}`, input: undefined }];
}

function describe(issue: Issue, written: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (written === undefined) return 'is required';
      return `must be ${KINDS[issue.expected] ?? issue.expected}, ${written === null ? 'but is empty' : `not ${kindOf(written)}`}`;
    case 'too_small':
      if (issue.origin === 'array') return 'must not be an empty list';
      if (issue.origin === 'string') return 'must not be empty';
      return issue.inclusive ? `must be at least ${issue.minimum}` : `must be more than ${issue.minimum}`;
    case 'too_big':
      return issue.inclusive ? `must be at most ${issue.maximum}` : `must be less than ${issue.maximum}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

/** Zod's names of kinds, in words. */
const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'infinite or undefined';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a number with decimals';
  return String(value);
}

/** What the file says at a path, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}
