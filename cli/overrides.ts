import { workersFault } from '../config/check-workers.ts';
import type { Config, Server } from '../config/config.ts';
import type { ServeOptions } from './serve-options.ts';

/** Options win over environment variables, and these over the file. Null, and a message, when a variable is no use. */
export function overridden(config: Config, options: ServeOptions, env: NodeJS.ProcessEnv): Config | null {
  const fromEnv = env['PORT'];
  if (options.port === undefined && fromEnv !== undefined && !(/^\d{1,5}$/.test(fromEnv) && Number(fromEnv) <= 65_535)) {
    console.error(`estafet: the environment variable PORT must be a whole number from 0 to 65535, not "${fromEnv}".`);
    return null;
  }
  const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
  const level = env['LOG_LEVEL'];
  const logLevel = LEVELS.find((name) => name === level) ?? (level === undefined ? config.server.logLevel : undefined);
  if (logLevel === undefined) {
    console.error(`estafet: the environment variable LOG_LEVEL must be one of ${LEVELS.join(', ')}, not "${level}".`);
    return null;
  }
  // An empty address would mean every one of this machine.
  if (options.host === undefined && env['HOST'] === '') {
    console.error('estafet: the environment variable HOST is empty: unset it, or set it to the address to listen on.');
    return null;
  }
  const workers = workersOf(config, options, env['WORKERS']);
  if (workers === null) return null;
  const set = {
    host: options.host !== undefined || env['HOST'] !== undefined,
    port: options.port !== undefined || fromEnv !== undefined,
    logLevel: level !== undefined,
    workers: options.workers !== undefined || env['WORKERS'] !== undefined,
  };
  const outside = (['host', 'port', 'logLevel', 'workers'] as const).filter((name) => set[name]);
  const port = options.port ?? (fromEnv === undefined ? config.server.port : Number(fromEnv));
  const server = { ...config.server, host: options.host ?? env['HOST'] ?? config.server.host, port, logLevel, workers };
  return { ...config, server, ...(outside.length === 0 ? {} : { overridden: outside }) };
}

export const isWorkers = (value: unknown): value is Server['workers'] =>
  value === 'auto' || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 256);

function workersOf(config: Config, options: ServeOptions, text: string | undefined): Server['workers'] | null {
  const fromEnv = text === undefined || text === 'auto' ? text : /^\d+$/.test(text) ? Number(text) : null;
  if (options.workers === undefined && fromEnv !== undefined && !isWorkers(fromEnv)) {
    console.error(`estafet: the environment variable WORKERS must be auto or a whole number from 1 to 256, not "${text}".`);
    return null;
  }
  const workers = options.workers ?? fromEnv ?? config.server.workers;
  // What the file says was checked with it; it may be another that is wanted now.
  const fault = workers === 'auto' || workers === 1 ? null : workersFault(config);
  if (fault === null) return workers;
  console.error(`estafet: cannot run ${workers} workers: ${fault}.`);
  return null;
}
