import type { OpenAIError } from '../../openai/errors.ts';
import type { Cause } from './breaker.ts';

/** A breaker has opened, lets one probe through, or has closed. */
export interface BreakerEvent {
  readonly state: 'open' | 'half-open' | 'closed';
  readonly backend: string;
  readonly cause: Cause;
  /** Where it stands, by a name that other nodes know: see `breakerName`. */
  readonly at: string;
  readonly model: string | null;
  /** Number of the key in the configuration, from 1. */
  readonly key: number | null;
  /** What it has opened for. */
  readonly error: OpenAIError | null;
  /** From now until it may be probed, in ms. */
  readonly openMs: number;
}
