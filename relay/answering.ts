import type { Usage } from '../openai/chat/events.ts';
import { asOpenAIError, OpenAIError } from '../openai/errors.ts';
import { Receipt } from '../translators/receipt.ts';
import type { Caller } from './keys/key-ring.ts';
import { type Cost, costOf } from './ledger/cost.ts';
import { aboutOf } from './ledger/expired-entry.ts';
import type { Served } from './quota/calibration.ts';
import type { Expected } from './quota/demand.ts';
import type { Outcome, Ticket } from './quota/gate.ts';
import { type Ending, reachedBackend, recordOf, type Settled } from './records/record-of.ts';
import type { Attempt, Estimate, RequestRecord } from './records/request-record.ts';
import type { RelayServices } from './relay.ts';
import type { Place } from './routing/route-table.ts';
import type { VendorSignals } from './upstream/vendor-signals.ts';

/** One request on its way, as far as every surface has it: what its limits, its record and its caller's headers need. */
export interface Exchange {
  readonly requestId: string;
  readonly caller: Caller;
  readonly request: { readonly model: string };
  /** Milliseconds since the epoch at arrival. */
  readonly arrivedAtMs: number;
  /** Called before anything is sent, each time a backend is chosen: headers that name it. */
  readonly onChosen: (backend: string, receipt: string) => void;
  /** Called once the limits have admitted the request: the `x-ratelimit-*` headers. */
  readonly onAdmitted: (headers: Readonly<Record<string, string>>) => void;
  /** Registers what to do when the caller leaves; called at most once per attempt. */
  readonly onGone: (act: () => void) => void;
}

/** What a surface adds: its name in the books, and how it makes one attempt. */
export interface Surface<C extends Place, R extends Settled> {
  readonly name: string;
  /** The answer is a stream. */
  readonly stream: boolean;
  /**
   * @param outputReserve most tokens reserved for one output; null: as many as such outputs are known to have
   * @param served where the request goes first
   */
  expected(outputReserve: number | null, served: Served): Expected;
  /** Told how a request ended whose use had been estimated; absent: the surface learns nothing from it. */
  learn?(record: RequestRecord): void;
  /**
   * Makes one attempt ready: nothing is sent before `send`.
   * @param number of attempts made before
   * @throws OpenAIError when the backend cannot carry the request
   */
  prepare(candidate: C, receipt: Receipt, number: number): Prepared<R>;
}

/** An attempt that the backend's own limits may still refuse. */
export interface Prepared<R extends Settled> {
  /** Calls that the vendor will count. */
  readonly calls: number;
  /** How many of them run at the same time. */
  readonly atOnce: number;
  /** How often the prompt is paid. */
  readonly prompts: number;
  /**
   * @param told gets what the vendor said of the call, and what it counted when the attempt fails
   * @throws OpenAIError when nothing has been sent to the caller
   */
  send(told: Told): Promise<R>;
}

/** What a vendor says besides its answer. */
export interface Told {
  /** What it counted, of an attempt that failed. */
  readonly usages: Usage[];
  signals: VendorSignals;
}

/** The id of an attempt: vendors refuse one that they have seen. */
export const attemptId = (requestId: string, number: number): string => (number === 0 ? requestId : `${requestId}-r${number}`);

/** How often an answer that broke an emulated promise is asked for again, before anything has been sent. */
const UNMET_RETRIES = 1;

/**
 * What every surface does alike around its attempts: limits once, candidate after candidate while the failures say that another may do better,
 * then limits, record and books told how it ended, once.
 */
export class Answering {
  readonly #services: RelayServices;

  constructor(services: RelayServices) {
    this.#services = services;
  }

  /** @throws OpenAIError when nothing has been sent */
  answer<C extends Place, R extends Settled>(exchange: Exchange, surface: Surface<C, R>, candidates: readonly C[]): Promise<R> {
    return this.#services.inFlight.during(surface.stream, () => this.#answer(exchange, surface, candidates));
  }

