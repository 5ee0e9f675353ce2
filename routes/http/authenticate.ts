import type { IncomingMessage } from 'node:http';
import { OpenAIError } from '../../openai/errors.ts';
import type { Caller } from '../../relay/keys/key-ring.ts';
import { permitOf } from '../../relay/relay.ts';
import type { Current } from './deps.ts';

const MISSING =
  "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";

/**
 * The caller behind a request: key, then network and country. Keys are taken from the `Authorization: Bearer` header only, addresses from
 * the socket, and from `X-Forwarded-For` where the socket is a trusted proxy's; nothing else in a request changes who it is.
 * @throws OpenAIError `missing_api_key`, `invalid_api_key`, `unsupported_country_region_territory`
 */
export function authenticate(request: IncomingMessage, { keys, origins }: Pick<Current, 'keys' | 'origins'>, nowMs: number): Caller {
  const header = request.headers.authorization;
  if (header === undefined) throw new OpenAIError('missing_api_key', MISSING);
  const match = /^bearer +(\S+) *$/i.exec(header);
  if (match === null) throw new OpenAIError('missing_api_key', MISSING);
  const text = match[1] as string;
  const entry = keys.find(text, nowMs);
  if (entry === null) {
    throw new OpenAIError('invalid_api_key', `Incorrect API key provided: ${masked(text)}. Ask the administrator of this relay for a key.`);
  }
  const forwardedFor = request.headers['x-forwarded-for'];
  const address = origins.address(request.socket.remoteAddress ?? '', Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor);
  const caller: Caller = { ...entry, address };
  // Looked up only where a rule asks for it.
  const seen: { country?: string | null; table?: string } = {};
  const countryOf = (of: string): string | null => {
    try {
      return (seen.country = origins.countryOf(of));
    } catch (error) {
      // A table that is broken where this address would be: of no known country, as one that it does not have.
      Object.assign(seen, { country: null, table: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  const rule = permitOf(caller).callerRule(address, countryOf);
  if (rule !== null) {
    throw new OpenAIError('unsupported_country_region_territory', 'Country, region, or territory not supported', {
      evidence: { key: caller.key.name, team: caller.team.name, rule, address, ...seen },
    });
  }
  return caller;
}

/** At most four characters at each end, and never more than a third of the key. */
function masked(key: string): string {
  const shown = Math.min(4, Math.floor(key.length / 6));
  const visible = (part: string): string => part.replace(/[^\x21-\x7e]/g, '?');
  return `${visible(key.slice(0, shown))}${'*'.repeat(Math.min(20, Math.max(4, key.length - 2 * shown)))}${shown === 0 ? '' : visible(key.slice(-shown))}`;
}
