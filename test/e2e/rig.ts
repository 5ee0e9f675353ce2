import { createHash } from 'node:crypto';
import OpenAI, { type ClientOptions } from 'openai';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { startRelay } from '../../server/main.ts';
import { build } from '../../server/wiring.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { VENDORS } from '../../translators/registry.ts';
import { checkStream, type StreamCheck } from '../contract/openai-schema.ts';
import { CHAT_ALIASES, protocolOf } from './vendors.ts';

type Json = Readonly<Record<string, unknown>>;
type JournalEntry = ReturnType<Simulator['journal']>[number];

export interface RigOptions {
  readonly configExtra?: {
    /** Added to `server`. */
    readonly server?: Json;
    /** Added to every backend. */
    readonly backend?: Json;
    /** More backends; `simulated` names the vendor whose address and key they get, `protocol` which of its addresses. */
    readonly backends?: Readonly<Record<string, Json & { readonly simulated?: 'qwen' | 'ernie' | 'glm'; readonly protocol?: string }>>;
    /** Added to `models`. */
    readonly models?: Json;
    /** Added to the one team. */
    readonly team?: Json;
  };
  /** More keys by name (`main` and `other` are always there), with what differs from the defaults. */
  readonly keyOptions?: Readonly<Record<string, Json>>;
}

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** The body as JSON. @throws SyntaxError when it is none */
  json(): Record<string, unknown>;
  /** The body judged as a chat stream. */
  stream(includeUsage?: boolean): StreamCheck;
  /** What the relay noted about this request. @throws Error when it settled nothing under this id */
  record(): RequestRecord;
}

export interface RawOptions {
  /** Name of the key; `main` unless told. */
  readonly key?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A relay in this process, in front of a simulator in this process. */
export interface Rig {
  /** `http://127.0.0.1:port`, without `/v1`. */
  readonly url: string;
  readonly simulator: Simulator;
  /** Every settled request, in order. */
  readonly records: RequestRecord[];
  keyOf(name: string): string;
  /** The official SDK, without retries of its own. */
  client(options?: ClientOptions & { readonly key?: string }): OpenAI;
  /** `POST` of a JSON body (an object, or text as it is), to the chat path unless told. */
  raw(body: unknown, options?: RawOptions): Promise<RawAnswer>;
  /** The requests that the simulated vendors have seen since the last `reset`. */
  seen(): readonly JournalEntry[];
  /** The body of the last of them; of a native one its parameters, with the messages beside them. */
  lastBody(): Record<string, unknown>;
  /** Forgets journal, usage and faults of the simulator, and the records. */
  reset(): void;
  close(): Promise<void>;
}

export async function startRig({ configExtra = {}, keyOptions = {} }: RigOptions = {}): Promise<Rig> {
  const simulator = await startSimulator();
  // Each test sees each call it causes, unless it asks for more.
  const { server = {}, backend: told = {}, backends = {}, models = {}, team = {} } = configExtra;
  const backend: Json = { retries: 0, breaker: 'off', ...told };
  const env: Record<string, string> = {};
  const address = (vendor: string, protocol = protocolOf(vendor)): Json => {
    const found = simulator.vendors[vendor as 'qwen'];
    if (found === undefined) throw new Error(`the simulator has no vendor ${vendor}`);
    env[`SIMULATED_${vendor.toUpperCase()}`] = found.key;
    const baseUrl = protocol === 'compatible' ? found.baseUrl : found.protocolUrls?.[protocol];
    return { vendor, protocol, baseUrl, apiKey: `env:SIMULATED_${vendor.toUpperCase()}` };
  };
  const keys: Record<string, Json> = { main: {}, other: {}, ...keyOptions };
  const keyOf = (name: string): string => `sk-test-${name}-0123456789abcdef`;
  const written = {
    server: { host: '127.0.0.1', port: 0, logLevel: 'silent', ...server },
    database: 'memory:',
    backends: {
      ...Object.fromEntries(['qwen', 'ernie', 'glm'].map((vendor) => [vendor, { ...address(vendor), ...backend }])),
      ...Object.fromEntries(
        Object.entries(backends).map(([name, { simulated, protocol, ...rest }]) => [
          name,
          { ...(simulated === undefined ? {} : address(simulated, protocol)), ...backend, ...rest },
        ]),
      ),
    },
    models: { ...CHAT_ALIASES, ...models },
    teams: { all: { permit: { vendors: ['qwen', 'ernie', 'glm'], regions: ['*'] }, ...team } },
    keys: Object.entries(keys).map(([name, more]) => ({
      name,
      team: 'all',
      key: `sha256:${createHash('sha256').update(keyOf(name)).digest('hex')}`,
      ...more,
    })),
  };
  const noFiles = (path: string): never => {
    throw new Error(`no file is read in a test: ${path}`);
  };
  // JSON is YAML: the same loader as for a file.
  const result = parseConfig(JSON.stringify(written), { file: 'test', env, readFile: noFiles, vendors: VENDORS });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  const records: RequestRecord[] = [];
  const built = build(result.config, { onSettled: (record) => void records.push(record), random: () => 0 });
  const relay = await startRelay(result.config, built);
  const recordOf = (headers: Headers): RequestRecord => {
    const record = records.find(({ id }) => id === headers.get('x-request-id'));
    if (record === undefined) throw new Error(`no record of ${headers.get('x-request-id')}`);
    return record;
  };
  return {
    url: relay.url,
    simulator,
    records,
    keyOf,
    client: ({ key = 'main', ...options } = {}) =>
      new OpenAI({ baseURL: `${relay.url}/v1`, apiKey: keyOf(key), maxRetries: 0, ...options }),
    raw: async (body, { key = 'main', path = '/v1/chat/completions', method = 'POST', headers = {} } = {}) => {
      const response = await fetch(relay.url + path, {
        method,
        headers: { authorization: `Bearer ${keyOf(key)}`, 'content-type': 'application/json', ...headers },
        body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return {
        status: response.status,
        headers: response.headers,
        bytes,
        text,
        json: () => JSON.parse(text) as Record<string, unknown>,
        stream: (includeUsage = false) => checkStream(bytes, { includeUsage }),
        record: () => recordOf(response.headers),
      };
    },
    seen: () => simulator.journal(),
    lastBody: () => flat(simulator.journal().at(-1)?.body as Record<string, unknown>),
    reset: () => {
      simulator.reset();
      records.length = 0;
    },
    close: async () => {
      relay.server.closeAllConnections();
      await relay.stop();
      await simulator.close();
    },
  };
}

function flat(body: Record<string, unknown>): Record<string, unknown> {
  const { input, parameters, ...rest } = body;
  return parameters === undefined ? body : { ...(parameters as Json), ...(input as Json), ...rest };
}

/** A user message. */
export const user = (content: string): { role: 'user'; content: string } => ({ role: 'user', content });
