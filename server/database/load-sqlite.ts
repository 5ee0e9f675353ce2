type Sqlite = typeof import('node:sqlite');

/** node:sqlite without the warning that Node 22 prints at its first use: it is of no use to an operator. Other warnings pass. */
export function loadSqlite(): Sqlite {
  const { emitWarning } = process;
  process.emitWarning = (() => undefined) as typeof process.emitWarning;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
