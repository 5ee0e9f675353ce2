import type { Catalog } from '../catalog/catalog.ts';
import type { Config } from '../config/config.ts';
import { globMatches } from '../config/glob.ts';

/** What stands for a name that nobody has listed. */
export const OTHER = 'other';

/**
 * The names of models that the configuration or the catalogue lists. Callers may ask for whatever they like, and patterns and
 * `backend/model` let made-up names through to a vendor: what memory or a metric is kept for must be one of these (S19).
 */
export class ModelNames {
  readonly #catalog: Catalog;
  readonly #vendors: readonly string[];
  readonly #aliases: ReadonlySet<string>;
  readonly #globs: readonly string[];
  /** `vendor/model` of the configuration's candidates. */
  readonly #candidates: ReadonlySet<string>;

  constructor({ models, backends }: Pick<Config, 'models' | 'backends'>, catalog: Catalog) {
    this.#catalog = catalog;
    this.#vendors = [...new Set(Object.values(backends).map(({ vendor }) => vendor))];
    this.#aliases = new Set(Object.keys(models));
    this.#globs = Object.keys(models).filter((name) => name.includes('*'));
    const candidates = Object.values(models).flatMap(({ to }) => to);
    this.#candidates = new Set(candidates.map(({ backend, model }) => `${backends[backend]?.vendor}/${model}`));
  }

  /** A vendor's model that is listed. */
  isServed(vendor: string, model: string): boolean {
    return this.#candidates.has(`${vendor}/${model}`) || this.#catalog.find(vendor, model) !== null;
  }

  /** The vendor's name of a model; `other` when it is not listed. */
  served(vendor: string, model: string): string {
    return this.isServed(vendor, model) ? model : OTHER;
  }

  /** What an app asked for: an alias, a vendor's name, the pattern it falls under, or `other`. */
  asked(name: string): string {
    if (this.#aliases.has(name) || this.#vendors.some((vendor) => this.#catalog.find(vendor, name) !== null)) return name;
    return this.#globs.find((glob) => globMatches(glob, name)) ?? OTHER;
  }
}
