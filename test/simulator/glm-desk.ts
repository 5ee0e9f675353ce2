/**
 * A desk to try the simulated GLM on: sends one request to `glmVendor.handle` with a kernel made of the real
 * composer and token measure, and with clock, faults and in-flight count in the test's hand.
 */
import { createHash } from 'node:crypto';
import { glmVendor } from '../../simulator/glm/vendor.ts';
import { compose } from '../../simulator/kernel/compose.ts';
import { parseDirectives } from '../../simulator/kernel/directives.ts';
import { countTokens, pieces } from '../../simulator/kernel/tokens.ts';
import type { Accounting, Fault, Kernel } from '../../simulator/kernel/types.ts';

/** 2026-09-01 10:15:30 in Beijing. */
export const NOW_MS = Date.UTC(2026, 8, 1, 2, 15, 30);

export interface Ask {
  readonly path?: string;
  readonly method?: string;
  readonly region?: string;
  /** Whole Authorization header; null for none. */
  readonly auth?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly faults?: readonly Fault[];
  readonly inFlight?: number;
  readonly nowMs?: number;
}

export interface Told {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Body of a whole answer. */
  readonly json: Json;
  /** `data:` lines of a stream, parsed; `[DONE]` as the string. */
  readonly events: readonly Json[];
  readonly frames: readonly string[];
  /** One a frame: does it carry text or tool arguments? */
  readonly contentFlags: readonly boolean[];
  readonly accounting: Accounting;
}

/** Foreign JSON, walked by tests; a missing step throws there, which is what a test wants. */
export interface Json {
  readonly [key: string]: Json;
}

export interface Desk {
  ask(what: Ask): Told;
}

export function openDesk(): Desk {
  const used = new Set<string>();
  const prompts = new Set<string>();
  let seq = 0;

  function ask(what: Ask): Told {
    seq += 1;
    const region = what.region ?? 'cn';
    const auth = what.auth === undefined ? `Bearer sim-glm-${region}-good.secret-${region}-good` : what.auth;
    const headers: Record<string, string> = { ...what.headers, ...(auth === null ? {} : { authorization: auth }) };
    const body = typeof what.body === 'string' ? what.body : JSON.stringify(what.body ?? {});
    const incoming = {
      method: what.method ?? 'POST',
      path: what.path ?? '/api/paas/v4/chat/completions',
      query: new URLSearchParams(),
      headers,
      rawBody: Buffer.from(body),
      region,
      seq,
      nowMs: what.nowMs ?? NOW_MS,
    };
    const kernel: Kernel = {
      faults: (_, promptText) => [...parseDirectives(promptText).directives, ...(what.faults ?? [])],
      countTokens,
      pieces,
      compose,
      inFlight: () => what.inFlight ?? 1,
      spent: () => ({ requests: 0, tokens: 0 }),
      seenBefore(keyName, model, promptText) {
        const mark = `${keyName} ${model} ${promptText}`;
        const seen = prompts.has(mark);
        prompts.add(mark);
        return seen && countTokens(promptText) >= 256;
      },
      rememberRequestId(id) {
        const fresh = !used.has(id);
        used.add(id);
        return fresh;
      },
      hex: (from, salt, digits) => createHash('sha512').update(`${from.seq} ${salt}`).digest('hex').slice(0, digits),
    };
    const { reply, accounting } = glmVendor.handle(incoming, kernel);
    const frames = reply.kind === 'stream' ? reply.frames.map((frame) => frame.wire) : [];
    const text = reply.kind === 'stream' ? frames.join('') : reply.body;
    // Not `.`, which ends at U+2028: lines of a stream do not.
    const data = [...text.matchAll(/^data: ([^\r\n]*)/gm)].map(([, line]) => (line === '[DONE]' ? line : JSON.parse(line!)) as Json);
    return {
      status: reply.status,
      type: reply.headers['content-type'],
      headers: reply.headers,
      text,
      json: (reply.kind === 'whole' ? JSON.parse(text) : {}) as Json,
      events: data,
      frames,
      contentFlags: reply.kind === 'stream' ? reply.frames.map((frame) => frame.content) : [],
      accounting,
    };
  }
  return { ask };
}

/** A small correct chat body, with differences. */
export function chatBody(difference: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { model: 'glm-4.7', messages: [{ role: 'user', content: 'Name one river in France.' }], ...difference };
}

/** A chat body whose user text is `text`. */
export function saying(text: string, difference: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return chatBody({ messages: [{ role: 'user', content: text }], ...difference });
}

export const BOX_TOOL = {
  type: 'function',
  function: {
    name: 'count_boxes',
    description: 'Boxes in a hall',
    parameters: { type: 'object', properties: { hall: { type: 'string' } }, required: ['hall'] },
  },
};
