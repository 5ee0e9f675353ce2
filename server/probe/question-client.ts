import type { Backend } from '../../config/config.ts';
import type { Secret } from '../../config/secret.ts';
import { BackendClient } from '../../relay/upstream/backend-client.ts';
import type { DeadlineWheel } from '../../relay/upstream/deadlines.ts';
import { VERSION } from '../version.ts';

/** Longest wait for one answer. */
const WITHIN_MS = 15_000;
const CONNECT_MS = 5_000;

/**
 * A connection of its own for one cheap question, with less patience than an answer deserves.
 * @param secret the one key to show; null: the backend has none
 * @throws Error for a key that cannot be used
 */
export function questionClient(backend: Backend, secret: Secret | null, wheel: DeadlineWheel): BackendClient {
  const { apiKey: _first, apiKeys: _all, timeouts, ...rest } = backend;
  const ours = {
    connectMs: Math.min(timeouts.connectMs, CONNECT_MS),
    firstByteMs: Math.min(timeouts.firstByteMs, WITHIN_MS),
    wholeMs: Math.min(timeouts.wholeMs, WITHIN_MS),
    idleMs: Math.min(timeouts.idleMs, WITHIN_MS),
    totalMs: Math.min(timeouts.totalMs, WITHIN_MS),
  };
  return new BackendClient({ ...rest, timeouts: ours, ...(secret === null ? {} : { apiKey: secret }) }, wheel, `estafet/${VERSION}`);
}
