import type { Dispatcher } from 'undici';
import { loadCatalog } from '../../../catalog/catalog.ts';
import type { Usage } from '../../../openai/chat/events.ts';
import type { ChatRequest } from '../../../openai/chat/request.ts';
import { asOpenAIError, OpenAIError } from '../../../openai/errors.ts';
import { InFlight } from '../../../relay/in-flight.ts';
import { BackendGate } from '../../../relay/quota/backend-gate.ts';
import { Calibration } from '../../../relay/quota/calibration.ts';
import { QuotaGate } from '../../../relay/quota/gate.ts';
import { GuardedQuota } from '../../../relay/quota/guarded-quota.ts';
import { LearnedLimits } from '../../../relay/quota/learned-limits.ts';
import { MemoryStore } from '../../../relay/quota/memory-store.ts';
import type { Settlement } from '../../../relay/quota/store.ts';
import type { Attempt, RequestRecord } from '../../../relay/records/request-record.ts';
import { Relay } from '../../../relay/relay.ts';
import { BackendHealth } from '../../../relay/routing/backend-health.ts';
import { BackendQueues } from '../../../relay/routing/backend-queues.ts';
import { Hedging } from '../../../relay/routing/hedging.ts';
import { Latencies } from '../../../relay/routing/latencies.ts';
import { latencyPlaces, RouteTable } from '../../../relay/routing/route-table.ts';
import { Selection } from '../../../relay/routing/selection.ts';
import type { BackendClient, CallTerms } from '../../../relay/upstream/backend-client.ts';
import { DeadlineWheel } from '../../../relay/upstream/deadlines.ts';
import { type CallListener, UpstreamCall } from '../../../relay/upstream/upstream-call.ts';
import { translatorFor } from '../../../translators/registry.ts';
import { configOf, digestOf } from '../../http/desk.ts';
import { completion, DONE, finishFrame, roleFrame, textFrame, usageFrame } from '../backends.ts';

export type Name = 'a' | 'b' | 'c' | 'd';
/** `role`: a chunk without anything visible · `text`: the first visible one, or nothing of a whole answer · `done`: the rest of it. */
export type Line = 'role' | 'text' | 'done' | 'reset' | 'overload' | 'moderated' | 'wrong';
/** What a backend says, and when, in ms since it was called; the same each time. */
export type Part = readonly (readonly [ms: number, line: Line])[];
/** Milliseconds of one step: everything happens at a multiple of it. */
export const STEP_MS = 50;

export interface Called {
  readonly backend: Name;
  readonly id: string;
  readonly atMs: number;
  /** When the relay closed it; null: never. */
  abortedAtMs: number | null;
  /** When it ended by itself, or was closed; null: it has not. */
  endedAtMs: number | null;
}

export interface StageOptions {
  readonly parts?: Readonly<Partial<Record<Name, Part>>>;
  /** YAML of the entry besides its candidates. */
  readonly entry?: string;
  /** YAML of one backend, besides what all have. */
  readonly backends?: Readonly<Partial<Record<Name, string>>>;
  readonly server?: string;
  readonly onDisconnect?: 'cancel' | 'drain';
  /** Of the candidates. */
  readonly tiers?: readonly number[];
  /** A fourth candidate, `d`. */
  readonly four?: boolean;
  /** How long the store of limits takes to answer each call at a backend, one after the other; at once where nothing is said. */
  readonly reserveMs?: Readonly<Partial<Record<Name, readonly number[]>>>;
}

const CATALOG = loadCatalog();
const PLACES = ['a/qwen-plus', 'b/glm-4.6', 'c/ernie-4.5-turbo-128k', 'd/qwen-max'];
const NAMES = ['a', 'b', 'c', 'd'] as const;

