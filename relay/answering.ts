import type { Usage } from '../openai/chat/events.ts';
import { asOpenAIError, OpenAIError } from '../openai/errors.ts';
import { Receipt } from '../translators/receipt.ts';
import type { Caller } from './keys/key-ring.ts';
import { type Cost, costOf } from './ledger/cost.ts';
import { aboutOf } from './ledger/expired-entry.ts';
import type { Ticket } from './quota/gate.ts';
import { outcomeOf } from './quota/outcome-of.ts';
import { attemptOf, discardedOf } from './records/attempt-of.ts';
import { type Ending, recordOf, type Settled } from './records/record-of.ts';
import type { Attempt, Estimate } from './records/request-record.ts';
import type { RelayServices } from './relay.ts';
import type { Full, Waiting } from './routing/backend-queues.ts';
import type { Choice } from './routing/decision.ts';
import { waitOf } from './routing/latencies.ts';
import { pause } from './routing/pause.ts';
import { mayFallBack, soonest, waitBeforeRetry } from './routing/retry-policy.ts';
import { type Place, placeName } from './routing/route-table.ts';
import { untilRoom } from './routing/until-room.ts';
import type { Surface, Terms, Told } from './surface.ts';

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

/** The id of an attempt: vendors refuse one that they have seen. */
export const attemptId = (requestId: string, number: number): string => (number === 0 ? requestId : `${requestId}-r${number}`);

/** How often an answer that broke an emulated promise is asked for again, before anything has been sent. */
const UNMET_RETRIES = 1;
/** Other keys are not tried without end. */
const MOST_BESIDES = 10;

/** How the attempts at a request ended. */
interface Tried<R> extends Pick<Ending, 'attempts' | 'receipt' | 'gone'> {
  readonly result: R | null;
  /** Where there is a result: what its stream was ended with. Without one never null. */
  readonly error: OpenAIError | null;
  /** Whose result it is. */
  readonly place: Place | null;
}

/** Candidates asked one after the other, and those of them that had no room: empty unless nothing was sent to any. */
interface Round<R> extends Tried<R> {
  readonly full: readonly Full[];
}

/** What one attempt came to. */
type Attempted<R> = { readonly result: R } | { readonly failure: OpenAIError };

/**
 * What every surface does alike around its attempts: limits once, the same backend again where its failure says that this helps, candidate
 * after candidate while another may do better, then limits, record and books told how it ended, once.
 */
export class Answering {
  readonly #services: RelayServices;
  readonly #deadlineMs: number;

  /** @param deadlineMs from the arrival of a request: later no attempt begins, and none waits longer for its first byte */
  constructor(services: RelayServices, deadlineMs: number) {
    this.#services = services;
    this.#deadlineMs = deadlineMs;
  }

  /** @throws OpenAIError when nothing has been sent */
  answer<C extends Place, R extends Settled>(exchange: Exchange, surface: Surface<C, R>, choice: Choice<C>): Promise<R> {
    return this.#services.inFlight.during(surface.stream, () => this.#answer(exchange, surface, choice));
  }

