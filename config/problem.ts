/**
 * What is wrong with a configuration file, as a value: where, which key, what to do.
 * A message never contains the value of a secret.
 */

/** Where a key or a value stands. Both count from 1; 0 and 0 mean the file as a whole. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  /** File name as the user gave it. */
  readonly file: string;
  /** Dotted path of the key, e.g. `backends.qwen.vendor` or `keys[0].team`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The known name that looks most like the one written; also part of the message. */
  readonly nearest?: string;
}

export type Path = readonly (string | number)[];

/** Finds the place of a path: of its key, or of its value. A path that does not exist gives its closest parent. */
export type Locate = (path: Path, at: 'key' | 'value') => Place;

/** `estafet.yaml:12:5  backends.qwen.vender: unknown key, did you mean "vendor"?` */
export function formatProblem(problem: Problem): string {
  const where = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  return problem.path === '' ? `${where}  ${problem.message}` : `${where}  ${problem.path}: ${problem.message}`;
}

/** `['models', 'gpt-4.1', 0]` → `models."gpt-4.1"[0]`: a name that contains a dot or a bracket is quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += (text === '' ? '' : '.') + (/^[^\s."[\]:]+$/u.test(part) ? part : JSON.stringify(part));
  }
  return text;
}

/** Collects problems of one file. */
export class Problems {
  readonly list: Problem[] = [];
  readonly #file: string;
  readonly #locate: Locate;

  constructor(file: string, locate: Locate) {
    this.#file = file;
    this.#locate = locate;
  }

  /** `at`: whether the key or its value is to blame (default: the value). `nearest` is appended as a question. */
  add(path: Path, message: string, options: { at?: 'key' | 'value'; nearest?: string | undefined } = {}): void {
    const place = this.#locate(path, options.at ?? 'value');
    const { nearest } = options;
    this.list.push({
      file: this.#file,
      path: formatPath(path),
      line: place.line,
      column: place.column,
      message: nearest === undefined ? message : `${message}, did you mean ${JSON.stringify(nearest)}?`,
      ...(nearest === undefined ? {} : { nearest }),
    });
  }

  /** In the order of the file; what concerns the file as a whole comes last. */
  sorted(): Problem[] {
    return this.list.toSorted((a, b) => order(a.line) - order(b.line) || a.column - b.column);
  }
}

function order(line: number): number {
  return line === 0 ? Number.MAX_SAFE_INTEGER : line;
}