/** A model with three candidates, `a`, `b` and `c`, that are played by hand on a clock that is moved by hand; everything else is the relay's. */
export function stage({
  parts: given = {},
  entry = 'hedge: 500',
  backends = {},
  server = '{}',
  onDisconnect = 'cancel',
  tiers,
  four = false,
  reserveMs = {},
}: StageOptions = {}) {
  const parts = { ...given };
  const common = "apiKey: 'env:K', timeouts: { firstByteMs: 20000, idleMs: 1500 }";
  const line = (name: Name, vendor: string): string =>
    `  ${name}: { vendor: ${vendor}, ${common}${backends[name] ?? ', concurrency: 3, retries: 0'} }\n`;
  const config = configOf(
    `server: ${server}
backends:
${line('a', 'qwen')}${line('b', 'glm')}${line('c', 'ernie')}${line('d', 'qwen')}models: { m: { ${entry}, to: [${PLACES.slice(0, four ? 4 : 3).map((to, index) => (tiers === undefined ? to : `{ to: ${to}, tier: ${tiers[index]} }`))}] } }
teams: { t: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] }, limits: { concurrency: 5, tpm: 100000 } } }
keys: [{ name: k, team: t, onDisconnect: ${onDisconnect}, key: '${digestOf('k'.repeat(20))}' }]
`,
    { K: 'id.secret' },
  );
  const clock = { ms: 0 };
  const wheel = new DeadlineWheel(() => clock.ms);
  const settlements: Pick<Settlement, 'owner' | 'id'>[] = [];
  const options = { keepLines: false, spent: null } as const;
  const nowUs = (): number => clock.ms * 1000 + 1;
  const due: { readonly atMs: number; readonly act: () => void }[] = [];
  const waits = new Map(Object.entries(reserveMs).map(([name, all]) => [`backend/${name}`, [...all]]));
  const store = new (class extends MemoryStore {
    override async reserve(request: Parameters<MemoryStore['reserve']>[0]) {
      const ms = waits.get(request.owner)?.shift() ?? 0;
      if (ms > 0) await new Promise<void>((act) => due.push({ atMs: clock.ms + ms, act }));
      return super.reserve(request);
    }
    override settle(settlement: Settlement) {
      settlements.push(settlement);
      return super.settle(settlement);
    }
    override release(owner: string, id: string) {
      settlements.push({ owner, id });
      return super.release(owner, id);
    }
  })(options, nowUs);
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);
  const quota = new GuardedQuota({ store, local: new MemoryStore(options, nowUs), nodes: () => 1, retryMs: 5, onFailure: onFault });
  const queues = new BackendQueues(wheel);
  const onRoom = (backend: string): void => queues.room(backend);
  const latencies = new Latencies(latencyPlaces(config), () => clock.ms);
  const hedging = new Hedging(() => clock.ms);
  const health = new BackendHealth({ now: () => clock.ms, random: () => 0, onChange: () => undefined });
  const records: RequestRecord[] = [];
  const inFlight = new InFlight();
  const services = {
    wheel,
    check: () => Promise.resolve(null),
    gate: new QuotaGate(quota, { leaseMs: 60_000, shared: false, onFault }),
    backends: new BackendGate(quota, { learned: new LearnedLimits(() => clock.ms, onRoom), leaseMs: 60_000, onFault, onRoom }),
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
  const calls: Called[] = [];
  const clients = new Map(
    NAMES.map((name) => {
      const { timeouts, vendor } = config.backends[name] as NonNullable<(typeof config.backends)[string]>;
      const post = (_path: string, body: string, id: string, listener: CallListener, terms: CallTerms): UpstreamCall => {
        const call = new UpstreamCall(listener, { ...timeouts, firstByteMs: Math.min(timeouts.firstByteMs, terms.withinMs) }, wheel);
        const called: Called = { backend: name, id, atMs: clock.ms, abortedAtMs: null, endedAtMs: null };
        calls.push(called);
        const stream = (JSON.parse(body) as { stream?: boolean }).stream === true;
        const controller = {
          abort: () => {
            called.abortedAtMs = clock.ms;
            called.endedAtMs ??= clock.ms;
          },
          pause: () => undefined,
          resume: () => undefined,
        } as unknown as Dispatcher.DispatchController;
        call.onRequestStart(controller);
        const play = player(call, controller, name, vendor, stream, () => {
          called.endedAtMs = clock.ms;
        });
        for (const [ms, what] of parts[name] ?? []) {
          const act = (): void => (called.abortedAtMs === null ? play(what) : undefined);
          due.push({ atMs: clock.ms + ms, act });
        }
        return call;
      };
      return [name, { post, redact: (text: string) => text } as unknown as BackendClient];
    }),
  );
  const routes = new RouteTable(config, CATALOG, translatorFor);
  const relay = new Relay({ server: config.server, routes, clients }, services);
  const [key] = config.keys;
  const team = config.teams['t'];
  if (key === undefined || team === undefined) throw new Error('no key');
  const caller = { key, team, address: '127.0.0.1' };

  /** What is due by then happens, in order, step by step. */
  const until = async (ms: number): Promise<void> => {
    for (await turn(); clock.ms < ms; ) {
      clock.ms += STEP_MS;
      for (const event of due.filter(({ atMs }) => atMs <= clock.ms)) {
        due.splice(due.indexOf(event), 1);
        event.act();
      }
      await turn();
      wheel.tick();
      await turn();
    }
  };

  let asked = 0;
  const ask = (stream: boolean) => {
    const chosen: string[] = [];
    const out = { text: '', started: 0, ended: 0, chosenAtStart: '' };
    let leave: (() => void) | null = null;
    let gone = false;
    const request: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'x' }], stream };
    const told: { json: string | null; error: OpenAIError | null; over: boolean } = { json: null, error: null, over: false };
    const client = {
      start: () => {
        out.started++;
        out.chosenAtStart = chosen.at(-1) ?? '';
      },
      write: (text: string) => {
        out.text += text;
        return true;
      },
      onceDrained: () => undefined,
      end: (text: string) => {
        out.text += text;
        out.ended++;
      },
    };
    const exchange = {
      requestId: `req_${++asked}`,
      caller,
      request,
      arrivedAtMs: Date.now(),
      trace: null,
      client: stream ? client : null,
      onChosen: (backend: string) => void chosen.push(backend),
      onAdmitted: () => undefined,
      onGone: (act: () => void) => {
        leave = act;
        if (gone) act();
      },
    };
    const ended = relay.chat(exchange, relay.route('m', caller)).then(
      (json) => Object.assign(told, { json, over: true }),
      (error: unknown) => Object.assign(told, { error: asOpenAIError(error), over: true }),
    );
    return {
      id: exchange.requestId,
      chosen,
      out,
      told,
      ended,
      leave: () => {
        gone = true;
        leave?.();
      },
    };
  };

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
      deadlines: wheel.size,
      calls: calls.filter(({ endedAtMs }) => endedAtMs === null).length,
      inFlight: inFlight.streams + inFlight.whole,
    };
  };

  /** A minute's request of a backend with `rpm: 1`, made by someone else. */
  const take = (name: Name): void => {
    const backend = config.backends[name] as NonNullable<(typeof config.backends)[string]>;
    const asked = { id: `other_${name}`, backend, model: 'm', calls: 1, atOnce: 1, expected: () => ({ prompt: 1, completion: 1 }) };
    const paid = [{ prompt: 1, completion: 1, cached: 0, reasoning: 0 }];
    const answer = { error: null, usage: paid[0] as Usage, paid, firstByteAtMs: null, gone: false };
    void services.backends.within(services.backends.limitsOf(backend), asked, [], async () => answer);
  };

  const cut = (): void => inFlight.cut(new OpenAIError('draining', 'The relay is shutting down.', { retryAfterMs: 1000 }));
  return { ask, until, calls, records, settlements, faults, held, health, hedging, config, parts, cut, take, clock };
}

