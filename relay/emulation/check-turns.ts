/** Whose turn an item takes: a caller's, and of that caller's the one of a schema. */
export interface Turn {
  readonly owner: string;
  readonly schema: string;
}

/**
 * Items that wait, taken in fair turns: one of each owner, round and round, and of each owner's schemas in the same way. Whoever brings many
 * items, or slow ones, waits behind himself; others wait for one of his at most.
 */
export class CheckTurns<T extends Turn> {
  /** Both levels are kept in the order of turns: the first is next. */
  readonly #lanes = new Map<string, Map<string, Set<T>>>();

  add(item: T): void {
    let lane = this.#lanes.get(item.owner);
    if (lane === undefined) this.#lanes.set(item.owner, (lane = new Map()));
    const waiting = lane.get(item.schema);
    if (waiting === undefined) lane.set(item.schema, new Set([item]));
    else waiting.add(item);
  }

  get empty(): boolean {
    return this.#lanes.size === 0;
  }

  /** The next item, removed; its owner and its schema go to the end. */
  take(): T | null {
    for (const [owner, lane] of this.#lanes) {
      for (const [schema, waiting] of lane) {
        for (const item of waiting) {
          this.remove(item);
          if (lane.delete(schema) && waiting.size > 0) lane.set(schema, waiting);
          if (this.#lanes.delete(owner) && lane.size > 0) this.#lanes.set(owner, lane);
          return item;
        }
      }
    }
    return null;
  }

  /** False when it was not waiting. */
  remove(item: T): boolean {
    const lane = this.#lanes.get(item.owner);
    const waiting = lane?.get(item.schema);
    if (lane === undefined || waiting === undefined || !waiting.delete(item)) return false;
    if (waiting.size === 0) lane.delete(item.schema);
    if (lane.size === 0) this.#lanes.delete(item.owner);
    return true;
  }

  /** Removes all that wait for a schema, whoever brought them. */
  removeSchema(schema: string): T[] {
    return this.#removeAll((item) => item.schema === schema);
  }

  clear(): T[] {
    return this.#removeAll(() => true);
  }

  #removeAll(which: (item: T) => boolean): T[] {
    const found = [...this.#lanes.values()].flatMap((lane) => [...lane.values()].flatMap((waiting) => [...waiting])).filter(which);
    for (const item of found) this.remove(item);
    return found;
  }
}
