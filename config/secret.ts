import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';

/**
 * A secret that cannot be shown by accident: as text, JSON or in a log it is `***`. Only `reveal()` gives the value,
 * and only the code that sends it to its owner calls that.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}

const MASK = '***';

/** `${NAME}`, `env:NAME` or `file:path`, and nothing around it. */
export const SECRET_REFERENCE = /^(?:\$\{[A-Za-z_][A-Za-z0-9_]*\}|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;

/** Lower-case hex SHA-256 of a client key: the only form in which the relay keeps one. */
export function keyDigest(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/** Where the values behind references come from; both are passed in, nothing is read behind the caller's back. */
export interface SecretSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws as `readFileSync` does. */
  readonly readFile: (path: string) => Uint8Array;
  /** Configuration file; a relative `file:` path starts in its folder. */
  readonly file: string;
}

export type Resolved = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly fault: string };

/** Looks a reference up. The fault names the variable or file, never a value. One line break at the end is dropped. */
export function resolveReference(reference: string, source: SecretSource): Resolved {
  if (reference.startsWith('file:')) return resolveFile(resolve(dirname(source.file), reference.slice('file:'.length)), source);
  const name = reference.startsWith('env:') ? reference.slice('env:'.length) : reference.slice(2, -1); // env:NAME or a braced $NAME
  const value = Object.hasOwn(source.env, name) ? source.env[name] : undefined;
  if (value === undefined) return { ok: false, fault: `environment variable ${name} is not set` };
  return checked(value, `environment variable ${name}`);
}

function resolveFile(path: string, { readFile }: SecretSource): Resolved {
  let bytes: Uint8Array;
  try {
    bytes = readFile(path);
  } catch (error) {
    return { ok: false, fault: `secret file ${path} cannot be read: ${readFault(error)}` };
  }
  try {
    return checked(new TextDecoder('utf-8', { fatal: true }).decode(bytes), `secret file ${path}`);
  } catch {
    return { ok: false, fault: `secret file ${path} is not UTF-8 text` };
  }
}

function checked(raw: string, origin: string): Resolved {
  const value = raw.replace(/\r?\n$/, '');
  if (value.trim() === '') return { ok: false, fault: `${origin} is empty` };
  // Secrets travel in HTTP headers and URLs: anything else would fail at the first request instead of now.
  if (!/^[\x21-\x7e]+$/.test(value)) return { ok: false, fault: `${origin} holds a space, a line break or a character outside ASCII` };
  return { ok: true, value };
}

/** What went wrong reading a file, in plain words; the system's own text for anything rare. */
export function readFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return READ_FAULTS[code] ?? (error instanceof Error ? error.message : String(error));
}

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ENOTDIR: 'a part of the path is not a directory',
};
