import type { Config } from '../config/config.ts';
import type { StoredSettings } from '../config/stored-access.ts';
import type { AccessReader } from '../relay/keys/access-store.ts';
import { KeyRing } from '../relay/keys/key-ring.ts';
import { type RefusedRow, StoredKeys } from '../relay/keys/stored-keys.ts';

/** What an operator must hear about the keys of the database. */
export type KeyEvent =
  | { readonly type: 'keys-loaded'; readonly keys: number; readonly revision: number }
  /** So many keys are refused since there is no team of the name they give. */
  | { readonly type: 'keys-without-team'; readonly keys: number }
  | ({ readonly type: 'row-refused' } & RefusedRow)
  | { readonly type: 'store-down'; readonly fault: string }
  | { readonly type: 'store-back'; readonly downMs: number };

export interface KeyWatchOptions {
  readonly config: Pick<Config, 'keys' | 'teams'>;
  readonly settings: StoredSettings;
  readonly report: (event: KeyEvent) => void;
  /** Told of every new ring; requests that run keep the key they came with. */
  readonly onChange: (ring: KeyRing) => void;
  readonly everyMs?: number;
}

/** Keys that are read and not in force yet; one of the two must be called. */
export interface PreparedKeys {
  commit(): KeyRing;
  abandon(): void;
}

/** A change binds within a second: this, and the time of three short reads, on a busy machine too. */
const EVERY_MS = 250;
/** Few enough that reading them does not hold up requests. */
const PAGE_ROWS = 200;

/**
 * Follows the keys and teams of the database: asks for the revision four times a second, and reads the rows that changed. While the database is
 * gone the last known keys stay in force. Nothing here asks Redis.
 */
export class KeyWatch {
  readonly #reader: AccessReader;
  readonly #options: KeyWatchOptions;
  #config: KeyWatchOptions['config'];
  #stored: StoredKeys;
  /** Reads take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  #revision = 0;
  #orphans = 0;
  #timer: NodeJS.Timeout | null = null;
  #downSinceMs: number | null = null;
  #closing: Promise<void> | null = null;

  constructor(reader: AccessReader, options: KeyWatchOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#config = options.config;
    this.#stored = this.#nothing(this.#config);
  }

  /** Every team the database has or had. */
  get teams(): Iterable<string> {
    return this.#stored.teams;
  }

  /** Reads everything. @throws LedgerFault when the database cannot be read: nothing should be served then */
  async open(): Promise<void> {
    await this.#reader.open();
    await this.#inTurn(() => this.#read());
    this.#later();
  }

  /**
   * The rows beside another file, read anew as a whole: what the old file hid may come into force. Nothing is in force until `commit`, and
   * nothing else is read until that or `abandon`. `onChange` is not told, the ring comes back.
   * @throws LedgerFault, and nothing has changed
   */
  prepare(config: KeyWatchOptions['config']): Promise<PreparedKeys> {
    const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
    return new Promise((resolve, reject) => {
      this.#inTurn(async () => {
        const stored = this.#nothing(config);
        const revision = await this.#reader.revision();
        await this.#fill(stored, 0, revision);
        const commit = (): KeyRing => {
          decide();
          this.#config = config;
          return this.#commit(stored, revision);
        };
        resolve({ commit, abandon: decide });
        await decided;
      }).catch(reject);
    });
  }

  /**
   * The last known keys stay in force. What is being read or prepared comes to its end first; a database that does not answer is left after
   * so long.
   */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    const closed = this.#inTurn(() => this.#reader.close());
    // After it has been left nobody hears of a failure.
    closed.catch(() => {});
    try {
      await Promise.race([late, closed]);
    } finally {
      clearTimeout(timer);
    }
  }

  #nothing(config: KeyWatchOptions['config']): StoredKeys {
    const { settings, report } = this.#options;
    return new StoredKeys(config, settings, (row) => report({ type: 'row-refused', ...row }));
  }

  #later(): void {
    if (this.#closing !== null) return;
    this.#timer = setTimeout(() => void this.#look(), this.#options.everyMs ?? EVERY_MS).unref();
  }

  async #look(): Promise<void> {
    const { report } = this.#options;
    try {
      await this.#inTurn(() => this.#read());
      if (this.#downSinceMs !== null) report({ type: 'store-back', downMs: Math.round(performance.now() - this.#downSinceMs) });
      this.#downSinceMs = null;
    } catch (error) {
      if (this.#downSinceMs === null && this.#closing === null) {
        this.#downSinceMs = performance.now();
        report({ type: 'store-down', fault: error instanceof Error ? error.message : String(error) });
      }
    }
    this.#later();
  }

  async #read(): Promise<void> {
    const newest = await this.#reader.revision();
    if (newest === this.#revision) return;
    // A database that was set back, from a backup: what it does not know any more must go too.
    const back = newest < this.#revision;
    const stored = back ? this.#nothing(this.#config) : this.#stored;
    await this.#fill(stored, back ? 0 : this.#revision, newest);
    this.#options.onChange(this.#commit(stored, newest));
  }

  async #fill(stored: StoredKeys, since: number, newest: number): Promise<void> {
    // A page that fails leaves rows behind that are newer than the ring in force; they are read again, and nothing is lost.
    await this.#pages(
      since,
      newest,
      (after) => this.#reader.teamsAfter(after, PAGE_ROWS),
      (row) => stored.putTeam(row),
    );
    await this.#pages(
      since,
      newest,
      (after) => this.#reader.keysAfter(after, PAGE_ROWS),
      (row) => stored.putKey(row),
    );
  }

  #commit(stored: StoredKeys, revision: number): KeyRing {
    this.#stored = stored;
    this.#revision = revision;
    const { report } = this.#options;
    const entries = stored.entries();
    report({ type: 'keys-loaded', keys: entries.size, revision });
    if (stored.orphans !== this.#orphans && stored.orphans > 0) report({ type: 'keys-without-team', keys: stored.orphans });
    this.#orphans = stored.orphans;
    return new KeyRing(this.#config, entries);
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(step);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** Rows up to a revision: what is newer belongs to the next time, when its teams are read before its keys. */
  async #pages<Row extends { readonly revision: number }>(
    since: number,
    newest: number,
    page: (after: number) => Promise<Row[]>,
    put: (row: Row) => void,
  ): Promise<void> {
    for (let after = since; ; ) {
      const rows = await page(after);
      for (const row of rows) if (row.revision <= newest) put(row);
      const last = rows.at(-1)?.revision ?? newest;
      if (rows.length < PAGE_ROWS || last >= newest) return;
      after = last;
    }
  }
}
