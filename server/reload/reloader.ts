import type { Config } from '../../config/config.ts';
import type { ConfigResult } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import type { Change } from './change.ts';

/** Why the file was read again. */
export type Cause = 'signal' | 'file';

/** What came of it. */
export type Reloaded =
  | { readonly outcome: 'applied'; readonly cause: Cause; readonly changes: readonly Change[]; readonly warnings: readonly string[] }
  | { readonly outcome: 'unchanged'; readonly cause: Cause }
  /** The configuration in force stays, whole. */
  | { readonly outcome: 'refused'; readonly cause: Cause; readonly problems: readonly string[] };

export interface ReloaderOptions {
  /** Reads and checks the file. */
  readonly load: () => ConfigResult;
  /** @throws Error, and nothing has changed */
  readonly apply: (config: Config) => Promise<readonly Change[]>;
  readonly report: (reloaded: Reloaded) => void;
}

/** Applies the file again, one time after the other; what is asked for meanwhile is one time more. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #running: Promise<Reloaded> | null = null;
  #next: Promise<Reloaded> | null = null;

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  reload(cause: Cause): Promise<Reloaded> {
    if (this.#running === null) {
      this.#running = this.#once(cause).finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    // The file may have changed after the one that runs had read it.
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.reload(cause);
    });
    return this.#next;
  }

  async #once(cause: Cause): Promise<Reloaded> {
    const reloaded = await this.#outcome(cause);
    this.#options.report(reloaded);
    return reloaded;
  }

  async #outcome(cause: Cause): Promise<Reloaded> {
    const { load, apply } = this.#options;
    try {
      const result = load();
      if (!result.ok) return { outcome: 'refused', cause, problems: result.problems.map(formatProblem) };
      const changes = await apply(result.config);
      if (changes.length === 0) return { outcome: 'unchanged', cause };
      return { outcome: 'applied', cause, changes, warnings: result.warnings.map(formatProblem) };
    } catch (error) {
      return { outcome: 'refused', cause, problems: [error instanceof Error ? error.message : String(error)] };
    }
  }
}
