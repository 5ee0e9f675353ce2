/** A vendor's model. */
export interface Served {
  readonly vendor: string;
  readonly model: string;
}

interface OfVendor<T> {
  readonly figures: T;
  readonly models: Map<string, T>;
}

/**
 * Figures that are learned for each model of each vendor. A model that was not seen yet, or that nobody has listed, has its vendor's; a
 * listed one begins where its vendor stands.
 */
export class LearnedByModel<T> {
  readonly #known: (served: Served) => boolean;
  readonly #first: () => T;
  readonly #from: (vendor: T) => T;
  readonly #vendors = new Map<string, OfVendor<T>>();

  /** @param known true for models of the configuration and the catalogue: only they have figures of their own, so that memory is bounded */
  constructor(known: (served: Served) => boolean, first: () => T, from: (vendor: T) => T) {
    this.#known = known;
    this.#first = first;
    this.#from = from;
  }

  of({ vendor, model }: Served): T {
    const own = this.#vendor(vendor);
    return own.models.get(model) ?? own.figures;
  }

  /** Those that learn from an answer of the model: its own, if it is listed, and its vendor's. */
  learners(served: Served): readonly T[] {
    const { figures, models } = this.#vendor(served.vendor);
    let own = models.get(served.model);
    if (own === undefined) {
      if (!this.#known(served)) return [figures];
      own = this.#from(figures);
      models.set(served.model, own);
    }
    return [own, figures];
  }

  #vendor(name: string): OfVendor<T> {
    let vendor = this.#vendors.get(name);
    if (vendor === undefined) this.#vendors.set(name, (vendor = { figures: this.#first(), models: new Map() }));
    return vendor;
  }
}
