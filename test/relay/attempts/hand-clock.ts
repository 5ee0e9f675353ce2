import { DeadlineWheel } from '../../../relay/upstream/deadlines.ts';

/** Milliseconds of one step: everything happens at a multiple of it. */
export const STEP_MS = 50;

/** Time that is moved by hand, and what is due in it. */
export class HandClock {
  ms = 0;
  readonly wheel = new DeadlineWheel(() => this.ms);
  readonly #due: { readonly atMs: number; readonly act: () => void }[] = [];

  in(ms: number, act: () => void): void {
    this.#due.push({ atMs: this.ms + ms, act });
  }

  /** What is due by then happens, in order, step by step. */
  async until(ms: number): Promise<void> {
    for (await turn(); this.ms < ms; ) {
      this.ms += STEP_MS;
      await turn(() => this.#act());
      await turn();
      this.wheel.tick();
      await turn();
    }
  }

  #act(): void {
    for (const event of this.#due.filter(({ atMs }) => atMs <= this.ms)) {
      this.#due.splice(this.#due.indexOf(event), 1);
      event.act();
    }
  }
}

/**
 * Everything that waits for nothing has happened by then.
 * @param act before it, all in one callback, as if one read of the network had brought it
 */
const turn = (act: () => void = () => undefined): Promise<void> =>
  new Promise((resolve) =>
    setImmediate(() => {
      act();
      resolve();
    }),
  );
