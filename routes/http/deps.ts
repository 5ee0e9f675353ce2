import type { Server } from '../../config/config.ts';
import type { InFlight } from '../../relay/in-flight.ts';
import type { Caller, KeyRing } from '../../relay/keys/key-ring.ts';
import type { UsageQuery, UsageRow } from '../../relay/ledger/usage.ts';
import type { Origins } from '../../relay/permit/origins.ts';
import type { CallerLevels } from '../../relay/quota/caller-levels.ts';
import type { Relay } from '../../relay/relay.ts';
import type { VectorsRelay } from '../../relay/vectors/vectors-relay.ts';
import type { ConfigPage } from '../estafet/config.ts';
import type { MetricsPage } from '../ops/metrics.ts';
import type { Readiness } from '../ops/ready.ts';

/** What a configuration gives the routes; asked for at each request, so that a reload needs no restart. */
export interface Current {
  readonly relay: Relay;
  readonly vectors: VectorsRelay;
  readonly keys: KeyRing;
  readonly server: Server;
  /** Where requests come from. */
  readonly origins: Origins;
}

/** The last requests, as text. */
export interface ReceiptReader {
  /** Null when unknown, too old, or another key's: callers cannot tell which. @throws OpenAIError when that cannot be said now */
  find(id: string, key: string, nowMs: number): string | null | Promise<string | null>;
}

/** The books, as far as routes read them. */
export interface UsageReader {
  usage(query: UsageQuery): Promise<UsageRow[]>;
}

export interface RouteDeps {
  readonly current: () => Current;
  readonly inFlight: Pick<InFlight, 'cuttable'>;
  readonly records: ReceiptReader;
  readonly books: UsageReader;
  /** What is left of a caller's limits. @throws OpenAIError `quota_unavailable` */
  readonly levels: (caller: Caller) => Promise<CallerLevels>;
  readonly ready: () => Promise<Readiness>;
  /** Null when nobody may see it. */
  readonly config: () => ConfigPage | null;
  /** Null when they are not served on this port. */
  readonly metrics: MetricsPage | null;
}
