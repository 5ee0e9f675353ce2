import { connect } from 'node:net';
import type { Config } from '../../config/config.ts';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { keyDigest, Secret } from '../../config/secret.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import type { BuildOptions } from '../../server/built.ts';
import { type RunningRelay, startRelay } from '../../server/main.ts';
import { createLogger } from '../../server/telemetry/logger.ts';
import { build } from '../../server/wiring.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { VENDORS } from '../../translators/registry.ts';

export const KEY = 'sk-test-key-0123456789abcdef';

/** A checked configuration from YAML text; throws with every problem for a refused one. */
export function configOf(text: string, env: Record<string, string> = {}, readFile: (path: string) => Uint8Array = noFile): Config {
  const result = parseConfig(text, { file: 'test.yaml', env, readFile, vendors: VENDORS });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

function noFile(path: string): never {
  throw new Error(`no file is read: ${path}`);
}

/** A key of the configuration by its digest, as an admin would write it. */
export const digestOf = (key: string): string => `sha256:${keyDigest(key)}`;

export interface Desk {
  readonly relay: RunningRelay;
  readonly url: string;
  readonly port: number;
  readonly records: RequestRecord[];
  /** Lines of the log, parsed. */
  readonly log: Record<string, unknown>[];
  close(): Promise<void>;
}

/** A relay that listens on a free port; its log and its records are kept for the test. */
export async function openRelay(
  config: Config,
  options: Pick<BuildOptions, 'random' | 'now' | 'catalog' | 'ledger' | 'tracing'> = {},
): Promise<Desk> {
  const records: RequestRecord[] = [];
  const log: Record<string, unknown>[] = [];
  const logger = createLogger('debug', { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) });
  // No file is left behind.
  const built = build(
    { ...config, database: new Secret('memory:') },
    { ...options, logger, onSettled: (record) => void records.push(record) },
  );
  const relay = await startRelay(config, built);
  return { relay, url: relay.url, port: Number(new URL(relay.url).port), records, log, close: async () => void (await relay.stop()) };
}

export interface SimulatedDesk extends Desk {
  readonly simulator: Simulator;
}

const MODELS = `
models:
  gpt-4o: [qwen/qwen-plus]
  gpt-4o-mini: [ernie/ernie-4.5-turbo-128k]
  gpt-4.1: [glm/glm-4.6]
  'o*': [qwen/qwen-plus]
`;

/** The three simulated vendors behind a relay. `server` is YAML of the section's keys, `backend` of every backend's; `rest` replaces models, teams and keys. */
export async function openSimulated(
  server = '',
  rest?: string,
  { backend = '', ...options }: Parameters<typeof openRelay>[1] & { readonly backend?: string } = {},
): Promise<SimulatedDesk> {
  const simulator = await startSimulator();
  const env: Record<string, string> = {};
  const backends = Object.entries(simulator.vendors).map(([vendor, { baseUrl, key }]) => {
    env[vendor.toUpperCase()] = key;
    return `  ${vendor}: { vendor: ${vendor}, baseUrl: '${baseUrl}', apiKey: 'env:${vendor.toUpperCase()}', retries: 0, breaker: off${backend === '' ? '' : `, ${backend}`} }`;
  });
  const access = `${MODELS}
teams:
  t: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] } }
keys:
  - { name: app, team: t, key: '${digestOf(KEY)}' }
`;
  try {
    const config = configOf(
      `server: { port: 0, drainTimeoutMs: 500${server === '' ? '' : `, ${server}`} }\nbackends:\n${backends.join('\n')}\n${rest ?? access}`,
      env,
    );
    const desk = await openRelay(config, options);
    return {
      ...desk,
      simulator,
      close: async () => {
        await desk.close();
        await simulator.close();
      },
    };
  } catch (error) {
    await simulator.close();
    throw error;
  }
}

export const HELLO = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };

/** A chat request with a good key. `body` goes out as it is when it is text or bytes. */
export function chat(
  desk: Pick<Desk, 'url'>,
  body: unknown = HELLO,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(`${desk.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

export interface RawAnswer {
  readonly text: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Writes bytes as they are and reads until the other side closes. `hold` keeps our side open without another byte. */
export async function rawExchange(port: number, pieces: readonly (string | Buffer)[]): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  const got: Buffer[] = [];
  socket.on('data', (piece: Buffer) => got.push(piece));
  socket.on('error', () => undefined);
  for (const piece of pieces) socket.write(piece);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return parseRaw(Buffer.concat(got).toString('utf8'));
}

export function parseRaw(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]),
  );
  return { text, status: Number(line.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
}

/** Waits for something that another process or socket will do; fails after 5 s. */
export async function until(what: string, test: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!test()) {
    if (performance.now() > end) throw new Error(`did not happen within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
