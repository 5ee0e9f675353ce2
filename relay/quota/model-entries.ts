import type { ModelLimits } from '../../config/config.ts';
import { globMatches } from '../../config/glob.ts';
import { configuredLimits, type Limit, type Scope } from './limits.ts';

/** One entry of `limits.models`: all names it matches share its limits. */
export interface ModelEntry {
  readonly limits: readonly Limit[];
  readonly outputReserve: number | undefined;
}

type Owner = Exclude<Scope, { readonly kind: 'backend' }>;

/** The entries of one team or key. At most one holds for a name: the exact one, or the first pattern in the order of the file. */
export class ModelEntries {
  readonly #exact = new Map<string, ModelEntry>();
  readonly #patterns: (readonly [glob: string, entry: ModelEntry])[] = [];

  constructor(owner: Owner, models: Readonly<Record<string, ModelLimits>> = {}, timeZone: string) {
    for (const [name, limits] of Object.entries(models)) {
      const entry: ModelEntry = {
        // After a restart the books are asked what was spent on the names of this entry.
        limits: configuredLimits({ ...owner, model: name }, limits, timeZone).map((limit) => ({
          ...limit,
          covers: (asked) => this.find(asked) === entry,
        })),
        outputReserve: limits.outputReserve,
      };
      this.#exact.set(name, entry);
      if (name.includes('*')) this.#patterns.push([name, entry]);
    }
  }

  get size(): number {
    return this.#exact.size;
  }

  /** Every limit, with the name of its entry. */
  get limits(): readonly { readonly limit: Limit; readonly model: string }[] {
    return [...this.#exact].flatMap(([model, { limits }]) => limits.map((limit) => ({ limit, model })));
  }

  find(asked: string): ModelEntry | undefined {
    return this.#exact.get(asked) ?? this.#patterns.find(([glob]) => globMatches(glob, asked))?.[1];
  }
}
