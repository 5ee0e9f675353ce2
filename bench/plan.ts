import type { Children } from './children.ts';

/** How much is measured. */
export interface Plan {
  /** Before anything is counted, each target answers so many, as fast as it can: V8 goes on compiling what is used for a long time. */
  readonly warmRequests: number;
  readonly rounds: number;
  /** Of requests without a stream, per target and round. */
  readonly wholeMs: number;
  /** Requests a second while all targets are asked alike; see `Callers.paced`. */
  readonly rate: number;
  /** Streams one after another on each connection, per target and round; each takes about half a second. */
  readonly streamsEach: number;
  /** Text chunks of one stream. */
  readonly chunks: number;
  readonly connections: number;
  /** How often memory is measured, each time in a new process. */
  readonly memoryRepeats: number;
  /** Streams held open for it. */
  readonly held: number;
}

export const FULL: Plan = {
  warmRequests: 20_000,
  rounds: 5,
  wholeMs: 3000,
  rate: 1000,
  streamsEach: 4,
  chunks: 1000,
  connections: 32,
  memoryRepeats: 3,
  held: 1000,
};

export const QUICK: Plan = { ...FULL, warmRequests: 4000, rounds: 3, wholeMs: 800, streamsEach: 2, memoryRepeats: 1 };

/** Where it is measured. */
export interface Place {
  readonly children: Children;
  /** Origin of the mock. */
  readonly mock: string;
  /** Core of the targets; null: not pinned. */
  readonly core: number | null;
  /** Null: there is no Redis, and the targets that need one are left out. */
  readonly redisPort: number | null;
  /** Progress, for a human. */
  readonly say: (line: string) => void;
}
