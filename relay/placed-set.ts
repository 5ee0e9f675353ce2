/** A member knows its place in the set that holds it; it is in one at most. */
export interface Placed {
  /** Written by the set alone; NOWHERE outside of one. */
  place: number;
}

export const NOWHERE = -1;

/** Fewer empty places than this are not worth closing up. */
const FEW = 16;

/**
 * A set for members that come and go thousands of times a second, in the order they came. V8's own Set is not: whenever its table is full of
 * deleted entries it makes a new one and leaves a link to it in the old. Once a single old table has reached the old generation, that chain keeps
 * every later table alive, with all that was ever in one, until the next full collection: each scavenge then copies every request there was.
 */
export class PlacedSet<T extends Placed> {
  readonly #places: (T | null)[] = [];
  #size = 0;
  #walks = 0;

  get size(): number {
    return this.#size;
  }

  add(member: T): void {
    if (member.place !== NOWHERE) return;
    member.place = this.#places.length;
    this.#places.push(member);
    this.#size++;
  }

  /** False when it was not in it. */
  delete(member: T): boolean {
    const { place } = member;
    if (place === NOWHERE || this.#places[place] !== member) return false;
    this.#places[place] = null;
    member.place = NOWHERE;
    this.#size--;
    if (this.#walks === 0 && this.#places.length > FEW + 2 * this.#size) this.#closeUp();
    return true;
  }

  /** Calls it for each; what is added meanwhile is called too, what is deleted meanwhile is not. */
  forEach(call: (member: T) => void): void {
    this.#walks++;
    try {
      for (let place = 0; place < this.#places.length; place++) {
        const member = this.#places[place];
        if (member != null) call(member);
      }
    } finally {
      this.#walks--;
    }
  }

  #closeUp(): void {
    let size = 0;
    for (const member of this.#places) {
      if (member === null) continue;
      member.place = size;
      this.#places[size++] = member;
    }
    this.#places.length = size;
  }
}
