import type { Fault, VendorName } from './types.ts';

/** Which requests a fault set by the admin API hits. An absent member matches everything. */
export interface FaultTarget {
  readonly vendor?: VendorName;
  readonly region?: string;
  readonly model?: string;
  /** The credential as the caller sends it. */
  readonly key?: string;
}

export interface FaultOrder extends FaultTarget {
  readonly name: string;
  readonly args?: Readonly<Record<string, string>>;
  /** How many requests it hits before it is gone; absent = until cleared. */
  readonly times?: number;
}

export interface StandingFault extends FaultOrder {
  readonly id: string;
  /** Requests it has hit so far. */
  readonly hits: number;
}

/** The faults the admin API has set, in the order of setting. */
export class FaultBook {
  readonly #faults = new Map<string, StandingFault>();
  #last = 0;

  add(order: FaultOrder): string {
    this.#last += 1;
    const id = `fault-${this.#last}`;
    this.#faults.set(id, { ...order, id, hits: 0 });
    return id;
  }

  list(): readonly StandingFault[] {
    return [...this.#faults.values()];
  }

  get(id: string): StandingFault | undefined {
    return this.#faults.get(id);
  }

  remove(id: string): boolean {
    return this.#faults.delete(id);
  }

  clear(): void {
    this.#faults.clear();
  }

  /** The faults for one request; counts the hit, so call it once a request. */
  take(request: Required<FaultTarget>): readonly Fault[] {
    const taken: Fault[] = [];
    for (const fault of this.#faults.values()) {
      if (!hits(fault, request)) continue;
      taken.push({ name: fault.name, args: fault.args ?? {} });
      const after = { ...fault, hits: fault.hits + 1 };
      if (fault.times !== undefined && after.hits >= fault.times) this.#faults.delete(fault.id);
      else this.#faults.set(fault.id, after);
    }
    return taken;
  }
}

function hits(fault: FaultTarget, request: Required<FaultTarget>): boolean {
  const names = ['vendor', 'region', 'model', 'key'] as const;
  return names.every((name) => fault[name] === undefined || fault[name] === request[name]);
}
