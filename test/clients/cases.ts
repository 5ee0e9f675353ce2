import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type Rig, startRig } from '../e2e/rig.ts';
import { VENDOR_CASES } from '../e2e/vendors.ts';

/** One backend as the client libraries see it: names they can ask for. */
export interface ClientCase {
  /** Name of the backend. */
  readonly backend: string;
  readonly vendor: 'qwen' | 'ernie' | 'glm';
  /** A chat model with thinking off. */
  readonly chat: string;
  /** A model that thinks, under a name that the libraries take for one of OpenAI's that do, and treat accordingly. */
  readonly thinker: string;
  readonly embedder: string;
  /** How long its vectors are. */
  readonly dimensions: number;
  /** The most texts that the vendor takes in one call. */
  readonly listLimit: number;
}

const EMBEDDERS = {
  qwen: { embedder: 'text-embedding-v4', dimensions: 1024, listLimit: 10 },
  ernie: { embedder: 'bge-large-zh', dimensions: 1024, listLimit: 16 },
  glm: { embedder: 'embedding-3', dimensions: 2048, listLimit: 64 },
} as const;

const BACKENDS = [
  ...VENDOR_CASES.map(({ vendor, model, thinker }) => ({ backend: vendor, vendor, model, thinker })),
  ...VENDOR_CASES.filter(({ vendor }) => vendor === 'qwen').map(({ vendor, model, thinker }) => ({
    backend: 'qwen-native',
    vendor,
    model,
    thinker,
  })),
];

/** Every backend there is: the three vendors, and Qwen by DashScope's own protocol. */
export const CLIENT_CASES: readonly ClientCase[] = BACKENDS.map(({ backend, vendor }) => ({
  backend,
  vendor,
  chat: `gpt-4o-${backend}`,
  thinker: `gpt-5-${backend}`,
  ...EMBEDDERS[vendor],
  embedder: `${backend}/${EMBEDDERS[vendor].embedder}`,
}));

/** A relay with all of them for the tests of one file. */
export function rigOfClients(): () => Rig {
  let rig: Rig;
  beforeAll(async () => {
    const aliases = BACKENDS.flatMap(({ backend, model, thinker }) => [
      [`gpt-4o-${backend}`, [{ to: `${backend}/${model}`, thinking: 'off' }]],
      [`gpt-5-${backend}`, [`${backend}/${thinker}`]],
    ]);
    rig = await startRig({
      configExtra: { backends: { 'qwen-native': { simulated: 'qwen', protocol: 'native' } }, models: Object.fromEntries(aliases) },
      keyOptions: { slow: { limits: { rpm: 1 } } },
    });
  });
  beforeEach(() => rig.reset());
  afterAll(() => rig.close());
  return () => rig;
}

/** `fetch`, but for the wait before a library asks again: it is cut to a millisecond. What is told is kept in `told`. */
export function impatientFetch(told: Headers[] = []): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    told.push(response.headers);
    if (response.ok) return response;
    const headers = new Headers(response.headers);
    headers.set('retry-after-ms', '1');
    headers.delete('retry-after');
    return new Response(response.body, { status: response.status, headers });
  };
}

/** The simulated failures that the libraries must tell apart: its directive, the status, and how often a library with two retries asks. */
export const FAILURES = [
  { fault: 'overload', status: 503, code: 'upstream_overloaded', asks: 3 },
  { fault: 'rate-limit', status: 429, code: 'rate_limit_exceeded', asks: 3 },
  { fault: 'dead-key', status: 502, code: 'upstream_auth', asks: 1 },
  { fault: 'arrears', status: 503, code: 'upstream_out_of_credit', asks: 1 },
  { fault: 'moderation', status: 400, code: 'content_filter', asks: 1 },
  { fault: 'context-length', status: 400, code: 'context_length_exceeded', asks: 1 },
] as const;

/** An answer that takes ten seconds unless the client leaves. */
export const LONG = '[[sim:tokens n=2000]] [[sim:slow chunkMs=5]]';
/** Whoever waits for the relay to notice waits this long at most. */
export const WITHIN = { timeout: 5000, interval: 10 };

/** Of each call that the vendors have seen, whether it was closed before its end. */
export const aborted = (rig: Rig): boolean[] => rig.seen().map((call) => call.aborted);
