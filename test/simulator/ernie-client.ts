/** Asks the simulated Ernie vendor and reads what came back, streams included. */

import { keyText } from '../../simulator/ernie/keys.ts';
import { ernieVendor } from '../../simulator/ernie/vendor.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

export interface AskOptions {
  /** Name in the key table; null sends no Authorization at all. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

export interface Client {
  readonly simulator: Simulator;
  /** Moves the simulator's clock, in milliseconds. */
  advance(ms: number): void;
  ask(path: string, body: unknown, options?: AskOptions): Promise<Asked>;
  close(): Promise<void>;
}

/** A simulator of Ernie alone on a free port, its clock standing at 2025-11-24T16:00:00Z. */
export async function startClient(): Promise<Client> {
  let nowMs = 1_764_000_000_000;
  const simulator = await startSimulator({ vendors: [ernieVendor], now: () => nowMs });
  const url = simulator.vendors.ernie?.url ?? '';
  return {
    simulator,
    advance: (ms) => {
      nowMs += ms;
    },
    async ask(path, body, options = {}) {
      const key = options.key === undefined ? 'good' : options.key;
      const response = await fetch(url + path, {
        method: options.method ?? 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === null ? {} : { authorization: `Bearer ${keyText(key)}` }),
          ...options.headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
    },
    close: () => simulator.close(),
  };
}

export type Json = Record<string, unknown>;

/** A value deep in a JSON answer: `at(body, 'choices', 0, 'message', 'content')`. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (here, step) => (typeof here === 'object' && here !== null ? (here as Record<string, unknown>)[step] : undefined),
    value,
  );
}

export function json(asked: Asked): Json {
  return JSON.parse(asked.text) as Json;
}

/** The JSON frames of a stream, `[DONE]` left out. */
export function frames(asked: Asked): readonly Json[] {
  return events(asked)
    .filter((event) => event !== '[DONE]')
    .map((event) => JSON.parse(event) as Json);
}

/** The data of every event, `[DONE]` included. */
export function events(asked: Asked): readonly string[] {
  return asked.text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice('data: '.length));
}

/** A chat body: one user message, `part` on top. */
export function chatBody(text: string, part: Json = {}): Json {
  return { model: 'ernie-4.5-turbo-128k', messages: [{ role: 'user', content: text }], ...part };
}
