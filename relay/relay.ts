import type { Price } from '../catalog/price.ts';
import type { Backend, Server } from '../config/config.ts';
import type { AnswerHead } from '../openai/chat/events.ts';
import type { ChatRequest } from '../openai/chat/request.ts';
import { OpenAIError } from '../openai/errors.ts';
import { completionId } from '../openai/ids.ts';
import type { Receipt } from '../translators/receipt.ts';
import type { UpstreamPlan } from '../translators/translator.ts';
import { Answering } from './answering.ts';
import { ChatRun, type RunResult } from './chat/chat-run.ts';
import { ChatWants } from './chat/chat-wants.ts';
import { refuseBeyondContext } from './chat/context-length.ts';
import { ChatForecast } from './chat/forecast.ts';
import type { StreamClient } from './chat/stream-client.ts';
import type { Said } from './chat/transcript.ts';
import type { SchemaCheck } from './emulation/json-guard.ts';
import { attemptId, type Exchange } from './exchange.ts';
import type { InFlight } from './in-flight.ts';
import type { Caller } from './keys/key-ring.ts';
import { Permit } from './permit/permit.ts';
import type { BackendGate } from './quota/backend-gate.ts';
import type { Calibration } from './quota/calibration.ts';
import type { QuotaGate } from './quota/gate.ts';
import type { Served } from './quota/learned-by-model.ts';
import type { RequestRecord } from './records/request-record.ts';
import type { BackendHealth } from './routing/backend-health.ts';
import type { BackendQueues } from './routing/backend-queues.ts';
import type { Hedging } from './routing/hedging.ts';
import type { Latencies } from './routing/latencies.ts';
import { retirementText, withReplacement } from './routing/retirement.ts';
import type { Candidate, Kind, OpenRoute, RouteTable } from './routing/route-table.ts';
import type { Selection } from './routing/selection.ts';
import { shownModel, unknownModel } from './routing/unknown-model.ts';
import type { Prepared, Terms, Told } from './surface.ts';
import type { BackendClient } from './upstream/backend-client.ts';
import type { DeadlineWheel } from './upstream/deadlines.ts';

/** What one configuration gives: replaced as a whole by a reload, kept by the requests that began with it. */
export interface RelayState {
  readonly server: Server;
  readonly routes: RouteTable;
  readonly clients: ReadonlyMap<string, BackendClient>;
}

export interface RelayServices {
  readonly wheel: DeadlineWheel;
  /** Checks take turns by their owner, the caller's key. */
  readonly check: (schema: Parameters<SchemaCheck>[0], text: string, owner: string) => ReturnType<SchemaCheck>;
  readonly gate: QuotaGate;
  readonly backends: BackendGate;
  readonly calibration: Calibration;
  readonly inFlight: InFlight;
  readonly selection: Selection;
  readonly latencies: Latencies;
  readonly hedging: Hedging;
  /** The price of a backend's model; null when none is known. */
  readonly priceOf: (backend: Backend, model: string) => Price | null;
  readonly health: BackendHealth;
  readonly queues: BackendQueues;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Told once per request, after its answer. */
  readonly onSettled: (record: RequestRecord, exchange: Exchange, said: Said | null) => void;
  /** Told of faults of ours that came after an answer, which stands all the same. */
  readonly onFault: (fault: unknown, requestId: string) => void;
}

/** One chat request on its way, and the caller's end of it. */
export interface ChatExchange extends Exchange {
  readonly request: ChatRequest;
  /** Null when the caller does not stream. */
  readonly client: StreamClient | null;
}

/**
 * The domain in one function: asked model → permitted candidates → the vendor's words → the vendor → the caller's words. The order of
 * the steps is the order of the folders.
 */
export class Relay {
  readonly #state: RelayState;
  readonly #services: RelayServices;
  readonly #answering: Answering;

  constructor(state: RelayState, services: RelayServices) {
    this.#state = state;
    this.#services = services;
    this.#answering = new Answering(services, state.server.totalDeadlineMs);
  }

  get routes(): RouteTable {
    return this.#state.routes;
  }

  /** Where a model may be asked for by this caller. @throws OpenAIError `model_not_found`, `region_not_permitted`, `upstream_model_unavailable`, `wrong_endpoint` */
  route(model: string, caller: Caller, kind: Kind = 'chat'): OpenRoute {
    const route = this.#state.routes.route(model, permitOf(caller), kind);
    if (route.ok) return route;
    // A name that leads nowhere rests on nothing: a slip of the caller's.
    const { skipped } = route;
    const evidence =
      skipped.length === 0
        ? undefined
        : { key: caller.key.name, team: caller.team.name, model: shownModel(model), why: route.why, skipped };
    if (route.why === 'kind') throw new OpenAIError('wrong_endpoint', NOT_OF_KIND[kind], { param: 'model', evidence });
    if (route.why === 'retired') {
      const text = retirementText({ ...route.model, daysLeft: 0 });
      throw new OpenAIError(
        'upstream_model_unavailable',
        `The model \`${shownModel(model)}\` is not available: \`${shownModel(route.model.id)}\` ${text}.`,
      );
    }
    if (route.why === 'region') {
      throw new OpenAIError(
        'region_not_permitted',
        `The model \`${shownModel(model)}\` is served only in regions that this key has no permit for.`,
        { evidence },
      );
    }
    throw unknownModel(model, { evidence });
  }

