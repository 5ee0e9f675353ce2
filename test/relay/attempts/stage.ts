import { loadCatalog } from '../../../catalog/catalog.ts';
import type { Usage } from '../../../openai/chat/events.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { InFlight } from '../../../relay/in-flight.ts';
import { BackendGate } from '../../../relay/quota/backend-gate.ts';
import { Calibration } from '../../../relay/quota/calibration.ts';
import { QuotaGate } from '../../../relay/quota/gate.ts';
import { GuardedQuota } from '../../../relay/quota/guarded-quota.ts';
import { LearnedLimits } from '../../../relay/quota/learned-limits.ts';
import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import type { Attempt, RequestRecord } from '../../../relay/records/request-record.ts';
import { Relay } from '../../../relay/relay.ts';
import { BackendHealth } from '../../../relay/routing/backend-health.ts';
import { BackendQueues } from '../../../relay/routing/backend-queues.ts';
import { Hedging } from '../../../relay/routing/hedging.ts';
import { Latencies } from '../../../relay/routing/latencies.ts';
import { latencyPlaces, RouteTable } from '../../../relay/routing/route-table.ts';
import { Selection } from '../../../relay/routing/selection.ts';
import { translatorFor } from '../../../translators/registry.ts';
import { configOf, digestOf } from '../../http/desk.ts';
import { callers } from './callers.ts';
import { HandClock } from './hand-clock.ts';
import { type Leg, NAMES, type Name, type Part, playedBackends } from './played-backends.ts';
import { SlowStore } from './slow-store.ts';

export interface StageOptions {
  readonly parts?: Readonly<Partial<Record<Name | Leg, Part>>>;
  /** YAML of the entry besides its candidates. */
  readonly entry?: string;
  /** YAML of one backend, besides what all have. */
  readonly backends?: Readonly<Partial<Record<Name, string>>>;
  readonly server?: string;
  /** Of each backend. */
  readonly keys?: 1 | 2;
  readonly onDisconnect?: 'cancel' | 'drain';
  /** Of the candidates. */
  readonly tiers?: readonly number[];
  /** A fourth candidate, `d`. */
  readonly four?: boolean;
  /** How long the store of limits takes to answer each call at a backend, one after the other; at once where nothing is said. */
  readonly reserveMs?: Readonly<Partial<Record<Name, readonly number[]>>>;
  /** The same of the limits of the team. */
  readonly teamReserveMs?: readonly number[];
}

const CATALOG = loadCatalog();
const PLACES = ['a/qwen-plus', 'b/glm-4.6', 'c/ernie-4.5-turbo-128k', 'd/qwen-plus'];

