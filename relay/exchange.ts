import type { Caller } from './keys/key-ring.ts';
import type { RequestTrace } from './request-trace.ts';

/** One request on its way, as far as every surface has it: what its limits, its record and its caller's headers need. */
export interface Exchange {
  readonly requestId: string;
  readonly caller: Caller;
  readonly request: { readonly model: string };
  /** Milliseconds since the epoch at arrival. */
  readonly arrivedAtMs: number;
  /** How long ago it arrived, in ms of a clock that only goes forward. */
  readonly sinceArrivalMs: () => number;
  /** Null when none are kept. */
  readonly trace: RequestTrace | null;
  /** Called before anything is sent, each time a backend is chosen: headers that name it. */
  readonly onChosen: (backend: string, receipt: string) => void;
  /** Called once the limits have admitted the request: the `x-ratelimit-*` headers. */
  readonly onAdmitted: (headers: Readonly<Record<string, string>>) => void;
  /** Registers what to do when the caller leaves; called at most once per attempt. */
  readonly onGone: (act: () => void) => void;
}

/** The id of an attempt: vendors refuse one that they have seen. */
export const attemptId = (requestId: string, number: number): string => (number === 0 ? requestId : `${requestId}-r${number}`);
