/** What queues before backends with slots mean, said without a clock, promises or callbacks: the state after all that can happen has happened. */

export type Place = 'b' | 'c';
export type Outcome = Place | 'told at once' | 'over' | 'gone';

interface Waiter {
  readonly team: string;
  readonly untilMs: number;
}

/** Slots that other processes give back are found after so long. */
const LOOK_MS = 250;

export class QueueModel {
  nowMs = 0;
  readonly free: Record<Place, number>;
  readonly outcomes = new Map<number, Outcome>();
  readonly #max: number;
  readonly #waiters = new Map<number, Waiter>();
  /** Teams in the order of their turns; in each the ids in the order of their arrival. */
  readonly #lines: Record<Place, (readonly [team: string, ids: number[]])[]> = { b: [], c: [] };
  readonly #lookAt: Record<Place, number> = { b: 0, c: 0 };

  constructor(slots: number, max: number) {
    this.free = { b: slots, c: slots };
    this.#max = max;
  }

  length(place: Place): number {
    return this.#lines[place].reduce((sum, [, ids]) => sum + ids.length, 0);
  }

  /** Whoever is next there; null: nobody waits. */
  head(place: Place): number | null {
    return this.#lines[place][0]?.[1][0] ?? null;
  }

  get waiting(): number[] {
    return [...this.#waiters.keys()];
  }

  /** @param freed a slot comes back after it has been refused, and before it has joined */
  ask(id: number, team: string, places: readonly Place[], waitMs: number, freed: Place | null): void {
    for (const place of places) {
      if (this.length(place) > 0 || this.free[place] === 0) continue;
      this.free[place]--;
      this.outcomes.set(id, place);
      return;
    }
    const full = places.filter((place) => this.length(place) >= this.#max);
    const wakes = freed !== null && this.length(freed) > 0;
    if (freed !== null) this.free[freed]++;
    for (const place of places.filter((one) => !full.includes(one))) {
      const line = this.#lines[place].find(([name]) => name === team);
      if (this.length(place) === 0) this.#lookAt[place] = this.nowMs + LOOK_MS;
      if (line === undefined) this.#lines[place].push([team, [id]]);
      else line[1].push(id);
    }
    if (full.length === places.length) this.outcomes.set(id, 'told at once');
    else this.#waiters.set(id, { team, untilMs: this.nowMs + waitMs });
    if (freed !== null && (wakes || places.includes(freed))) this.#serve(freed);
  }

  /** @param told false: by another process */
  settle(place: Place, told: boolean): void {
    this.free[place]++;
    if (told) this.#serve(place);
  }

  leave(id: number): void {
    for (const place of ['b', 'c'] as const) this.#remove(place, id, false);
    this.#waiters.delete(id);
    this.outcomes.set(id, 'gone');
  }

  /** The next there leaves when it has been woken, with or without a slot that it could have had. */
  headLeaves(place: Place, freed: boolean): void {
    const id = this.head(place);
    if (freed) this.free[place]++;
    if (id === null) return;
    for (const one of ['b', 'c'] as const) this.#remove(one, id, one === place);
    this.#waiters.delete(id);
    this.outcomes.set(id, 'gone');
    this.#serve(place);
  }

  /** Time passes, in steps in which at most one kind of thing is due. */
  tick(ms: number): void {
    this.nowMs += ms;
    for (const place of ['b', 'c'] as const) if (this.length(place) > 0 && this.#lookAt[place] <= this.nowMs) this.#serve(place);
    for (const [id, { untilMs }] of this.#waiters) {
      if (untilMs > this.nowMs) continue;
      for (const place of ['b', 'c'] as const) this.#remove(place, id, false);
      this.#waiters.delete(id);
      this.outcomes.set(id, 'over');
    }
  }

  #serve(place: Place): void {
    for (let id = this.head(place); id !== null && this.free[place] > 0; id = this.head(place)) {
      this.free[place]--;
      for (const one of ['b', 'c'] as const) this.#remove(one, id, one === place);
      this.#waiters.delete(id);
      this.outcomes.set(id, place);
    }
    this.#lookAt[place] = this.nowMs + LOOK_MS;
  }

  /** @param turn it was its team's turn, which is over */
  #remove(place: Place, id: number, turn: boolean): void {
    const lines = this.#lines[place];
    const at = lines.findIndex(([, ids]) => ids.includes(id));
    const [team, ids] = lines[at] ?? [];
    if (team === undefined || ids === undefined) return;
    ids.splice(ids.indexOf(id), 1);
    if (turn || ids.length === 0) lines.splice(at, 1);
    if (turn && ids.length > 0) lines.push([team, ids]);
  }
}
