import type { Backend } from '../../config/config.ts';
import { addressPrintOf, keyPrintsOf } from '../upstream/backend-keys.ts';
import { type Cause, isOfKey } from './breaker.ts';

/** Where a breaker stands, as far as its cause counts it; null: it stands for all of them. */
export interface BreakerPlace {
  readonly cause: Cause;
  readonly model: string | null;
  /** Number of the key in the configuration, from 0. */
  readonly key: number | null;
}

export const CAUSES: readonly Cause[] = ['failure', 'overload', 'key', 'rate', 'credit', 'model'];

export const breakerPlace = (cause: Cause, model: string, key: number): BreakerPlace => ({
  cause,
  model: cause === 'failure' || cause === 'key' ? null : model,
  key: isOfKey(cause) ? key : null,
});

/**
 * The place as a name that other nodes know: the cause, a fingerprint and the model. The fingerprint is of the address, and of the key where
 * the cause is one of a key: a backend that has moved, or has another key, is at another place.
 */
export function breakerName(backend: Backend, { cause, model, key }: BreakerPlace): string {
  const print = key === null ? addressPrintOf(backend) : keyPrintsOf(backend)[key];
  return `${cause} ${print} ${model ?? ''}`;
}

/** The place behind a name; null when it is none of this backend as it is now. */
export function breakerNamed(backend: Backend, name: string): BreakerPlace | null {
  const [cause, print = '', ...words] = name.split(' ') as [Cause, string?, ...string[]];
  if (!CAUSES.includes(cause)) return null;
  const key = isOfKey(cause) ? keyPrintsOf(backend).indexOf(print) : null;
  if (key === null ? print !== addressPrintOf(backend) : key === -1) return null;
  const model = words.join(' ');
  return { cause, key, model: model === '' ? null : model };
}
