/** Requests that are being answered now. */
export class InFlight {
  streams = 0;
  whole = 0;

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
}
