import { createHash } from 'node:crypto';
import { compose } from './compose.ts';
import { parseDirectives } from './directives.ts';
import { FaultBook } from './fault-book.ts';
import { MODEL_DIRECTIVES } from './fault-names.ts';
import { Journal } from './journal.ts';
import { jsonBodyOf } from './json-body.ts';
import { countTokens, cutTokens, pieces } from './tokens.ts';
import { type Limits, NO_LIMITS, Traffic } from './traffic.ts';
import type { Fault, Incoming, Kernel, Vendor, VendorName } from './types.ts';

/** Everything one simulator remembers; nothing is shared between two simulators in one process. */
export interface State {
  readonly journal: Journal;
  readonly faults: FaultBook;
  readonly traffic: Traffic;
  readonly limits: Map<VendorName, Limits>;
  readonly strict: Set<VendorName>;
  readonly now: () => number;
  nextSeq(): number;
  kernelFor(vendor: Vendor): VendorKernel;
  /** Forgets journal, faults, totals, limits, profiles, prompt cache and request ids. */
  reset(): void;
}

/** A vendor's kernel, and what the server around it needs. */
export interface VendorKernel extends Kernel {
  /** Faults found for a request so far; takes the admin's faults if the vendor never asked. */
  faultsOf(incoming: Incoming): readonly Fault[];
  /** Name under which limits and windows of a request are kept. */
  accountId(incoming: Incoming): string;
}

const CACHE_MIN_TOKENS = 256;
const REMEMBERED = 100_000;

export function createState(options: { readonly journalLimit?: number; readonly now?: () => number } = {}): State {
  const journal = new Journal(options.journalLimit ?? 1_000);
  const faults = new FaultBook();
  const traffic = new Traffic();
  const limits = new Map<VendorName, Limits>();
  const strict = new Set<VendorName>();
  const prompts = new BoundedSet(REMEMBERED);
  const requestIds = new BoundedSet(REMEMBERED);
  const now = options.now ?? Date.now;
  let seq = 0;

  const kernelFor = (vendor: Vendor): VendorKernel => {
    const standing = new WeakMap<Incoming, readonly Fault[]>();
    const latest = new WeakMap<Incoming, readonly Fault[]>();
    const accountId = (incoming: Incoming): string => {
      const credential = credentialOf(incoming);
      return JSON.stringify(['account', vendor.name, vendor.accountOf?.(credential) ?? credential, modelOf(incoming)]);
    };
    const take = (incoming: Incoming): readonly Fault[] => {
      const known = standing.get(incoming);
      if (known !== undefined) return known;
      const target = { vendor: vendor.name, region: incoming.region, model: modelOf(incoming), key: credentialOf(incoming) };
      const over = traffic.overLimit(accountId(incoming), incoming.nowMs, limits.get(vendor.name) ?? NO_LIMITS);
      const taken = [...faults.take(target), ...(over === null ? [] : [{ name: 'rate-limit', args: { kind: over } }])];
      standing.set(incoming, taken);
      return taken;
    };
    const keyId = (keyName: string, model: string): string => keyWindowId(vendor.name, keyName, model);
    return {
      faults(incoming, promptText) {
        const asked = parseDirectives(promptText).directives.filter((directive) => !MODEL_DIRECTIVES.has(directive.name));
        const all = [...asked, ...take(incoming)];
        latest.set(incoming, all);
        return all;
      },
      faultsOf: (incoming) => latest.get(incoming) ?? take(incoming),
      accountId,
      countTokens,
      pieces,
      compose,
      inFlight: (keyName, model) => traffic.inFlight(keyId(keyName, model)) + 1,
      spent: (keyName, model, windowMs) => traffic.spent(keyId(keyName, model), now(), windowMs),
      seenBefore(keyName, model, promptText) {
        const prefix = cutTokens(promptText, CACHE_MIN_TOKENS).trimEnd();
        if (countTokens(prefix) < CACHE_MIN_TOKENS) return false;
        return !prompts.add(digest(vendor.name, keyName, model, prefix));
      },
      rememberRequestId: (id) => requestIds.add(JSON.stringify([vendor.name, id])),
      hex: (incoming, salt, digits) => hexDigits(`${incoming.seq}:${salt}`, digits),
      get strict() {
        return strict.has(vendor.name);
      },
    };
  };

  return {
    journal,
    faults,
    traffic,
    limits,
    strict,
    now,
    nextSeq: () => {
      seq += 1;
      return seq;
    },
    kernelFor,
    reset() {
      journal.clear();
      faults.clear();
      traffic.reset();
      limits.clear();
      strict.clear();
      prompts.clear();
      requestIds.clear();
    },
  };
}

/** Key of the in-flight counters and windows a vendor reads by key name and model. */
export function keyWindowId(vendor: VendorName, keyName: string, model: string): string {
  return JSON.stringify(['key', vendor, keyName, model]);
}

export function credentialOf(incoming: Incoming): string {
  const bearer = incoming.headers['authorization'];
  return (bearer ?? incoming.headers['x-api-key'] ?? '').replace(/^Bearer\s+/i, '');
}

/** `model` of a JSON body, '' when there is none. */
export function modelOf(incoming: Incoming): string {
  const body = jsonBodyOf(incoming);
  return typeof body === 'object' && body !== null && 'model' in body && typeof body.model === 'string' ? body.model : '';
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

function hexDigits(text: string, digits: number): string {
  let out = '';
  for (let block = 0; out.length < digits; block += 1) out += createHash('sha256').update(`${text}:${block}`).digest('hex');
  return out.slice(0, digits);
}

/** Forgets its oldest members. */
class BoundedSet {
  readonly #members = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when it was there already. */
  add(member: string): boolean {
    if (this.#members.has(member)) return false;
    this.#members.add(member);
    const [oldest] = this.#members;
    if (this.#members.size > this.#limit && oldest !== undefined) this.#members.delete(oldest);
    return true;
  }

  clear(): void {
    this.#members.clear();
  }
}