  /**
   * Answers one chat request. A stream is written to its client; for other callers the completion comes back as JSON text, or null when
   * the caller has left.
   * @throws OpenAIError when nothing has been sent
   */
  async chat(exchange: ChatExchange, route: OpenRoute): Promise<string | null> {
    const forecast = new ChatForecast(exchange.request, this.#services.calibration);
    const wants = new ChatWants(exchange.request, exchange.caller.key.name, forecast);
    const surface = {
      name: 'chat.completions',
      stream: exchange.request.stream === true,
      expected: (outputReserve: number | null, served: Served) => forecast.expected(outputReserve, served),
      learn: (record: RequestRecord) => forecast.learn(record),
      prepare: (candidate: Candidate, receipt: Receipt, number: number) => this.#prepare(exchange, candidate, receipt, number),
    };
    return (await this.#answering.answer(exchange, surface, this.#services.selection.choose(route, wants))).json;
  }

  #prepare(exchange: ChatExchange, candidate: Candidate, receipt: Receipt, number: number): Prepared<RunResult> {
    refuseBeyondContext(exchange.request, candidate);
    const plan = this.#plan(exchange, candidate, receipt, attemptId(exchange.requestId, number));
    const calls = plan.emulation.choices ?? 1;
    return {
      calls,
      atOnce: calls,
      prompts: calls,
      send: (told, terms) => this.#attempt(exchange, candidate, plan, number, told, terms),
    };
  }

  /** @param told gets what the vendor said of the call, and what it counted when the attempt fails */
  async #attempt(
    exchange: ChatExchange,
    candidate: Candidate,
    plan: UpstreamPlan,
    number: number,
    told: Told,
    terms: Terms,
  ): Promise<RunResult> {
    const { request, caller, requestId } = exchange;
    const { wheel, check } = this.#services;
    const client = this.#state.clients.get(candidate.backend.name);
    if (client === undefined) throw new OpenAIError('internal_error', 'The relay had an error while processing your request.');
    const head: AnswerHead = {
      id: completionId(),
      created: Math.floor(exchange.arrivedAtMs / 1000),
      model: request.model,
      legacyFunctions: request.functions !== undefined,
      showReasoning: caller.key.reasoning === 'show',
    };
    const called = plan.stream ? terms : { ...terms, whole: true };
    const run = new ChatRun({
      request,
      translator: candidate.translator,
      rules: candidate.facts.rules,
      plan,
      head,
      requestId: attemptId(requestId, number),
      post: ({ path, headers }, body, id, listener) => client.post(path, body, id, listener, called, headers),
      client: exchange.client,
      wheel,
      heartbeatMs: this.#state.server.heartbeatMs,
      onBegin: terms.began,
      redact: (text) => client.redact(text),
      transcribed: caller.team.logPrompts === true,
      check: (schema, text) => check(schema, text, caller.key.name),
    });
    terms.onGone((outrun) => run.callerGone(outrun !== true && caller.key.onDisconnect === 'drain'));
    try {
      return await this.#services.inFlight.cuttable(
        (error) => run.cut(error),
        () => run.start(),
      );
    } catch (error) {
      told.usages.push(...run.paid);
      throw withReplacement(error, candidate.facts);
    } finally {
      told.signals = run.signals;
      told.sent = run.sent;
    }
  }

  #plan(
    exchange: ChatExchange,
    { translator, model, facts, backend, thinking }: Candidate,
    receipt: Receipt,
    requestId: string,
  ): UpstreamPlan {
    return translator.request(exchange.request, { model, facts, region: backend.region, thinking, requestId }, receipt);
  }
}

const permits = new WeakMap<Caller['key'], Permit>();

/** The permit of a caller's key; made once per key and configuration. */
export function permitOf({ key, team }: Pick<Caller, 'key' | 'team'>): Permit {
  let permit = permits.get(key);
  if (permit === undefined) {
    permit = new Permit(team, key);
    permits.set(key, permit);
  }
  return permit;
}

/** OpenAI's words for a model that has another endpoint. */
const NOT_OF_KIND: Readonly<Record<Kind, string>> = {
  chat: 'This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/embeddings or v1/rerank?',
  embedding:
    'This is not an embedding model and thus not supported in the v1/embeddings endpoint. Did you mean to use v1/chat/completions?',
  rerank: 'This is not a rerank model and thus not supported in the v1/rerank endpoint. Did you mean to use v1/chat/completions?',
};
