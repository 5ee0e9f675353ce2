import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import type { Config } from '../../config/config.ts';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { type RunningRelay, startRelay } from '../../server/main.ts';
import { build } from '../../server/wiring.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { VENDORS } from '../../translators/registry.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a team has besides a permit. Each has one key of its own name. */
export type Teams = Readonly<Record<string, Json>>;

export const keyOf = (team: string): string => `sk-test-${team}-0123456789abcdef`;

/** Of a Redis of this machine, or as a configuration says it, alone or with its TLS. */
export type RedisPlace = number | string | { readonly redis: string; readonly redisTls: Json };

/** The configuration as a file: one simulated backend, with what it has besides, and one Redis. */
export function written(simulator: Simulator, redis: RedisPlace, teams: Teams, backend: Json = {}): string {
  const { qwen } = simulator.vendors;
  if (qwen === undefined) throw new Error('the simulator has no qwen');
  return JSON.stringify({
    server: { host: '127.0.0.1', port: 0, logLevel: 'silent' },
    database: 'memory:',
    ...(typeof redis === 'object' ? redis : { redis: typeof redis === 'number' ? `redis://127.0.0.1:${redis}` : redis }),
    backends: { qwen: { vendor: 'qwen', baseUrl: qwen.baseUrl, apiKey: 'env:SIMULATED', retries: 0, breaker: 'off', ...backend } },
    models: { 'gpt-4o': ['qwen/qwen-plus'] },
    teams: Object.fromEntries(
      Object.entries(teams).map(([name, team]) => [name, { permit: { vendors: ['qwen'], regions: ['*'] }, ...team }]),
    ),
    keys: Object.keys(teams).map((name) => ({
      name,
      team: name,
      key: `sha256:${createHash('sha256').update(keyOf(name)).digest('hex')}`,
    })),
  });
}

export interface RedisRig {
  readonly simulator: Simulator;
  /** Starts with what the file says then, other teams or a backend with more if told; closed with the rig. */
  relay(others?: Teams, backend?: Json): Promise<RunningRelay>;
  /** Requests the vendor has seen since the last call. */
  reached(): number;
  close(): Promise<void>;
}

/** Any number of relays in this process, in front of one simulator, on one Redis. */
export async function startRedisRig(redis: RedisPlace, teams: Teams): Promise<RedisRig> {
  const simulator = await startSimulator();
  const relays: RunningRelay[] = [];
  let counted = 0;
  return {
    simulator,
    relay: async (others = teams, backend = {}) => {
      const config = parsed(written(simulator, redis, others, backend), simulator);
      const relay = await startRelay(config, build(config, { random: () => 0 }));
      relays.push(relay);
      return relay;
    },
    reached: () => {
      const all = simulator.journal().length;
      const since = all - counted;
      counted = all;
      return since;
    },
    close: async () => {
      for (const relay of relays) {
        relay.server.closeAllConnections();
        await relay.stop();
      }
      await simulator.close();
    },
  };
}

function parsed(text: string, simulator: Simulator): Config {
  const env = { SIMULATED: simulator.vendors['qwen']?.key ?? '' };
  const result = parseConfig(text, { file: 'test', env, readFile: readFileSync, vendors: VENDORS });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly ms: number;
  readonly code: string | null;
  readonly message: string;
}

/** One short request of a team, whole. */
export async function ask(url: string, team: string, content = 'x', more: Json = {}): Promise<Answer> {
  const started = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(team)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }], max_tokens: 2, ...more }),
  });
  const body = (await response.json()) as { error?: { code: string | null; message: string } };
  const { status, headers } = response;
  return { status, headers, ms: performance.now() - started, code: body.error?.code ?? null, message: body.error?.message ?? '' };
}

export const statuses = (answers: readonly Answer[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

/** A stream of a team, as the official SDK reads it. */
export function stream(url: string, team: string, content: string) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: keyOf(team), maxRetries: 0 });
  return client.chat.completions.create({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content }] });
}
