/**
 * Loaded into a relay under test before anything else: `node --expose-gc --import instruments.ts …`, with an IPC channel. It can say what the
 * process holds, and move its calendar as an administrator or a time server does: what runs on a clock that only goes forward does not
 * notice.
 */
export type Order = { readonly say: 'held' } | { readonly say: 'clock'; readonly aheadMs: number };

export interface Held {
  /** Bytes of the heap and beside it that a collection leaves. */
  readonly bytes: number;
  /** Kinds of what keeps the event loop alive, once for each, in order. */
  readonly resources: readonly string[];
}

let aheadMs = 0;
const Calendar = Date;
class MovedDate extends Calendar {
  constructor(...args: readonly unknown[]) {
    super(...((args.length === 0 ? [MovedDate.now()] : args) as [number]));
  }

  static override now(): number {
    return Calendar.now() + aheadMs;
  }
}

function held(): Held {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { bytes: heapUsed + external, resources: process.getActiveResourcesInfo().sort() };
}

// Threads load this too; only the process itself is spoken to.
if (process.send !== undefined) {
  globalThis.Date = MovedDate as DateConstructor;
  process.on('message', (order: Order) => {
    if (order.say === 'clock') aheadMs = order.aheadMs;
    process.send?.(order.say === 'clock' ? Date.now() : held());
  });
  process.channel?.unref();
}
