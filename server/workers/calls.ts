import type { Change } from '../reload/change.ts';

/** Whose receipt is looked for. */
export interface Wanted {
  readonly id: string;
  /** Name of the key that asks. */
  readonly key: string;
}

/** What the primary asks of a worker. Configurations travel as `handOver` writes them, metrics as `MetricValues`. */
export type WorkerCalls = {
  /** Builds the relay and listens. @returns its address @throws Error with the one line for the operator */
  start(how: { readonly number: number; readonly config: string }): Promise<string>;
  /** Makes another configuration ready; one of the next two follows. @throws Error, and nothing has changed */
  prepare(config: string): Promise<null>;
  commit(argument: null): Promise<readonly Change[]>;
  abandon(argument: null): Promise<null>;
  metrics(argument: null): Promise<MetricValues>;
  find(wanted: Wanted): Promise<string | null>;
  /** Drains, and closes its output. The process stands until the channel is closed. */
  stop(argument: null): Promise<Stopped>;
};

/** What a worker asks of the primary. */
export type PrimaryCalls = {
  /** Of all workers, as text. */
  metrics(argument: null): Promise<string>;
  /** Among the other workers. @throws Error when not all of them said in time */
  find(wanted: Wanted): Promise<string | null>;
  /** The worker was told by a signal of its own to end. */
  leave(argument: null): Promise<null>;
};

export interface Stopped {
  /** No answer was cut. */
  readonly clean: boolean;
  /** The last there are. */
  readonly metrics: MetricValues;
}

/** As prom-client's registry gives them; only its `aggregate` looks inside. */
export type MetricValues = readonly MetricValue[];

export interface MetricValue {
  readonly name: string;
  readonly type: string;
  readonly aggregator?: string;
}
