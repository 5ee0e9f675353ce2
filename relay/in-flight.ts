import type { OpenAIError } from '../openai/errors.ts';
import { NOWHERE, type Placed, PlacedSet } from './placed-set.ts';

/** Ends an attempt before its time: its caller gets the error. */
type Cut = (error: OpenAIError) => void;

interface Cuttable extends Placed {
  readonly cut: Cut;
}

/** Requests that are being answered now. */
export class InFlight {
  streams = 0;
  whole = 0;
  readonly #cuttable = new PlacedSet<Cuttable>();

  /** Counts one until its answer has ended, however it ends. */
  async during<T>(stream: boolean, answer: () => Promise<T>): Promise<T> {
    const kind = stream ? 'streams' : 'whole';
    this[kind]++;
    try {
      return await answer();
    } finally {
      this[kind]--;
    }
  }

  /** Makes an attempt that `cut` may end before its time. */
  async cuttable<T>(cut: Cut, attempt: () => Promise<T>): Promise<T> {
    const cuttable: Cuttable = { place: NOWHERE, cut };
    this.#cuttable.add(cuttable);
    try {
      return await attempt();
    } finally {
      this.#cuttable.delete(cuttable);
    }
  }

  /** Ends every attempt that runs: a stream that has begun gets the error as its last event, others as their answer. */
  cut(error: OpenAIError): void {
    this.#cuttable.forEach(({ cut }) => {
      cut(error);
    });
  }
}