  async #answer<C extends Place, R extends Settled>(exchange: Exchange, surface: Surface<C, R>, choice: Choice<C>): Promise<R> {
    const { candidates, decision } = choice;
    let ticket: Ticket | null = null;
    let tried: Tried<R>;
    try {
      ticket = await this.#admit(exchange, surface, candidates);
      tried = await this.#try(exchange, surface, candidates);
    } catch (thrown) {
      tried = { attempts: [], receipt: null, result: null, error: asOpenAIError(thrown), place: null, gone: false };
    }
    this.#settle(exchange, surface, ticket, { ...tried, decision });
    if (tried.result === null) throw asOpenAIError(tried.error);
    return tried.result;
  }

  /** All candidates; where none has room, again whenever one may have, as long as it may wait. Rejects only for a fault of our own. */
  async #try<C extends Place, R extends Settled>(exchange: Exchange, surface: Surface<C, R>, candidates: readonly C[]): Promise<Tried<R>> {
    const { wheel, queues, inFlight } = this.#services;
    const endBy = wheel.now() + this.#deadlineMs;
    const first = await this.#round(exchange, surface, candidates, [], endBy, null);
    const waiting = first.full.length === 0 ? null : queues.join(exchange.caller.team.name, first.full, endBy);
    if (waiting === null) return first;
    const startedAt = wheel.now();
    let round = first;
    try {
      for (;;) {
        const woken = await untilRoom(waiting, exchange.onGone, inFlight);
        const queuedMs = Math.round(wheel.now() - startedAt);
        const refused = first.attempts.map((attempt, index) => (index === first.attempts.length - 1 ? { ...attempt, queuedMs } : attempt));
        if (woken.kind !== 'room') {
          return { ...round, attempts: refused, error: woken.kind === 'cut' ? woken.error : round.error, gone: woken.kind === 'gone' };
        }
        const isWoken = ({ backend }: C): boolean => backend.name === woken.backend;
        const order = [...candidates.filter(isWoken), ...candidates.filter((candidate) => !isWoken(candidate))];
        round = await this.#round(exchange, surface, order, refused, endBy, waiting);
        if (round.full.length === 0) return round;
        waiting.refused(round.full.find(({ backend }) => backend.name === woken.backend)?.error ?? null);
      }
    } finally {
      waiting.leave();
    }
  }

  /**
   * Candidate after candidate, each as often as helps.
   * @param before attempts of the request so far: all of them were refusals of full backends
   */
  async #round<C extends Place, R extends Settled>(
    exchange: Exchange,
    surface: Surface<C, R>,
    candidates: readonly C[],
    before: readonly Attempt[],
    endBy: number,
    waiting: Waiting | null,
  ): Promise<Round<R>> {
    const { wheel, random, health, latencies, queues } = this.#services;
    const attempts: Attempt[] = [...before];
    const refusals: OpenAIError[] = [];
    const full: Full[] = [];
    let receipt: Receipt | null = null;
    let failure: OpenAIError | null = null;
    const ended = (gone: boolean): Round<R> => {
      // Where all backends are at their limits, the first that is free again is worth waiting for.
      const busy = refusals.length === attempts.length - before.length ? soonest(refusals) : null;
      const error = busy ?? failure ?? asOpenAIError(null);
      return { attempts, receipt, result: null, error, place: null, gone, full: busy === null ? [] : full };
    };
    for (const [index, candidate] of candidates.entries()) {
      const { backend } = candidate;
      // Calls that are no retries: answers that broke an emulated promise, and other keys.
      let besides = 0;
      for (let tries = 1; ; tries++) {
        const startedAt = wheel.now();
        if (startedAt >= endBy) return ended(false);
        const told: Told = { usages: [], signals: {} };
        const pass = health.enter(candidate, tries > 1);
        if (pass instanceof OpenAIError) {
          attempts.push({ ...attemptOf(candidate, pass, 0, {}), skipped: true });
          refusals.push(pass);
          failure ??= pass;
          break;
        }
        receipt = new Receipt(exchange.caller.key.strict);
        const terms: Terms = { key: pass.key, withinMs: endBy - startedAt, began: () => pass.began() };
        const rooms = queues.rooms(backend.name);
        const running = latencies.begin(placeName(candidate), surface.stream);
        const attempted = await this.#attempt(exchange, surface, candidate, receipt, attempts.length, told, terms, waiting);
        if ('result' in attempted) {
          const { result } = attempted;
          running.ended(waitOf(result, wheel.now(), startedAt));
          if (result.error !== null) pass.failed(result.error);
          else if (result.gone) pass.unused();
          else pass.answered();
          attempts.push(attemptOf(candidate, result.error, wheel.now() - startedAt, told.signals));
          return { attempts, receipt, result, error: result.error, place: candidate, gone: result.gone, full: [] };
        }
        failure = attempted.failure;
        running.ended(null, failure.kind.startsWith('upstream_'));
        // Patience that the deadline cut short is not the backend's failure.
        if (failure.kind === 'upstream_timeout' && terms.withinMs < backend.timeouts.firstByteMs) pass.unused();
        else pass.failed(failure);
        const discarded = discardedOf(told.usages, (usages) => this.#price(candidate, usages));
        attempts.push({ ...attemptOf(candidate, failure, wheel.now() - startedAt, told.signals), ...discarded });
        if (failure.kind.startsWith('backend_limit_')) {
          refusals.push(failure);
          full.push({ backend, error: failure, rooms });
        }
        const again = failure.kind === 'upstream_unmet' ? besides < UNMET_RETRIES : health.hasOtherKey(candidate, failure);
        if (again && besides < MOST_BESIDES) {
          besides++;
          continue;
        }
        const standing = {
          tries: tries - besides,
          retries: backend.retries,
          last: index === candidates.length - 1,
          leftMs: endBy - wheel.now(),
        };
        const waitMs = waitBeforeRetry(failure, standing, random);
        if (waitMs === null) break;
        if (!(await pause(waitMs, wheel, exchange.onGone))) return ended(true);
      }
      const last = attempts.at(-1)?.skipped === true ? null : failure;
      if (last !== null && !mayFallBack(last, exchange.caller.team)) break;
    }
    return ended(false);
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
  async #attempt<C extends Place, R extends Settled>(
    { requestId, request }: Exchange,
    surface: Surface<C, R>,
    candidate: C,
    receipt: Receipt,
    number: number,
    told: Told,
    terms: Terms,
    waiting: Waiting | null,
  ): Promise<Attempted<R>> {
    const { backend, model } = candidate;
    const { backends, queues } = this.#services;
    try {
      // Who has waited longer goes first.
      const standing = queues.standing(backend, waiting);
      if (standing !== null) return { failure: standing };
      const prepared = surface.prepare(candidate, receipt, number);
      const { calls, atOnce, prompts } = prepared;
      const send = (): Promise<R> => {
        waiting?.leave();
        return prepared.send(told, terms);
      };
      const expected = () => {
        const { prompt, completion } = surface.expected(null, { vendor: backend.vendor, model });
        return { prompt: prompt * prompts, completion };
      };
      const asked = { id: attemptId(requestId, number), backend, model: request.model, calls, atOnce, expected };
      return { result: await backends.within(backends.limitsOf(backend), asked, told.usages, send) };
    } catch (thrown) {
      return { failure: asOpenAIError(thrown) };
    }
  }

  /** The one place where a request ends for limits, record and books. Faults of theirs are not the answer's: it stands as it is. */
  #settle(
    exchange: Exchange,
    surface: Pick<Surface<Place, Settled>, 'name' | 'stream' | 'learn'>,
    ticket: Ticket | null,
    { place, ...tried }: Tried<Settled> & Pick<Ending, 'decision'>,
  ): void {
    const { gate, wheel, onSettled, onFault } = this.#services;
    const { result } = tried;
    const steps: (() => void)[] = [];
    try {
      // What the vendor will bill: parallel calls pay the prompt each time.
      const cost = place === null || result === null ? null : this.#price(place, result.paid);
      const sinceFirstByteMs = result?.firstByteAtMs == null ? null : wheel.now() - result.firstByteAtMs;
      const held = { estimate: ticket?.estimate ?? null, heldBy: ticket?.heldBy ?? null };
      const ending = { ...tried, ...held, cost, sinceFirstByteMs };
      const record = recordOf(exchange, surface, ending, Date.now());
      if (ticket !== null) steps.push(() => gate.settle(ticket, outcomeOf(record, ending, cost), record.key));
      if (ticket !== null) steps.push(() => surface.learn?.(record));
      steps.push(() => onSettled(record));
    } catch (fault) {
      onFault(fault, exchange.requestId);
    }
    for (const step of steps) {
      try {
        step();
      } catch (fault) {
        onFault(fault, exchange.requestId);
      }
    }
  }

  #price({ backend, model }: Place, paid: readonly Usage[]): Cost | null {
    const price = this.#services.priceOf(backend, model);
    return price === null ? null : costOf(price, paid);
  }
}
