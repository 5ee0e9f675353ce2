import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { type RedisServer, startRedis } from '../relay/quota/redis-server.ts';
import { estafet, folder, type Run } from '../server/process.ts';
import { type Sample, samplesOf } from '../server/telemetry/exposition.ts';
import { keyOf, type RedisPlace, type Teams, written } from './redis-rig.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Reply {
  readonly status: number;
  readonly id: string;
  readonly text: string;
}

/** On a connection of its own, so that requests go to the workers in turn. */
export function once(url: string, team: string, body?: Json): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${keyOf(team)}`, 'content-type': 'application/json' };
    const asked = request(
      url,
      { method: body === undefined ? 'GET' : 'POST', headers, agent: new Agent({ keepAlive: false }) },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, id: String(answer.headers['x-request-id']), text }));
      },
    );
    asked.on('error', reject);
    asked.end(body && JSON.stringify(body));
  });
}

export const chat = (url: string, team: string, content = 'x', more: Json = {}): Promise<Reply> =>
  once(`${url}/v1/chat/completions`, team, { model: 'gpt-4o', messages: [{ role: 'user', content }], ...more });

export interface Served {
  readonly run: Run;
  readonly url: string;
  readonly home: string;
  /** Lines of the log so far. */
  log(): Json[];
  /** The processes that serve, by worker. */
  pids(): Map<number, number>;
  metrics(): Promise<Sample[]>;
}

export interface Place {
  readonly simulator: Simulator;
  readonly redis: RedisServer;
  close(): Promise<void>;
}

export async function place(): Promise<Place> {
  const [simulator, redis] = await Promise.all([startSimulator(), startRedis()]);
  return {
    simulator,
    redis,
    close: async () => {
      await simulator.close();
      await redis.stop();
    },
  };
}

/** What a configuration names: a Redis of one's own, or several by their address. */
interface Named {
  readonly simulator: Simulator;
  readonly redis: { readonly port: RedisPlace };
}

/** The configuration as a file, of two workers unless told otherwise; `more` replaces whole sections. */
export function fileOf({ simulator, redis }: Named, teams: Teams, server: Json = {}, more: Json = {}): string {
  const file = JSON.parse(written(simulator, redis.port, teams)) as Json;
  const defaults = { host: '127.0.0.1', port: 0, workers: 2, metrics: { port: 0 }, watchFiles: false };
  return JSON.stringify({ ...file, database: `sqlite:${join(folder({}), 'books.db')}`, server: { ...defaults, ...server }, ...more });
}

/** `estafet serve` with that file, once it listens. */
export async function serve(
  { simulator }: Pick<Place, 'simulator'>,
  text: string,
  script?: string,
  env: Record<string, string> = {},
): Promise<Served> {
  const home = folder({ 'estafet.yaml': text });
  const secrets = { SIMULATED: simulator.vendors['qwen']?.key ?? '', ...env };
  const run = script === undefined ? estafet(['serve'], secrets, home) : estafet(['estafet.yaml'], secrets, home, { script });
  const url = (await run.seen(/listens on (http:\/\/[\d.:]+)/))[1] as string;
  // The last line may not have come to its end.
  const log = (): Json[] =>
    run.stdout
      .slice(0, run.stdout.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Json);
  const pids = (): Map<number, number> =>
    new Map(log().flatMap((line) => (line['type'] === 'worker-serves' ? [[Number(line['worker']), Number(line['pid'])] as const] : [])));
  await expect.poll(() => pids().size).toBe(2);
  return {
    run,
    url,
    home,
    log,
    pids,
    metrics: async () => {
      const [, page = ''] = await run.seen(/Metrics are at (http:\S+)\./);
      return samplesOf(await (await fetch(page)).text());
    },
  };
}
