import { Cluster, type Command, Redis, type RedisOptions } from 'ioredis';
import type { RedisTls } from '../config/config.ts';
import type { RedisAddress } from '../config/redis-address.ts';
import { RedisFaults } from './redis-fault.ts';
import { tlsOptions } from './redis-tls.ts';

export interface RedisConnection {
  readonly client: Redis | Cluster;
  /** Connects, and from then on as often as it is lost, until it is closed. */
  start(): void;
  /** What failed, in one line, with the cause of there being no connection. */
  told(fault: unknown): string;
  /** At once, also when nothing answers. */
  close(): void;
}

type OnFault = (fault: unknown) => void;

interface Listener {
  /** Told of what concerns the limits. */
  readonly onFault: OnFault;
  /** Told of what may be behind it, and may be nothing: one of several that can be asked. */
  readonly onCause: OnFault;
}

type Kind<K extends RedisAddress['kind']> = Extract<RedisAddress, { kind: K }>;

const retryMs = (times: number): number => Math.min(100 * times, 1_000);

/**
 * Of every connection, whatever lies behind it. One that says nothing any more (its server is cut off, or stands still) is replaced.
 * Commands have no time limit of their own: the breaker's knows when this process is busy. RESP2, since scripts answer numbers and lists
 * only, and every server and proxy speaks it; nothing is sent that is newer than Redis 6.2.
 */
const COMMON = {
  lazyConnect: true,
  protocol: 2,
  replyMapping: 'legacy',
  disableClientInfo: true,
  maxRetriesPerRequest: 1,
  connectTimeout: 2_000,
  socketTimeout: 2_000,
} as const satisfies RedisOptions;

/** A batch that a replica refuses brings as many errors as it has commands; one of them is enough. */
const DEMOTED_ONCE_MS = 1_000;

/** A Sentinel that says nothing is left for the next one after so long. */
const SENTINEL_TIMEOUT_MS = 1_000;

/**
 * The client for an address. A Redis that is not there is tried again until it is; what waits for it meanwhile fails soon, so that nothing
 * piles up in memory.
 *
 * @param onFault told of every fault, of whichever server
 * @param tls whom to trust and what to show; used where the address asks for TLS
 */
export function redisConnection(address: RedisAddress, onFault: OnFault, tls: RedisTls = {}): RedisConnection {
  const faults = new RedisFaults(address.tls);
  const noted: OnFault = (fault) => {
    faults.note(fault);
    onFault(fault);
  };
  const opened = open(address, { onFault: noted, onCause: (fault) => faults.note(fault) }, tls);
  opened.client.on('ready', () => faults.forget());
  return { ...opened, told: (fault) => faults.told(fault) };
}

function open(address: RedisAddress, listener: Listener, tls: RedisTls): Omit<RedisConnection, 'told'> {
  if (address.kind === 'cluster') return clusterConnection(address, listener, tls);
  if (address.kind === 'sentinel') return sentinelConnection(address, listener, tls);
  const secure = address.tls ? { tls: tlsOptions(tls, new URL(address.url).hostname) } : {};
  return keptUp(inOneWrite(new Redis(address.url, { ...single(), ...secure })), listener);
}

/** To one server at a time. */
function single() {
  let demotedAt = Number.NEGATIVE_INFINITY;
  return {
    ...COMMON,
    retryStrategy: retryMs,
    // A master that has become a replica: its name, or the Sentinels, may lead to the new one.
    reconnectOnError: (error: Error) => {
      if (!error.message.includes('READONLY') || performance.now() - demotedAt < DEMOTED_ONCE_MS) return false;
      demotedAt = performance.now();
      return true;
    },
  } as const satisfies RedisOptions;
}

function sentinelConnection(address: Kind<'sentinel'>, listener: Listener, tls: RedisTls): Omit<RedisConnection, 'told'> {
  const { sentinels, master, database, user, password, sentinelLogin } = address;
  const secure = tlsOptions(tls);
  const client = new Redis({
    ...single(),
    ...login(user, password),
    sentinels: [...sentinels],
    name: master,
    db: database,
    ...(sentinelLogin.user === null ? {} : { sentinelUsername: sentinelLogin.user }),
    ...(sentinelLogin.password === null ? {} : { sentinelPassword: sentinelLogin.password }),
    ...(address.tls ? { tls: secure, sentinelTLS: secure, enableTLSForSentinelMode: true } : {}),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    // Its own way of going round the Sentinels again would keep all commands until one answers. So each round ends, and the next is ours.
    sentinelRetryStrategy: () => null,
  });
  tellSentinels(client, listener);
  return keptUp(inOneWrite(client), listener);
}

