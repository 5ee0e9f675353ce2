import type { Backend } from '../config/config.ts';
import { BackendHealth, type HealthOptions } from '../relay/routing/backend-health.ts';
import type { BreakerEvent } from '../relay/routing/breaker-event.ts';
import { type LeaseStore, ProbeLeases } from '../relay/routing/probe-leases.ts';
import { type SharedHashes, SharedHealth } from '../relay/routing/shared-health.ts';

export interface OpenHealthOptions extends Pick<HealthOptions, 'now' | 'random' | 'isProbed'> {
  /** Null: there are no other processes. */
  readonly redis: (SharedHashes & LeaseStore) | null;
  /** Of the configuration in force. */
  readonly backends: () => readonly Backend[];
  readonly onChange: (event: BreakerEvent) => void;
  readonly onFault: (fault: unknown) => void;
}

export interface OpenHealth {
  readonly health: BackendHealth;
  start(): void;
  stop(): void;
}

/** What is known of the backends; shared with the other processes on the same Redis, and with one probe for all of them. */
export function openHealth({ redis, backends, onChange, onFault, ...options }: OpenHealthOptions): OpenHealth {
  if (redis === null) return { health: new BackendHealth({ ...options, onChange }), start: () => {}, stop: () => {} };
  const leases = new ProbeLeases(redis, onFault);
  const tell = (event: BreakerEvent): void => {
    onChange(event);
    void shared.tell(event);
  };
  const health = new BackendHealth({ ...options, onChange: tell, leases });
  const shared = new SharedHealth({ redis, backends, health, now: options.now, onFault });
  return {
    health,
    start: () => {
      shared.start();
      leases.start();
    },
    stop: () => {
      shared.stop();
      leases.stop();
    },
  };
}
