import type { OpenAIError } from '../openai/errors.ts';

/** Ends an attempt before its time: its caller gets the error. */
type Cut = (error: OpenAIError) => void;

/** Requests that are being answered now. */
export class InFlight {
  streams = 0;
  whole = 0;
  readonly #cuts = new Set<Cut>();

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
    this.#cuts.add(cut);
    try {
      return await attempt();
    } finally {
      this.#cuts.delete(cut);
    }
  }

  /** Ends every attempt that runs: a stream that has begun gets the error as its last event, others as their answer. */
  cut(error: OpenAIError): void {
    for (const cut of this.#cuts) cut(error);
  }
}