/** As the client has it, though its types do not say so. */
interface Sentinels {
  connectToSentinel(...of: readonly unknown[]): Redis;
}

/** To the client every Sentinel that it cannot ask is a closed connection; what closed it is known to the connection alone. */
function tellSentinels(client: Redis, { onCause }: Listener): void {
  const { connector } = client as unknown as { readonly connector: Sentinels };
  const connect = connector.connectToSentinel.bind(connector);
  connector.connectToSentinel = (...of) => connect(...of).on('error', onCause);
}

/** The client gives up when it has gone round the Sentinels, or cannot even begin (a key that is not the certificate's): then it is told to begin anew. */
function keptUp(client: Redis, { onFault }: Listener): Omit<RedisConnection, 'told'> {
  let rounds = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  // What fails is told to the listener.
  const start = () => void client.connect().catch(() => {});
  client.on('error', (fault: Error & { readonly command?: { readonly name: string } }) => {
    onFault(fault);
    // The client would go on in database 0, which is another's.
    if (fault.command?.name === 'select') client.disconnect(true);
  });
  client.on('ready', () => {
    rounds = 0;
  });
  client.on('end', () => {
    if (!closed) timer = setTimeout(start, retryMs(++rounds));
  });
  return {
    client,
    start,
    close: () => {
      closed = true;
      clearTimeout(timer);
      client.disconnect();
    },
  };
}

function clusterConnection(address: Kind<'cluster'>, { onFault, onCause }: Listener, tls: RedisTls): Omit<RedisConnection, 'told'> {
  const { nodes, user, password } = address;
  const client = new SoonRefusingCluster([...nodes], {
    lazyConnect: true,
    enableAutoPipelining: true,
    // A batch is not sent on when its slots have moved; a command alone is, and learns the new places. `script.ts` falls back to `EVAL`.
    autoPipeliningIgnoredCommands: ['eval', 'ping', 'xrange', 'xdel', 'zrem'],
    // Slots that are served go on while others are not.
    enableReadyCheck: false,
    clusterRetryStrategy: retryMs,
    maxRedirections: 5,
    slotsRefreshTimeout: 500,
    slotsRefreshInterval: 5_000,
    redisOptions: { ...COMMON, ...login(user, password), ...(address.tls ? { tls: tlsOptions(tls) } : {}) },
    // A certificate is for the name, not for the address behind it.
    ...(address.tls ? { dnsLookup: (name: string, done: (fault: null, host: string) => void) => done(null, name) } : {}),
  });
  client.on('error', onFault);
  client.on('node error', onFault);
  // Where slots lie is asked over connections of their own, and what closes one of them is kept from the client.
  client.on('+node', (node: Redis) => {
    const duplicate = node.duplicate.bind(node);
    node.duplicate = (override) => duplicate(override).on('error', onCause);
  });
  return { client, start: () => void client.connect().catch(() => {}), close: () => client.disconnect() };
}

/**
 * What is sent within one turn of the event loop leaves in one write. The client's own batches (`enableAutoPipelining`) do so too, at the cost
 * of a Pipeline each, which a Cluster needs.
 */
function inOneWrite<T extends Redis>(client: T): T {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (...sent) => {
    const stream = client.stream as Redis['stream'] | undefined;
    if (stream !== undefined && stream.writableCorked === 0) {
      stream.cork();
      setImmediate(() => stream.uncork());
    }
    return send(...sent);
  };
  return client;
}

/** The client would keep commands without end while it looks for a node. */
class SoonRefusingCluster extends Cluster {
  override sendCommand(...sent: Parameters<Cluster['sendCommand']>): unknown {
    const [command] = sent;
    if (this.status === 'ready' || command.name === 'cluster') return super.sendCommand(...sent);
    return refused(command);
  }
}

function refused(command: Command): Promise<unknown> {
  command.reject(new Error('No node of the Redis Cluster is connected.'));
  return command.promise;
}

function login(user: string | null, password: string | null): Pick<RedisOptions, 'username' | 'password'> {
  return { ...(user === null ? {} : { username: user }), ...(password === null ? {} : { password }) };
}
