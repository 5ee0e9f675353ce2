import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import type { Settlement } from '../../../relay/quota/store.ts';
import type { HandClock } from './hand-clock.ts';

/** How a reservation ended; null: it was given back. */
export interface Settled extends Pick<Settlement, 'owner' | 'id'> {
  readonly reason: Settlement['reason'] | null;
  readonly used: Pick<Settlement['actual'], 'requests' | 'tokens'> | null;
}

/** A store of limits that may take its time, and remembers how its reservations ended. */
export class SlowStore extends MemoryStore {
  readonly settlements: Settled[] = [];
  readonly #clock: HandClock;
  readonly #waitsMs: Map<string, number[]>;

  /** @param reserveMs by owner: for each reservation, one after the other; at once where nothing is said */
  constructor(options: ConstructorParameters<typeof MemoryStore>[0], clock: HandClock, reserveMs: Map<string, number[]>) {
    super(options, () => clock.ms * 1000 + 1);
    this.#clock = clock;
    this.#waitsMs = reserveMs;
  }

  override async reserve(request: Parameters<MemoryStore['reserve']>[0]) {
    const ms = this.#waitsMs.get(request.owner)?.shift() ?? 0;
    if (ms > 0) await new Promise<void>((act) => this.#clock.in(ms, act));
    return super.reserve(request);
  }

  override settle(settlement: Settlement) {
    const { owner, id, reason, actual } = settlement;
    const { requests, tokens } = actual;
    this.settlements.push({ owner, id, reason, used: { requests, tokens } });
    return super.settle(settlement);
  }

  override release(owner: string, id: string) {
    this.settlements.push({ owner, id, reason: null, used: null });
    return super.release(owner, id);
  }
}
