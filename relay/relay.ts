import type { Price } from '../catalog/price.ts';
import type { Server } from '../config/config.ts';
import type { AnswerHead, Usage } from '../openai/chat/events.ts';
import type { ChatRequest } from '../openai/chat/request.ts';
import { asOpenAIError, OpenAIError } from '../openai/errors.ts';
import { completionId } from '../openai/ids.ts';
import { Receipt } from '../translators/receipt.ts';
import type { UpstreamPlan } from '../translators/translator.ts';
import { ChatRun, type RunResult } from './chat/chat-run.ts';
import type { StreamClient } from './chat/stream-client.ts';
import type { SchemaCheck } from './emulation/json-guard.ts';
import type { Caller } from './keys/key-ring.ts';
import { type Cost, costOf } from './ledger/cost.ts';
import { Permit } from './permit/permit.ts';
import type { Outcome, QuotaGate, Ticket } from './quota/gate.ts';
import { type Ending, reachedBackend, recordOf } from './records/record-of.ts';
import type { Attempt, RequestRecord } from './records/request-record.ts';
import type { Candidate, RouteTable } from './routing/route-table.ts';
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
  /** The price of a vendor's model in a region; null when none is known. */
  readonly priceOf: (vendor: string, model: string, region: string) => Price | null;
  /** Told once per request, after its answer. */
  readonly onSettled: (record: RequestRecord) => void;
}

/** One chat request on its way, and the caller's end of it. */
export interface ChatExchange {
  readonly requestId: string;
  readonly caller: Caller;
  readonly request: ChatRequest;
  /** Milliseconds since the epoch at arrival. */
  readonly arrivedAtMs: number;
  /** Null when the caller does not stream. */
  readonly client: StreamClient | null;
  /** Called before anything is sent, each time a backend is chosen: headers that name it. */
  readonly onChosen: (backend: string, receipt: string) => void;
  /** Called once the limits have admitted the request: the `x-ratelimit-*` headers. */
  readonly onAdmitted: (headers: Readonly<Record<string, string>>) => void;
  /** Registers what to do when the caller leaves; called at most once per attempt. */
  readonly onGone: (act: () => void) => void;
}

/** How often an answer that broke an emulated promise is asked for again, before anything has been sent. */
const UNMET_RETRIES = 1;

/**
 * The domain in one function: asked model → permitted candidates → the vendor's words → the vendor → the caller's words. The order of
 * the steps is the order of the folders.
 */
export class Relay {
  readonly #state: RelayState;
  readonly #services: RelayServices;

  constructor(state: RelayState, services: RelayServices) {
    this.#state = state;
    this.#services = services;
  }

  get routes(): RouteTable {
    return this.#state.routes;
  }

  /** The candidates for a model. @throws OpenAIError `model_not_found`, `region_not_permitted`, `unsupported_country_region_territory` */
  route(model: string, caller: Caller): readonly Candidate[] {
    const route = this.#state.routes.route(model, permitOf(caller));
    if (route.ok) return route.candidates;
    if (route.why === 'region') {
      throw new OpenAIError(
        'region_not_permitted',
        `The model \`${shown(model)}\` is served only in regions that this key has no permit for.`,
      );
    }
    throw new OpenAIError('model_not_found', `The model \`${shown(model)}\` does not exist or you do not have access to it.`);
  }

