import { jsonBodyOf } from './json-body.ts';
import type { Accounting, Fault, Incoming, VendorName } from './types.ts';

/** One request as the admin API shows it. Secrets are masked, the body is parsed when it is JSON. */
export interface JournalEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly vendor: VendorName;
  readonly region: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON, or `{ "bytes": n }` for anything else. */
  readonly body: unknown;
  /** HTTP status sent, null while none went out (silent, reset). */
  status: number | null;
  accounting: Accounting | null;
  faults: readonly Fault[];
  bytesSent: number;
  /** The client left before the answer was whole. */
  aborted: boolean;
  done: boolean;
  durationMs: number | null;
}

const SECRET_HEADERS = new Set(['authorization', 'x-api-key', 'api-key', 'cookie', 'proxy-authorization']);

/** Request bodies kept, in bytes as received. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;

/** A list bounded in entries and in bytes: the oldest fall out. */
export class Journal {
  readonly #entries: { readonly entry: JournalEntry; readonly bytes: number }[] = [];
  #bytes = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  open(vendor: VendorName, incoming: Incoming): JournalEntry {
    const entry: JournalEntry = {
      seq: incoming.seq,
      atMs: incoming.nowMs,
      vendor,
      region: incoming.region,
      method: incoming.method,
      path: incoming.path,
      query: Object.fromEntries(incoming.query),
      headers: maskedHeaders(incoming.headers),
      body: bodyOf(incoming),
      status: null,
      accounting: null,
      faults: [],
      bytesSent: 0,
      aborted: false,
      done: false,
      durationMs: null,
    };
    const bytes = incoming.rawBody.length;
    this.#entries.push({ entry, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > 1 && (this.#entries.length > this.#limit || this.#bytes > MAX_BODY_BYTES)) {
      this.#bytes -= this.#entries.shift()?.bytes ?? 0;
    }
    return entry;
  }

  list(): readonly JournalEntry[] {
    return this.#entries.map(({ entry }) => ({ ...entry }));
  }

  clear(): void {
    this.#entries.length = 0;
    this.#bytes = 0;
  }
}

function maskedHeaders(headers: Incoming['headers']): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) shown[name] = SECRET_HEADERS.has(name) ? mask(value) : value;
  }
  return shown;
}

/** Keeps the scheme and at most four characters of the secret, enough to tell two keys apart. */
function mask(value: string): string {
  const [scheme, secret] = /^(\w+\s+)?(.*)$/s.exec(value)?.slice(1) ?? [];
  const text = secret ?? '';
  return `${scheme ?? ''}${text.length > 12 ? `…${text.slice(-4)}` : '…'}`;
}

function bodyOf(incoming: Incoming): unknown {
  if (incoming.rawBody.length === 0) return null;
  const body = jsonBodyOf(incoming);
  return body === undefined ? { bytes: incoming.rawBody.length } : body; // multipart, or a body the vendor will refuse
}
