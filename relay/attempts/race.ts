import type { Exchange } from '../exchange.ts';
import { NOWHERE } from '../placed-set.ts';
import type { Deadline, DeadlineWheel } from '../upstream/deadlines.ts';
import type { Line } from './asking.ts';

type Act = Parameters<Line['onGone']>[0];

/**
 * Two calls for one caller. The first that has something to say has won, and the other is cancelled in the same moment, before anything is
 * written: no two answers can reach the caller. It takes the caller's leaving for both: the one that is worth waiting for is told, and may
 * drain; the other is cancelled.
 */
export class Race {
  readonly first: Lane;
  readonly second: Lane;
  readonly #exchange: Exchange;
  readonly #wheel: DeadlineWheel;
  readonly #slow = Promise.withResolvers<boolean>();
  #timer: Deadline | null = null;
  /** Whose answer the caller gets; null: none has anything to say yet. */
  #winner: Lane | null = null;
  #firstEnded = false;

  /** @param afterMs how long the first may be silent, from when it is sent */
  constructor(exchange: Exchange, wheel: DeadlineWheel, afterMs: number) {
    this.#exchange = exchange;
    this.#wheel = wheel;
    this.first = new Lane(this, (backend, receipt) => {
      exchange.onChosen(backend, receipt);
      this.#arm(afterMs);
    });
    this.second = new Lane(this, () => undefined);
    exchange.onGone(() => this.#left());
  }

  /** True once the first has been silent for too long; false when it has answered or ended, or the caller has left, before. */
  get slow(): Promise<boolean> {
    return this.#slow.promise;
  }

  /**
   * The first will not answer, or has answered.
   * @param lastWord nobody else may be asked after what it has said
   */
  ended(lastWord: boolean): void {
    this.#firstEnded = true;
    this.#disarm(false);
    if (lastWord) this.second.beaten();
  }

  /** A fault of ours: nothing may go on that nobody waits for. */
  stop(): void {
    this.#disarm(false);
    this.first.leave(true);
    this.second.leave(true);
  }

  /** The caller is told that the second was asked: it has the answer, or the last word. */
  nameSecond(): void {
    this.second.name(this.#exchange);
  }

  /** For the lanes. */
  won(lane: Lane): void {
    if (this.#winner !== null) return;
    this.#winner = lane;
    this.#disarm(false);
    if (lane === this.second) this.nameSecond();
    (lane === this.first ? this.second : this.first).beaten();
  }

  #left(): void {
    this.#disarm(false);
    const kept = this.#winner ?? (this.#firstEnded ? this.second : this.first);
    (kept === this.first ? this.second : this.first).beaten();
    kept.leave(false);
  }

  /** From the first call on: its retries do not begin anew. */
  #arm(afterMs: number): void {
    if (this.#timer !== null) return;
    this.#timer = { place: NOWHERE, deadlineAt: this.#wheel.now() + afterMs, expire: () => this.#disarm(true) };
    this.#wheel.add(this.#timer);
  }

  #disarm(slow: boolean): void {
    if (this.#timer !== null) this.#wheel.remove(this.#timer);
    this.#slow.resolve(slow);
  }
}

/** The caller's end of one of the two. */
export class Lane implements Line {
  outrun = false;
  readonly #race: Race;
  readonly #sent: Line['onChosen'];
  readonly #inVain = Promise.withResolvers<null>();
  #gone = false;
  #onItsWay = false;
  #act: Act | null = null;
  #chosen: readonly [backend: string, receipt: string] | null = null;

  /** @param sent told when a call leaves, unless it is in vain */
  constructor(race: Race, sent: Line['onChosen']) {
    this.#race = race;
    this.#sent = sent;
  }

  readonly onChosen = (backend: string, receipt: string): void => {
    if (this.outrun) return;
    this.#chosen = [backend, receipt];
    this.#onItsWay = true;
    this.#sent(backend, receipt);
  };

  readonly onGone = (act: Act): void => {
    this.#act = act;
    if (this.outrun) act(true);
    else if (this.#gone) act();
  };

  readonly won = (): void => this.#race.won(this);

  readonly failed = (): void => {
    this.#onItsWay = false;
  };

  /** Once it is beaten while no call of it is on its way: there is nothing to wait for, whatever keeps the next one. */
  get inVain(): Promise<null> {
    return this.#inVain.promise;
  }

  /** For the race. */
  beaten(): void {
    this.leave(true);
    if (!this.#onItsWay) this.#inVain.resolve(null);
  }

  /** For the race. @param outrun false: its caller has left */
  leave(outrun: boolean): void {
    if (this.outrun || this.#gone) return;
    if (outrun) this.outrun = true;
    else this.#gone = true;
    this.#act?.(outrun);
  }

  /** For the race. */
  name({ onChosen }: Pick<Exchange, 'onChosen'>): void {
    if (this.#chosen !== null) onChosen(...this.#chosen);
  }
}