  /**
   * Answers one chat request. A stream is written to its client; for other callers the completion comes back as JSON text, or null when
   * the caller has left.
   * @throws OpenAIError when nothing has been sent
   */
  async chat(exchange: ChatExchange, candidates: readonly Candidate[]): Promise<string | null> {
    const attempts: Attempt[] = [];
    let ticket: Ticket | null = null;
    let receipt: Receipt | null = null;
    let failure: OpenAIError | null = null;
    try {
      ticket = await this.#admit(exchange, candidates);
    } catch (thrown) {
      const error = asOpenAIError(thrown);
      this.#settle(exchange, null, { attempts, receipt, result: null, error });
      throw error;
    }
    for (const candidate of candidates) {
      for (let tries = 0; tries <= UNMET_RETRIES; tries++) {
        const startedAt = this.#services.wheel.now();
        receipt = new Receipt(exchange.caller.key.strict);
        const told: Usage[] = [];
        try {
          const result = await this.#attempt(exchange, candidate, receipt, attempts.length, told);
          attempts.push(this.#attempted(candidate, result.error, startedAt));
          this.#settle(exchange, ticket, { attempts, receipt, result, error: result.error });
          return result.json;
        } catch (thrown) {
          failure = asOpenAIError(thrown);
          attempts.push({ ...this.#attempted(candidate, failure, startedAt), ...this.#discarded(candidate, told) });
          if (failure.kind !== 'upstream_unmet') break;
        }
      }
      if (failure?.details.fallback !== true) break;
    }
    const error = failure ?? new OpenAIError('internal_error', 'The relay had an error while processing your request.');
    this.#settle(exchange, ticket, { attempts, receipt, result: null, error });
    throw error;
  }

  /** Limits are checked once, whatever is tried after it; money by the price of the first candidate. */
  async #admit({ requestId, caller, request, onAdmitted }: ChatExchange, [first]: readonly Candidate[]): Promise<Ticket | null> {
    const { gate, priceOf } = this.#services;
    const price = first === undefined ? null : priceOf(first.backend.vendor, first.model, first.backend.region);
    const ticket = await gate.admit(requestId, caller, request, price);
    if (ticket !== null) onAdmitted(ticket.headers);
    return ticket;
  }

  /** @param told gets what the vendor counted, when the attempt fails */
  async #attempt(exchange: ChatExchange, candidate: Candidate, receipt: Receipt, number: number, told: Usage[]): Promise<RunResult> {
    const { request, caller, requestId } = exchange;
    const { wheel, check } = this.#services;
    const client = this.#state.clients.get(candidate.backend.name);
    if (client === undefined) throw new OpenAIError('internal_error', 'The relay had an error while processing your request.');
    // Vendors refuse an id that they have seen: each attempt has its own.
    const upstreamId = number === 0 ? requestId : `${requestId}-r${number}`;
    const plan = this.#plan(exchange, candidate, receipt, upstreamId);
    exchange.onChosen(candidate.backend.name, receipt.header());
    const head: AnswerHead = {
      id: completionId(),
      created: Math.floor(exchange.arrivedAtMs / 1000),
      model: request.model,
      legacyFunctions: request.functions !== undefined,
      showReasoning: caller.key.reasoning === 'show',
    };
    const run = new ChatRun({
      request,
      translator: candidate.translator,
      plan,
      head,
      requestId: upstreamId,
      post: (path, body, id, listener) => client.post(path, body, id, listener),
      client: exchange.client,
      wheel,
      heartbeatMs: this.#state.server.heartbeatMs,
      redact: (text) => client.redact(text),
      check: (schema, text) => check(schema, text, caller.key.name),
    });
    exchange.onGone(() => run.callerGone(caller.key.onDisconnect === 'drain'));
    try {
      return await run.start();
    } catch (error) {
      told.push(...run.told);
      throw error;
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

  #attempted({ backend, model }: Candidate, error: OpenAIError | null, startedAt: number): Attempt {
    return {
      backend: backend.name,
      vendor: backend.vendor,
      region: backend.region,
      model,
      error: error?.kind ?? null,
      upstreamCode: error?.details.upstreamCode ?? null,
      ms: Math.round(this.#services.wheel.now() - startedAt),
    };
  }

  #settle(exchange: ChatExchange, ticket: Ticket | null, ending: Omit<Ending, 'cost' | 'estimate' | 'sinceFirstByteMs'>): void {
    const { result, attempts } = ending;
    const { gate, wheel, onSettled } = this.#services;
    const cost = result === null ? null : this.#cost(attempts, result);
    const sinceFirstByteMs = result?.firstByteAtMs == null ? null : wheel.now() - result.firstByteAtMs;
    const record = recordOf(exchange, { ...ending, estimate: ticket?.estimate ?? null, cost, sinceFirstByteMs }, Date.now());
    if (ticket !== null) gate.settle(ticket, outcomeOf(record, ending, cost), record.key);
    onSettled(record);
  }

  /** What the vendor will bill: parallel calls pay the prompt each time. */
  #cost(attempts: readonly Attempt[], { paid }: RunResult): RequestRecord['cost'] {
    const last = attempts.at(-1);
    return last === undefined ? null : this.#price(last.vendor, last.model, last.region, paid);
  }

  #price(vendor: string, model: string, region: string, paid: readonly Usage[]): Cost | null {
    const price = this.#services.priceOf(vendor, model, region);
    return price === null ? null : costOf(price, paid);
  }

  /** An answer that nobody gets is billed all the same. */
  #discarded({ backend, model }: Candidate, told: readonly Usage[]): Pick<Attempt, 'discarded'> {
    if (told.length === 0) return {};
    const sum = (count: 'prompt' | 'completion' | 'cached' | 'reasoning'): number => told.reduce((total, usage) => total + usage[count], 0);
    return {
      discarded: {
        promptTokens: sum('prompt'),
        completionTokens: sum('completion'),
        cachedTokens: sum('cached'),
        reasoningTokens: sum('reasoning'),
        cost: this.#price(backend.vendor, model, backend.region, told),
      },
    };
  }
}

/** What the limits are told: what was used and why it ended. Nothing was used where no backend was reached. */
function outcomeOf(record: RequestRecord, { attempts, result }: Pick<Ending, 'attempts' | 'result'>, cost: Cost | null): Outcome {
  const reason = record.reason === 'refused' ? 'refused_upstream' : record.reason;
  if (result === null && !reachedBackend(attempts)) return { used: null, reason };
  const thrown = attempts.flatMap(({ discarded }) => discarded ?? []);
  const paid = [
    ...thrown.map(({ promptTokens: prompt, completionTokens: completion }) => ({ prompt, completion })),
    ...(result?.paid ?? []),
  ];
  const expected = paid.reduce((sum, usage) => ({ prompt: sum.prompt + usage.prompt, completion: sum.completion + usage.completion }), {
    prompt: 0,
    completion: 0,
  });
  return {
    used: {
      expected,
      cost: thrown.reduce((sum, discarded) => added(sum, discarded.cost), cost),
      source: record.usage?.source === 'vendor' ? 'vendor' : 'estimated',
    },
    reason,
  };
}

/** Limits know one currency a request, that of the answer; the books keep every one. */
function added(cost: Cost | null, more: Cost | null): Cost | null {
  if (cost === null || more === null) return cost ?? more;
  return cost.currency === more.currency ? { ...cost, amountNano: cost.amountNano + more.amountNano } : cost;
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

/** A model name in a message: bounded, on one line. */
const shown = (model: string): string => model.slice(0, 200).replace(/[\p{Cc}`]/gu, '?');
