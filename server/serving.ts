import type { Config, Server } from '../config/config.ts';
import type { Change } from './reload/change.ts';
import type { Logger } from './telemetry/logger.ts';

/** A relay that serves, in this process or in workers. */
export interface Serving {
  /** `http://host:port` */
  readonly url: string;
  /** `http://host:port/metrics` when a port of their own serves them, else null. */
  readonly metricsUrl: string | null;
  readonly logger: Logger;
  /** Of the configuration in force. */
  server(): Server;
  /** Puts another configuration in force without ending anything. @throws Error, and nothing has changed */
  apply(config: Config): Promise<readonly Change[]>;
  /** Counted and shown by the metrics. */
  reloaded(outcome: 'applied' | 'unchanged' | 'refused'): void;
  /** Refuses new work, lets running answers end (at most `server.drainTimeoutMs`), then closes everything. True when none was cut. */
  stop(): Promise<boolean>;
  /** Ends at once what this process will not end with itself. */
  kill(): void;
  /** Resolves, with one line, when nothing serves any more and nothing will. */
  readonly lost: Promise<string>;
}
