import { Pool } from 'undici';
import type { Backend } from '../../config/config.ts';
import { keysOf } from './backend-keys.ts';
import { bearer, type Credentials, zhipuToken } from './credentials.ts';
import type { DeadlineWheel } from './deadlines.ts';
import { redactor } from './secrets.ts';
import { type CallListener, UpstreamCall } from './upstream-call.ts';

/**
 * The connections to one backend: a pool of its own, so that a slow or dead backend holds up no other (R20).
 * Redirects are not followed (S8); nothing of the caller's headers goes along (S10).
 */
export class BackendClient {
  readonly name: string;
  readonly backend: Backend;
  /** With the end of each that is being closed. The last is in use. */
  readonly #pools = new Map<Pool, Promise<void> | null>();
  #pool: Pool;
  #retired = false;
  readonly #wheel: DeadlineWheel;
  /** One each key, in the order of the configuration; one that sends none where the backend needs none. */
  readonly #credentials: readonly Credentials[];
  readonly #keys: readonly string[];
  readonly #basePath: string;

  constructor(backend: Backend, wheel: DeadlineWheel, userAgent: string) {
    const url = new URL(backend.baseUrl);
    this.name = backend.name;
    this.backend = backend;
    this.#wheel = wheel;
    this.#basePath = url.pathname.replace(/\/$/, '');
    const keys = keysOf(backend).map((key) => key.reveal());
    this.#keys = keys.length === 0 ? [''] : keys;
    this.#credentials = this.#keys.map(backend.auth === 'jwt' ? zhipuToken : bearer);
    this.#userAgent = userAgent;
    this.#pool = this.#newPool();
  }

  readonly #userAgent: string;

  /**
   * @param body JSON text
   * @param terms which key to use, from 0; and what bounds the wait for the first byte, besides the backend's timeouts
   * @param more headers of this call's dialect
   */
  post(
    path: string,
    body: string,
    requestId: string,
    listener: CallListener,
    terms: CallTerms = ANY_TERMS,
    more: Readonly<Record<string, string>> = {},
  ): UpstreamCall {
    return this.#send('POST', path, body, requestId, listener, terms, more);
  }

  /** A question without a body. */
  get(path: string, requestId: string, listener: CallListener): UpstreamCall {
    return this.#send('GET', path, null, requestId, listener, ANY_TERMS);
  }

  #send(
    method: 'POST' | 'GET',
    path: string,
    body: string | null,
    requestId: string,
    listener: CallListener,
    { key, withinMs, traceparent, whole = false }: CallTerms,
    more: Readonly<Record<string, string>> = {},
  ): UpstreamCall {
    const { timeouts } = this.backend;
    const patienceMs = Math.min(whole ? timeouts.wholeMs : timeouts.firstByteMs, withinMs);
    const limits = patienceMs === timeouts.firstByteMs ? timeouts : { ...timeouts, firstByteMs: patienceMs };
    // A request that began before the backend was retired may come to it late: it gets a connection, for that call.
    if (this.#retired) this.#pool = this.#newPool();
    const pool = this.#pool;
    const call = new UpstreamCall(listener, limits, this.#wheel, () => pool.stats.connected < this.backend.connections);
    const headers = [
      'authorization',
      this.#authorization(key),
      'accept-encoding',
      'identity',
      'user-agent',
      this.#userAgent,
      'x-request-id',
      requestId,
    ];
    if (body !== null) headers.push('content-type', 'application/json');
    if (this.backend.appId !== undefined) headers.push('appid', this.backend.appId);
    if (traceparent !== null) headers.push('traceparent', traceparent);
    for (const [name, value] of Object.entries(more)) headers.push(name, value);
    pool.dispatch({ path: joined(this.#basePath, path), method, headers, body }, call);
    if (this.#retired) void this.#end(pool);
    return call;
  }

  /** A text without this backend's keys, their parts, and the tokens made of them: vendors quote what they were sent. For errors only, not fast. */
  redact(text: string): string {
    const tokens = this.#keys.map((_, key) => this.#authorization(key).slice('Bearer '.length));
    return redactor([...this.#keys, ...tokens])(text);
  }

  #authorization(key: number): string {
    const credentials = this.#credentials[key];
    if (credentials === undefined) throw new RangeError(`backend ${this.name} has no key ${key}`);
    return credentials(Date.now());
  }

  /** The backend is in no configuration any more: its connections are closed when the running calls have ended. Late calls are still carried. */
  async retire(): Promise<void> {
    this.#retired = true;
    await this.close();
  }

  /** Each connection is closed as soon as its call has ended, those without one now. Calls that are yet to come share new ones. */
  drain(): void {
    const pool = this.#pool;
    this.#pool = this.#newPool();
    void this.#end(pool);
  }

  /** Lets running calls end, then closes the connections. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#pools.keys(), (pool) => this.#end(pool)));
  }

  async destroy(): Promise<void> {
    await Promise.all(Array.from(this.#pools.keys(), (pool) => pool.destroy()));
  }

  #newPool(): Pool {
    const { baseUrl, connections, timeouts } = this.backend;
    const pool = new Pool(new URL(baseUrl).origin, {
      connections,
      connect: { timeout: timeouts.connectMs },
      // Below the vendors' own idle times: a POST on a socket that the vendor is closing fails.
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 30_000,
      // Our own wheel watches time.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 32 * 1024,
    });
    this.#pools.set(pool, null);
    return pool;
  }

  #end(pool: Pool): Promise<void> {
    let ending = this.#pools.get(pool);
    if (ending == null) {
      ending = pool.close().finally(() => this.#pools.delete(pool));
      this.#pools.set(pool, ending);
    }
    return ending;
  }
}

/** What holds for one call beside the backend's configuration. */
export interface CallTerms {
  readonly key: number;
  readonly withinMs: number;
  /** The answer comes when all of it is written, and is waited for so long. */
  readonly whole?: boolean;
  /** Goes along as it is; null: the backend is told of no trace. */
  readonly traceparent: string | null;
}

const ANY_TERMS: CallTerms = { key: 0, withinMs: Number.POSITIVE_INFINITY, traceparent: null };

/** A path may climb out of the base with `..`: one vendor serves a part of its API under another base. */
const joined = (base: string, path: string): string =>
  path.startsWith('/../') ? new URL(base + path, 'http://base').pathname : base + path;
