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
  during<T>(stream: boolean, answer: () => Promise<T>): Promise<T> {
    const kind = stream ? 'streams' : 'whole';
    this[kind]++;
    return withEnd(answer, () => {
      this[kind]--;
    });
  }

  /** Makes an attempt that `cut` may end before its time. */
  cuttable<T>(cut: Cut, attempt: () => Promise<T>): Promise<T> {
    const cuttable: Cuttable = { place: NOWHERE, cut };
    this.#cuttable.add(cuttable);
    return withEnd(attempt, () => void this.#cuttable.delete(cuttable));
  }

  /** Ends every attempt that runs: a stream that has begun gets the error as its last event, others as their answer. */
  cut(error: OpenAIError): void {
    this.#cuttable.forEach(({ cut }) => {
      cut(error);
    });
  }
}

/** As `finally`, without a promise and a function that waits: of each of these a request has several. Whoever waits for the promise goes on after `end`. */
function withEnd<T>(begin: () => Promise<T>, end: () => void): Promise<T> {
  let begun: Promise<T>;
  try {
    begun = begin();
  } catch (error) {
    end();
    return Promise.reject(error);
  }
  begun.then(end, end);
  return begun;
}
