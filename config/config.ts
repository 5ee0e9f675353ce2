import type { z } from 'zod';
import type { keySchema, teamSchema } from './schema-access.ts';
import type { backendSchema } from './schema-backend.ts';
import type { booksSchema } from './schema-books.ts';
import type { catalogEntrySchema } from './schema-catalog.ts';
import type { limitsSchema, ModelLimits as ModelLimitsFile } from './schema-limits.ts';
import type { redisTlsSchema } from './schema-redis.ts';
import type { serverSchema } from './schema-server.ts';
import type { Secret } from './secret.ts';

/**
 * A checked configuration: what the rest of the relay reads. Deeply frozen; a reload makes a new one.
 * The records have no prototype, so `config.models['constructor']` is undefined, not a function.
 */
export interface Config {
  /** The file it came from, as the user named it. */
  readonly file: string;
  readonly server: Server;
  /** What the command line or the environment sets instead of the file. Absent: nothing. */
  readonly overridden?: readonly ('host' | 'port' | 'logLevel' | 'workers')[];
  readonly backends: Readonly<Record<string, Backend>>;
  /** Asked model → where it may go. */
  readonly models: Readonly<Record<string, ModelEntry>>;
  /** `vendor/model` → what is known of it besides, or instead of, the shipped catalogue. */
  readonly catalog: Readonly<Record<string, CatalogEntry>>;
  readonly teams: Readonly<Record<string, Team>>;
  readonly keys: readonly Key[];
  readonly redis?: Secret;
  /** Absent: authorities that Node knows, and no client certificate. */
  readonly redisTls?: RedisTls;
  /** What `databaseAddress` reads. */
  readonly database?: Secret;
  readonly books: BooksSettings;
}

/** Frozen all the way down. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

type ServerFile = Frozen<z.output<typeof serverSchema>>;
export interface Server extends Omit<ServerFile, 'metrics' | 'admin'> {
  /** Absent: nobody may see the configuration in force. */
  readonly admin?: { readonly token: Secret };
  /** Absent: none are kept. */
  readonly metrics?: MetricsSettings;
}

/** A port of their own, or a token, or both. */
export interface MetricsSettings {
  /** Absent: they are read on the port of the apps. */
  readonly port?: number;
  readonly host: string;
  readonly token?: Secret;
}
/** Full paths of files in PEM form. */
export type RedisTls = Frozen<z.output<typeof redisTlsSchema>>;
export type CatalogEntry = Frozen<z.output<typeof catalogEntrySchema>>;
export type BooksSettings = Frozen<z.output<typeof booksSchema>>;
export type Limits = Frozen<z.output<typeof limitsSchema>>;
/** An entry of `limits.models`. */
export type ModelLimits = Frozen<ModelLimitsFile>;

type BackendFile = Frozen<z.output<ReturnType<typeof backendSchema>>>;
type BackendSecrets = 'apiKey' | 'apiKeys' | 'accessKey' | 'secretKey' | 'region' | 'baseUrl' | 'workspace';

export interface Backend extends Omit<BackendFile, BackendSecrets> {
  readonly name: string;
  readonly region: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** Absent only for a vendor that needs none. */
  readonly apiKey?: Secret;
  /** All of them, where the file has a list; `apiKey` is the first. */
  readonly apiKeys?: readonly Secret[];
}

/** An entry of `models`. */
export interface ModelEntry {
  /** In the order of the file, at least one. */
  readonly to: readonly Candidate[];
  readonly strategy: 'order' | 'weighted' | 'latency' | 'cost';
  /** A bare list, or with settings of its own. */
  readonly form: 'list' | 'settings';
  /** One conversation keeps to one candidate. */
  readonly affinity: boolean;
  /** To compare prices; null: not given. */
  readonly cnyPerUsd: number | null;
  /** Null: off. */
  readonly hedge: HedgeSettings | null;
  /** In place of the server's; null: the server's holds. */
  readonly totalDeadlineMs: number | null;
}

/** When another candidate is called beside one that is silent. */
export interface HedgeSettings {
  /** A quantile of its recent waits, or milliseconds. */
  readonly after: 'p90' | 'p95' | 'p99' | number;
  /** Of 100 requests. */
  readonly mostPercent: number;
}

export interface Candidate {
  /** Name of a backend that exists. */
  readonly backend: string;
  /** The backend's own name of the model; may contain `/` and `:`. */
  readonly model: string;
  /** Candidates of one tier are put in order by the strategy; a higher tier is tried after all lower ones. */
  readonly tier: number;
  /** Share within its tier; null: none is written, and 1 holds. */
  readonly weight: number | null;
  readonly thinking: 'off' | 'on' | 'auto';
  /** Asked for although its vendor has retired it. */
  readonly force: boolean;
}

type TeamFile = Frozen<z.output<ReturnType<typeof teamSchema>>>;
export interface Team extends TeamFile {
  readonly name: string;
}

/** A team's permit: vendors, region globs, model globs; callers (addresses and networks) absent = any network. */
export type Permit = NonNullable<TeamFile['permit']>;

type KeyFile = Frozen<z.output<ReturnType<typeof keySchema>>>;

/** What a key's permit narrows; an absent list narrows nothing. */
export type KeyPermit = NonNullable<KeyFile['permit']>;

export interface Key extends Omit<KeyFile, 'key' | 'expires'> {
  /** Lower-case hex SHA-256 of the key; the key itself is not kept. */
  readonly digest: string;
  /** Milliseconds since the epoch; from then on the key is refused. */
  readonly expiresAtMs?: number;
}
