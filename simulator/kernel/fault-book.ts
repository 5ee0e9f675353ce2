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
  /** Of the requests that match it hits one of so many; absent = each. */
  readonly every?: number;
  /** So many that match pass before the first it hits. */
  readonly skip?: number;
}

export interface StandingFault extends FaultOrder {
  readonly id: string;
  /** Requests that matched so far, and those of them it has hit. */
  readonly seen: number;
  readonly hits: number;
}

/** The faults the admin API has set, in the order of setting. */
export class FaultBook {
  readonly #faults = new Map<string, StandingFault>();
  #last = 0;

  add(order: FaultOrder): string {
    this.#last += 1;
    const id = `fault-${this.#last}`;
    this.#faults.set(id, { ...order, id, seen: 0, hits: 0 });
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
      if (!matches(fault, request)) continue;
      const { seen, every = 1, skip = 0 } = fault;
      const hit = seen >= skip && (seen - skip) % every === 0;
      if (hit) taken.push({ name: fault.name, args: fault.args ?? {} });
      const after = { ...fault, seen: seen + 1, hits: fault.hits + (hit ? 1 : 0) };
      if (fault.times !== undefined && after.hits >= fault.times) this.#faults.delete(fault.id);
      else this.#faults.set(fault.id, after);
    }
    return taken;
  }
}

function matches(fault: FaultTarget, request: Required<FaultTarget>): boolean {
  const names = ['vendor', 'region', 'model', 'key'] as const;
  return names.every((name) => fault[name] === undefined || fault[name] === request[name]);
}
