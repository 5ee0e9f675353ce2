/** Where the database is: a SQLite file, SQLite in memory (gone with the process), or a PostgreSQL server. */
export type DatabaseAddress =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 'postgres'; readonly url: string };

/** Used when the file names no database; relative to the folder the process was started in. */
export const DEFAULT_DATABASE = 'sqlite:./data/estafet.db';

/** Reads `database`. The fault never repeats what was written: a URL may hold a password. */
export function databaseAddress(text: string = DEFAULT_DATABASE): DatabaseAddress | { readonly fault: string } {
  if (text === 'memory:') return { kind: 'memory' };
  const path = /^sqlite:(?:\/\/)?(.+)$/s.exec(text)?.[1];
  // SQLite itself would take these as its own forms, the first as a database that is gone with the process.
  if (path !== undefined) {
    return path.includes('\0') || /^(?::memory:$|file:)/.test(path)
      ? { fault: 'must name a file after `sqlite:`; write `memory:` for a database that is lost when the process ends' }
      : { kind: 'sqlite', path };
  }
  if (/^postgres(?:ql)?:\/\//.test(text)) {
    return URL.canParse(withHost(text)) ? { kind: 'postgres', url: text } : { fault: 'is not a valid PostgreSQL URL' };
  }
  return { fault: 'must be `sqlite:` and a path, `postgres://…` or `memory:`' };
}

/** The form of a Unix socket (`postgres://user@/name?host=/run/postgresql`) has no host, which no URL with a user may lack. */
export const withHost = (url: string): string => url.replace('@/', '@localhost/');
