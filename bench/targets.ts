import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from './children.ts';
import { CALLER_KEY } from './load.ts';
import { CHAT_PATHS, DIALECTS, type Dialect, MODELS } from './mock-answers.ts';
import type { Place } from './plan.ts';

/** What is measured: a process and what callers ask of it. The relay is one process asked in three ways. */
export interface Target {
  readonly name: string;
  readonly process: 'node' | 'express' | 'express-redis' | 'relay' | 'relay-redis';
  readonly dialect: Dialect;
}

export const TARGETS: readonly Target[] = [
  { name: 'bare Node proxy', process: 'node', dialect: 'qwen' },
  { name: 'bare Express proxy', process: 'express', dialect: 'qwen' },
  ...DIALECTS.map((dialect): Target => ({ name: `relay, ${dialect}`, process: 'relay', dialect })),
];

/** The same with limits in Redis, against the least that such limits can cost. */
export const REDIS_TARGETS: readonly Target[] = [
  { name: 'Express, two EVALSHA', process: 'express-redis', dialect: 'qwen' },
  { name: 'relay, Redis, qwen', process: 'relay-redis', dialect: 'qwen' },
];

export interface StartOptions {
  /** More arguments of Node's own. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where a relay listens; 0, any port, unless told. */
  readonly port?: number;
  /** Tells a relay's files from another's of the same kind. */
  readonly label?: string;
}

/** Starts one of the processes in front of the mock. */
export function startTarget(
  kind: Target['process'],
  { children, mock, core, redisPort }: Place,
  { nodeArgs = [], env = {}, port: listens = 0, label = String(listens) }: StartOptions = {},
): Promise<Child> {
  if (kind === 'relay' || kind === 'relay-redis') {
    const name = join(children.folder, `${kind}-${label}`);
    const file = `${name}.yaml`;
    const redis = kind === 'relay' ? '' : `redis: redis://127.0.0.1:${redisPort}\n`;
    writeFileSync(file, redis + relayFile(mock, `${name}.db`, listens));
    const serve = [...nodeArgs, 'dist/cli/cli.js', 'serve', '--config', file];
    return children.start(core, serve, {
      BENCH_VENDOR_KEY: 'bench-vendor-key',
      BENCH_METRICS_TOKEN: 'bench-metrics-token-of-32-letters',
      ...env,
    });
  }
  const port = kind === 'express-redis' ? [String(redisPort)] : [];
  return children.start(core, [...nodeArgs, `bench/proxy-${kind}.ts`, mock + CHAT_PATHS.qwen, ...port], env);
}

/** The relay as it would run: log lines, metrics, receipts, books, permits and limits on; the limits out of reach. */
function relayFile(mock: string, books: string, port: number): string {
  const digest = createHash('sha256').update(CALLER_KEY).digest('hex');
  const backends = DIALECTS.map((vendor) => {
    const baseUrl = mock + CHAT_PATHS[vendor].replace('/chat/completions', '');
    return `  ${vendor}: { vendor: ${vendor}, region: bench, baseUrl: "${baseUrl}", apiKey: env:BENCH_VENDOR_KEY, connections: 10000 }`;
  });
  // Pauses of a shared machine are not the relay's.
  return `server: { host: 127.0.0.1, port: ${port}, maxLagMs: 0, headersTimeoutMs: 120000, requestTimeoutMs: 120000, drainTimeoutMs: 300000, metrics: { token: "env:BENCH_METRICS_TOKEN" } }
database: 'sqlite:${books}'
backends:
${backends.join('\n')}
models:
  gpt-4o: [${DIALECTS.map((vendor) => `${vendor}/${MODELS[vendor]}`).join(', ')}]
teams:
  bench:
    permit: { vendors: [${DIALECTS.join(', ')}], regions: [bench], callers: [127.0.0.0/8] }
    limits: { rpm: 1000000000, tpm: 4000000000, concurrency: 1000000 }
keys:
  - { name: bench, team: bench, key: "sha256:${digest}" }
`;
}