/** A model with three candidates, `a`, `b` and `c`, that are played by hand on a clock that is moved by hand; everything else is the relay's. */
export function stage({
  parts: given = {},
  entry = 'hedge: 500',
  backends = {},
  server = '{}',
  keys = 1,
  onDisconnect = 'cancel',
  tiers,
  four = false,
  reserveMs = {},
  teamReserveMs = [],
}: StageOptions = {}) {
  const parts = { ...given };
  const common = `${keys === 1 ? "apiKey: 'env:K'" : "apiKeys: ['env:K', 'env:K2']"}, timeouts: { firstByteMs: 20000, idleMs: 1500 }`;
  const line = (name: Name, vendor: string): string =>
    `  ${name}: { vendor: ${vendor}, ${common}${backends[name] ?? ', concurrency: 3, retries: 0'} }\n`;
  const config = configOf(
    `server: ${server}
backends:
${line('a', 'qwen')}${line('b', 'glm')}${line('c', 'ernie')}${line('d', 'qwen')}models: { m: { ${entry}, to: [${PLACES.slice(0, four ? 4 : 3).map((to, index) => (tiers === undefined ? to : `{ to: ${to}, tier: ${tiers[index]} }`))}] } }
teams: { t: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] }, limits: { concurrency: 5, tpm: 100000 } } }
keys: [{ name: k, team: t, onDisconnect: ${onDisconnect}, key: '${digestOf('k'.repeat(20))}' }]
`,
    { K: 'id.secret', K2: 'id.other' },
  );
  const clock = new HandClock();
  const { wheel } = clock;
  const options = { keepLines: false, spent: null } as const;
  const nowUs = (): number => clock.ms * 1000 + 1;
  const waits = new Map(Object.entries(reserveMs).map(([name, all]) => [`backend/${name}`, [...all]]));
  waits.set('team/t', [...teamReserveMs]);
  const store = new SlowStore(options, clock, waits);
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);
  const quota = new GuardedQuota({ store, local: new MemoryStore(options, nowUs), nodes: () => 1, retryMs: 5, onFailure: onFault });
  const queues = new BackendQueues(wheel);
  const onRoom = (backend: string): void => queues.room(backend);
  const learned = new LearnedLimits(() => clock.ms, onRoom);
  const latencies = new Latencies(latencyPlaces(config), () => clock.ms);
  const hedging = new Hedging(() => clock.ms);
  const health = new BackendHealth({ now: () => clock.ms, random: () => 0, onChange: () => undefined });
  const records: RequestRecord[] = [];
  const inFlight = new InFlight();
  const services = {
    wheel,
    check: () => Promise.resolve(null),
    gate: new QuotaGate(quota, { leaseMs: 60_000, shared: false, onFault }),
    backends: new BackendGate(quota, { learned, leaseMs: 60_000, onFault, onRoom }),
    calibration: new Calibration({ charsPerToken: () => null, known: () => true }),
    inFlight,
    selection: new Selection({ priceOf: () => null, latencies, random: () => 0 }),
    latencies,
    hedging,
    priceOf: () => null,
    health,
    queues,
    random: () => 0,
    onSettled: (record: RequestRecord) => void records.push(record),
    onFault,
  };
  const { calls, clients } = playedBackends(config, parts, clock);
  const routes = new RouteTable(config, CATALOG, translatorFor);
  const relay = new Relay({ server: config.server, routes, clients }, services);
  const [key] = config.keys;
  const team = config.teams['t'];
  if (key === undefined || team === undefined) throw new Error('no key');
  const caller = { key, team, address: '127.0.0.1' };
  // A model that its vendor has switched off is no candidate, and the test one of something else.
  const count = relay.route('m', caller).candidates.length;
  if (count !== (four ? 4 : 3)) throw new Error(`only ${count} candidates`);

  /** Everything that is still taken once all has ended. */
  const held = async () => {
    await quota.flush();
    const owners = await Promise.all(['team/t', ...NAMES.map((name) => `backend/${name}`)].map((owner) => store.levels(owner)));
    return {
      open: owners.reduce((sum, { open }) => sum + open.length, 0),
      slots: owners.reduce(
        (sum, { buckets }) => sum + [...buckets.values()].reduce((used, state) => used + (state.kind === 'slots' ? state.used : 0), 0),
        0,
      ),
      running: [...learned.running()].reduce((sum, { running }) => sum + running, 0),
      queued: [...queues.lengths()].length,
      deadlines: wheel.size,
      calls: calls.filter(({ endedAtMs }) => endedAtMs === null).length,
      inFlight: inFlight.streams + inFlight.whole,
    };
  };

  let others = 0;
  /** A call of someone else at a backend, through its limits: until it is told to end, with a minute's request used. */
  const hold = (name: Name): (() => void) => {
    const backend = config.backends[name] as NonNullable<(typeof config.backends)[string]>;
    const other = { id: `other_${++others}`, backend, model: 'm', calls: 1, atOnce: 1, expected: () => ({ prompt: 1, completion: 1 }) };
    const paid = [{ prompt: 1, completion: 1, cached: 0, reasoning: 0 }];
    const answer = { error: null, usage: paid[0] as Usage, paid, firstByteAtMs: null, gone: false };
    const { promise, resolve } = Promise.withResolvers<typeof answer>();
    void services.backends.within(services.backends.limitsOf(backend), other, [], () => promise);
    return () => resolve(answer);
  };
  /** A minute's request of a backend with `rpm: 1`, made by someone else. */
  const take = (name: Name): void => hold(name)();

  const cut = (): void => inFlight.cut(new OpenAIError('draining', 'The relay is shutting down.', { retryAfterMs: 1000 }));
  return {
    ask: callers(relay, caller, clock),
    until: (ms: number) => clock.until(ms),
    calls,
    records,
    /** Also those that wait for company. */
    get settlements() {
      void quota.flush();
      return store.settlements;
    },
    faults,
    held,
    health,
    hedging,
    config,
    parts,
    queues,
    cut,
    hold,
    take,
    clock,
  };
}

/** A record's attempts in words. */
export const shown = (attempts: readonly Pick<Attempt, 'backend' | 'hedge' | 'error'>[]): string[] =>
  attempts.map(({ backend, hedge, error }) => `${backend}${hedge === true ? ' beside' : ''}${error === null ? '' : ` ${error}`}`);

export const NOTHING_HELD = { open: 0, slots: 0, running: 0, queued: 0, deadlines: 0, calls: 0, inFlight: 0 };
