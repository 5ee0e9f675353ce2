import type { Config, Server } from '../../config/config.ts';
import { sameSettings } from '../../config/same-settings.ts';
import type { Change } from './change.ts';

/** What is opened or sized when the process starts. */
const SERVER = [
  'host',
  'port',
  'workers',
  'maxHeaderBytes',
  'receiptTtlMs',
  'receiptsKept',
  'metrics',
  'watchFiles',
] as const satisfies readonly (keyof Server)[];
const SECTIONS = ['redis', 'redisTls', 'database', 'books'] as const satisfies readonly (keyof Config)[];

/** The wanted configuration with what only a restart can change left as it is, and the names of what differs there. */
export function withoutRestart(old: Config, wanted: Config): { readonly config: Config; readonly restart: readonly Change[] } {
  const restart: Change[] = [];
  const kept = <T extends object, K extends keyof T & string>(section: string, names: readonly K[], from: T, to: T): T => {
    const result = { ...to };
    for (const name of names) {
      if (sameSettings(from[name], to[name])) continue;
      restart.push({ effect: 'restart', text: `${section}${name} needs a restart; the old value stays in force` });
      if (from[name] === undefined) delete result[name];
      else result[name] = from[name];
    }
    return result;
  };
  const config = kept('', SECTIONS, old, wanted);
  return { config: { ...config, server: kept('server.', SERVER, old.server, wanted.server) }, restart };
}