/** A record's attempts in words. */
export const shown = (attempts: readonly Pick<Attempt, 'backend' | 'hedge' | 'error'>[]): string[] =>
  attempts.map(({ backend, hedge, error }) => `${backend}${hedge === true ? ' beside' : ''}${error === null ? '' : ` ${error}`}`);

export const NOTHING_HELD = { open: 0, slots: 0, deadlines: 0, calls: 0, inFlight: 0 };

/** Everything that waits for nothing has happened by then. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function player(
  call: UpstreamCall,
  controller: Dispatcher.DispatchController,
  name: Name,
  vendor: string,
  stream: boolean,
  over: () => void,
) {
  let begun = false;
  const head = (status: number, type: string): void => {
    if (!begun) call.onResponseStart(controller, status, { 'content-type': type });
    begun = true;
  };
  const say = (text: string): void => {
    head(200, 'text/event-stream');
    call.onResponseData(controller, Buffer.from(text));
  };
  const refuse = (status: number, body: object): void => {
    over();
    head(status, 'application/json');
    call.onResponseData(controller, Buffer.from(JSON.stringify(body)));
    call.onResponseEnd();
  };
  return (line: Line): void => {
    switch (line) {
      case 'role':
        if (stream) say(roleFrame);
        return;
      case 'text':
        if (stream) say(textFrame(`from ${name}`));
        return;
      case 'done':
        over();
        if (stream) say(textFrame('.') + finishFrame() + usageFrame + DONE);
        else {
          head(200, 'application/json');
          call.onResponseData(controller, Buffer.from(completion(`from ${name}.`)));
        }
        call.onResponseEnd();
        return;
      case 'reset':
        over();
        call.onResponseError(controller, Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
        return;
      case 'overload':
        refuse(503, { error: { message: 'busy' } });
        return;
      case 'moderated':
        refuse(400, {
          error: {
            code: vendor === 'qwen' ? 'data_inspection_failed' : vendor === 'glm' ? '1301' : 'x',
            type: 'unsafe_request',
            message: 'no',
          },
        });
        return;
      case 'wrong':
        refuse(400, { error: { code: 'invalid_parameter', type: 'invalid_request_error', message: 'temperature is wrong' } });
    }
  };
}
