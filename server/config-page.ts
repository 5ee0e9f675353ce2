import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { portable } from '../config/portable.ts';
import type { ConfigPage } from '../routes/estafet/config.ts';
import { VERSION } from './version.ts';

/** What a relay says of the configuration it has in force. */
export interface ShownConfig {
  readonly object: 'estafet.config';
  /** Of the relay: another release may read the same file otherwise. */
  readonly version: string;
  /** Of the fingerprints, another one for each answer. */
  readonly salt: string;
  readonly config: unknown;
}

/** Null where no token is configured. */
export function configPage(config: Config): ConfigPage | null {
  const token = config.server.admin?.token.reveal();
  if (token === undefined) return null;
  return {
    token,
    json: () => {
      const salt = randomBytes(16).toString('hex');
      const shown: ShownConfig = { object: 'estafet.config', version: VERSION, salt, config: portable(config, salt) };
      return JSON.stringify(shown);
    },
  };
}