  async #answer<C extends Place, R extends Settled>(exchange: Exchange, surface: Surface<C, R>, candidates: readonly C[]): Promise<R> {
    const attempts: Attempt[] = [];
    let ticket: Ticket | null = null;
    let receipt: Receipt | null = null;
    let failure: OpenAIError | null = null;
    const refusals: OpenAIError[] = [];
    const settle = (result: R | null, error: OpenAIError | null, cost: Cost | null = null): void =>
      this.#settle(exchange, surface, ticket, { attempts, receipt, result, error, cost });
    try {
      ticket = await this.#admit(exchange, surface, candidates);
    } catch (thrown) {
      const error = asOpenAIError(thrown);
      settle(null, error);
      throw error;
    }
    for (const candidate of candidates) {
      for (let tries = 0; tries <= UNMET_RETRIES; tries++) {
        const startedAt = this.#services.wheel.now();
        receipt = new Receipt(exchange.caller.key.strict);
        const told: Told = { usages: [], signals: {} };
        try {
          const result = await this.#attempt(exchange, surface, candidate, receipt, attempts.length, told);
          attempts.push(this.#attempted(candidate, result.error, startedAt, told));
          // What the vendor will bill: parallel calls pay the prompt each time.
          settle(result, result.error, this.#price(candidate, result.paid));
          return result;
        } catch (thrown) {
          failure = asOpenAIError(thrown);
          attempts.push({ ...this.#attempted(candidate, failure, startedAt, told), ...this.#discarded(candidate, told.usages) });
          if (failure.kind.startsWith('backend_limit_')) refusals.push(failure);
          if (failure.kind !== 'upstream_unmet') break;
        }
      }
      if (failure?.details.fallback !== true) break;
    }
    // Where all backends are at their limits, the first that is free again is worth waiting for.
    const busy = refusals.length === attempts.length ? soonest(refusals) : null;
    const error = busy ?? failure ?? new OpenAIError('internal_error', 'The relay had an error while processing your request.');
    settle(null, error);
    throw error;
  }

  /** Limits are checked once, whatever is tried after it; money by the price of the first candidate. */
  async #admit<C extends Place, R extends Settled>(
    exchange: Exchange,
    surface: Surface<C, R>,
    [first]: readonly C[],
  ): Promise<Ticket | null> {
    const { requestId, caller, request, onAdmitted } = exchange;
    const { gate, priceOf } = this.#services;
    const price = first === undefined ? null : priceOf(first.backend, first.model);
    const served = { vendor: first?.backend.vendor ?? '', model: first?.model ?? '' };
    const asked = {
      model: request.model,
      expected: (outputReserve: number | null) => surface.expected(outputReserve, served),
      about: (estimate: Estimate, cost: Cost | null) => aboutOf(exchange, surface, first, estimate, cost),
    };
    const ticket = await gate.admit(requestId, caller, asked, price);
    if (ticket !== null) onAdmitted(ticket.headers);
    return ticket;
  }

  /** One step more for a backend with limits of its own; none for others. */
  #attempt<C extends Place, R extends Settled>(
    { requestId, request }: Exchange,
    surface: Surface<C, R>,
    candidate: C,
    receipt: Receipt,
    number: number,
    told: Told,
  ): Promise<R> {
    const { backend, model } = candidate;
    const prepared = surface.prepare(candidate, receipt, number);
    const { calls, atOnce, prompts } = prepared;
    const { backends } = this.#services;
    const limits = backends.limitsOf(backend);
    if (limits.length === 0) return prepared.send(told);
    const { prompt, completion } = surface.expected(null, { vendor: backend.vendor, model });
    const expected = { prompt: prompt * prompts, completion };
    const asked = { id: attemptId(requestId, number), backend, model: request.model, calls, atOnce, expected };
    return backends.within(limits, asked, told.usages, () => prepared.send(told));
  }

  #attempted({ backend, model }: Place, error: OpenAIError | null, startedAt: number, { signals }: Told): Attempt {
    return {
      backend: backend.name,
      vendor: backend.vendor,
      region: backend.region,
      model,
      error: error?.kind ?? null,
      upstreamCode: error?.details.upstreamCode ?? null,
      ms: Math.round(this.#services.wheel.now() - startedAt),
      ...signals,
    };
  }

  #settle(
    exchange: Exchange,
    surface: Pick<Surface<Place, Settled>, 'name' | 'stream' | 'learn'>,
    ticket: Ticket | null,
    ending: Omit<Ending, 'estimate' | 'heldBy' | 'sinceFirstByteMs'>,
  ): void {
    const { result, cost } = ending;
    const { gate, wheel, onSettled } = this.#services;
    const sinceFirstByteMs = result?.firstByteAtMs == null ? null : wheel.now() - result.firstByteAtMs;
    const held = { estimate: ticket?.estimate ?? null, heldBy: ticket?.heldBy ?? null };
    const record = recordOf(exchange, surface, { ...ending, ...held, sinceFirstByteMs }, Date.now());
    if (ticket !== null) {
      gate.settle(ticket, outcomeOf(record, ending, cost), record.key);
      surface.learn?.(record);
    }
    onSettled(record);
  }

  #price({ backend, model }: Place, paid: readonly Usage[]): Cost | null {
    const price = this.#services.priceOf(backend, model);
    return price === null ? null : costOf(price, paid);
  }

  /** An answer that nobody gets is billed all the same. */
  #discarded(place: Place, told: readonly Usage[]): Pick<Attempt, 'discarded'> {
    if (told.length === 0) return {};
    const sum = (count: 'prompt' | 'completion' | 'cached' | 'reasoning'): number => told.reduce((total, usage) => total + usage[count], 0);
    return {
      discarded: {
        promptTokens: sum('prompt'),
        completionTokens: sum('completion'),
        cachedTokens: sum('cached'),
        reasoningTokens: sum('reasoning'),
        cost: this.#price(place, told),
      },
    };
  }
}

/** The one after which waiting is shortest; one that no waiting helps comes last. */
function soonest(refusals: readonly OpenAIError[]): OpenAIError | null {
  const wait = ({ details }: OpenAIError): number => details.retryAfterMs ?? Number.POSITIVE_INFINITY;
  return refusals.reduce<OpenAIError | null>((least, error) => (least === null || wait(error) < wait(least) ? error : least), null);
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
