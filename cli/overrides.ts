import type { Config } from '../config/config.ts';
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
    console.error('estafet: the environment variable HOST is empty: unset it, or name the address to listen on.');
    return null;
  }
  const port = options.port ?? (fromEnv === undefined ? config.server.port : Number(fromEnv));
  return { ...config, server: { ...config.server, host: options.host ?? env['HOST'] ?? config.server.host, port, logLevel } };
}
