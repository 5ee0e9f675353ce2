import { tlsFault } from './tls-fault.ts';

/** A cause older than this is not the cause of what fails now. */
const RECENT_MS = 10_000;

/** Of the client, for commands that found no connection. */
const NOT_CONNECTED =
  /^(?:Reached the max retries|Connection is closed|Command aborted|No node of|Failed to refresh|All sentinels|No answer within)/;

/** Of the client and of Node, for a server that has not answered the first bytes: of a Cluster, of a Sentinel, of one server. */
const NO_HANDSHAKE = /^(?:timeout|connect ETIMEDOUT|Client network socket disconnected before secure TLS connection was established)$/;

/**
 * The faults of one connection in words. Commands fail for having none; why there is none is known from what happened to the connection before,
 * and is told along.
 */
export class RedisFaults {
  readonly #tls: boolean;
  #last: { readonly words: string; readonly atMs: number } | null = null;

  /** @param tls asked for by the address */
  constructor(tls: boolean) {
    this.#tls = tls;
  }

  /** Something went wrong with a connection, of whichever server. */
  note(fault: unknown): void {
    // Anything else that fails for having no connection is no cause.
    if (NOT_CONNECTED.test(messageOf(fault))) return;
    const recent = this.#last !== null && performance.now() - this.#last.atMs <= RECENT_MS;
    // What a server says of a certificate can be lost in the reset that follows: what it said before is still so.
    if (this.#tls && isReset(fault) && recent) return;
    this.#last = { words: this.#words(fault), atMs: performance.now() };
  }

  /** There is a connection. */
  forget(): void {
    this.#last = null;
  }

  /** One line; nothing of the address or the login is in it. */
  told(fault: unknown): string {
    const words = this.#words(fault);
    if (this.#last === null || performance.now() - this.#last.atMs > RECENT_MS || !NOT_CONNECTED.test(words)) return words;
    return `${words} Cause: ${this.#last.words}`;
  }

  #words(fault: unknown): string {
    const words = tlsFault(fault);
    if (words !== null) return words;
    const message = messageOf(fault);
    const { code } = (fault ?? {}) as { code?: string };
    if (message.startsWith('Reached the max retries')) return NOT_THERE;
    if (this.#tls && NO_HANDSHAKE.test(message)) return `${message}; does this port speak TLS?`;
    if (!this.#tls && code === 'ECONNRESET') return `${message}; does this port ask for TLS (\`rediss\`)?`;
    if (this.#tls && isReset(fault)) return `${message}; perhaps it asks for a client certificate, or refuses the one it is shown`;
    // Within a script Redis does not say which command it was.
    if (NO_RIGHT.test(message)) return `${message}; ACL LOG of the server names what it lacks`;
    return message === '' ? (code ?? 'unknown') : message;
  }
}

const NO_RIGHT = /NOPERM|no permissions?|The user executing the script can't/i;

/** In place of the client's own text, which tells of its settings. */
const NOT_THERE = 'Connection is closed.';

/** Over TLS 1.3 a client may write before the server has looked at its certificate. */
const isReset = (fault: unknown): boolean => /^(?:ECONNRESET|EPIPE)$/.test((fault as { code?: string } | null)?.code ?? '');

function messageOf(fault: unknown): string {
  return (fault instanceof Error ? fault.message : String(fault)).trim();
}
