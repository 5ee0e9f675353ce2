/** A server of Redis or of Sentinel. IPv6 without brackets. */
export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly user: string | null;
  readonly password: string | null;
}

/** Where Redis is: one server, a Cluster of which some nodes are named, or what Sentinels call the master of that name. */
export type RedisAddress =
  | { readonly kind: 'alone'; readonly tls: boolean; readonly url: string }
  | ({ readonly kind: 'cluster'; readonly tls: boolean; readonly nodes: readonly RedisHost[] } & Login)
  | ({
      readonly kind: 'sentinel';
      readonly tls: boolean;
      readonly sentinels: readonly RedisHost[];
      readonly master: string;
      readonly database: number;
      /** For the Sentinels themselves; user and password beside it are those of the servers they watch. */
      readonly sentinelLogin: Login;
    } & Login);

const FORMS =
  'must be an address such as `redis://host:6379`, `redis+cluster://host:6379,host:6379` or `redis+sentinel://host:26379,host:26379/master`, with `rediss` for TLS';
const CLUSTER_FORM =
  'must be `redis+cluster://`, then `user:password@` (optional) and hosts with ports, separated by commas; nothing may follow';
const SENTINEL_FORM =
  'must be `redis+sentinel://`, then `user:password@` (optional), hosts with ports, separated by commas, `/`, the name of the master, and `/` with the number of a database (optional)';

class Fault extends Error {}

/**
 * Reads `redis`. The fault never repeats what was written: the text may hold a password. The client would take many other texts too, as
 * the name of a host or of a socket, and then try it for ever.
 */
export function redisAddress(text: string): RedisAddress | { readonly fault: string } {
  const [, secure, kind, rest = ''] = /^redis(s?)(?:\+(cluster|sentinel))?:\/\/(.*)$/s.exec(text) ?? [];
  if (secure === undefined) return { fault: FORMS };
  const tls = secure === 's';
  try {
    if (kind === 'cluster') return cluster(rest, tls);
    if (kind === 'sentinel') return sentinel(rest, tls);
    return alone(text, tls);
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message };
    throw error;
  }
}

function alone(url: string, tls: boolean): RedisAddress {
  if (!URL.canParse(url) || new URL(url).hostname === '')
    throw new Fault('is not a URL with a host; write %2F, %3A and %40 for `/`, `:` and `@` in a password');
  const { pathname } = new URL(url);
  if (!/^(?:\/\d*)?$/.test(pathname)) throw new Fault('must have nothing after the host, or `/` and the number of a database');
  return { kind: 'alone', tls, url };
}

function cluster(rest: string, tls: boolean): RedisAddress {
  const [, login, hosts] = /^(?:([^@/?#]*)@)?([^@/?#]*)\/?$/.exec(rest) ?? [];
  if (hosts === undefined) throw new Fault(CLUSTER_FORM);
  return { kind: 'cluster', tls, nodes: hostsOf(hosts, 6379), ...loginOf(login) };
}

function sentinel(rest: string, tls: boolean): RedisAddress {
  const [, login, hosts, master, database, query] =
    /^(?:([^@/?#]*)@)?([^@/?#]*)\/([^/?#]+)(?:\/(\d{1,5}))?(?:\?([^#]*))?$/.exec(rest) ?? [];
  if (hosts === undefined || master === undefined) throw new Fault(SENTINEL_FORM);
  const sentinels = hostsOf(hosts, 26_379);
  const sentinelLogin = sentinelLoginOf(query);
  return { kind: 'sentinel', tls, sentinels, master: decoded(master), database: Number(database ?? 0), sentinelLogin, ...loginOf(login) };
}

function hostsOf(list: string, port: number): RedisHost[] {
  return list.split(',').map((entry) => {
    // The same host would be refused in `redis://`.
    if (entry === '' || !URL.canParse(`http://${entry}`)) throw new Fault('has a host or a port that is not valid');
    const [, host, own] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(entry) ?? [];
    if (host === undefined || own === '0') throw new Fault('has a host or a port that is not valid');
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(own ?? port) };
  });
}

function loginOf(text = ''): Login {
  const [user = '', password, more] = text.split(':');
  if (more !== undefined) throw new Fault('has more than one `:` before `@`; write %3A for one in a password');
  return { user: decoded(user) || null, password: decoded(password ?? '') || null };
}

function sentinelLoginOf(query = ''): Login {
  const login: Record<string, string | null> = { sentinelUser: null, sentinelPassword: null };
  for (const part of query.split('&').filter((one) => one !== '')) {
    const [name = '', value = ''] = part.split('=', 2);
    if (!Object.hasOwn(login, name)) throw new Fault('may have only `sentinelUser` and `sentinelPassword` after `?`');
    login[name] = decoded(value) || null;
  }
  return { user: login['sentinelUser'] ?? null, password: login['sentinelPassword'] ?? null };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Fault('has a `%` without two hexadecimal digits after it; write %25 for a `%`');
  }
}
