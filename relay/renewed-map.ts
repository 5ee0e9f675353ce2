/** So many deletions are always allowed before the table is left. */
const FEW = 32;

/**
 * A Map for keys that come and go thousands of times a second. Before deleted entries have filled V8's table it moves to a new Map, so that no
 * old table leads to a newer one: see PlacedSet for what such a chain costs. A loop over it sees no deletion of its own: it
 * would walk on what has been left.
 */
export class RenewedMap<K, V> {
  #map = new Map<K, V>();
  #deleted = 0;

  get size(): number {
    return this.#map.size;
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  set(key: K, value: V): void {
    this.#map.set(key, value);
  }

  delete(key: K): boolean {
    if (!this.#map.delete(key)) return false;
    if (++this.#deleted > FEW + this.#map.size) {
      this.#map = new Map(this.#map);
      this.#deleted = 0;
    }
    return true;
  }

  keys(): MapIterator<K> {
    return this.#map.keys();
  }

  entries(): MapIterator<[K, V]> {
    return this.#map.entries();
  }

  values(): MapIterator<V> {
    return this.#map.values();
  }
}
