import { asOpenAIError } from '../openai/errors.ts';
import { priced } from './attempts/call.ts';
import type { Tried } from './attempts/course.ts';
import { rounds } from './attempts/rounds.ts';
import { tooLate } from './attempts/too-late.ts';
import type { Exchange } from './exchange.ts';
import type { Cost } from './ledger/cost.ts';
import { aboutOf } from './ledger/expired-entry.ts';
import type { Ticket } from './quota/gate.ts';
import { outcomeOf } from './quota/outcome-of.ts';
import { type Ending, recordOf, type Settled } from './records/record-of.ts';
import type { Estimate } from './records/request-record.ts';
import type { RelayServices } from './relay.ts';
import type { Choice } from './routing/decision.ts';
import type { Candidate } from './routing/route-table.ts';
import type { Surface } from './surface.ts';

/**
 * The life of an exchange, as every surface has it: limits once, then attempts (`attempts/`), then limits, record and books told how it
 * ended, once.
 */
export class Answering {
  readonly #services: RelayServices;
  readonly #deadlineMs: number;

  /** @param deadlineMs from the arrival of a request, where its name has none of its own: later no attempt begins, and none waits longer for its first byte */
  constructor(services: RelayServices, deadlineMs: number) {
    this.#services = services;
    this.#deadlineMs = deadlineMs;
  }

  /** @throws OpenAIError when nothing has been sent */
  answer<R extends Settled>(exchange: Exchange, surface: Surface<R>, choice: Choice<Candidate>): Promise<R> {
    return this.#services.inFlight.during(surface.stream, () => this.#answer(exchange, surface, choice));
  }

  async #answer<R extends Settled>(exchange: Exchange, surface: Surface<R>, choice: Choice<Candidate>): Promise<R> {
    const { wheel } = this.#services;
    const { candidates, decision, hedge } = choice;
    const endBy = wheel.now() - exchange.sinceArrivalMs() + (choice.totalDeadlineMs ?? this.#deadlineMs);
    let ticket: Ticket | null = null;
    let tried: Tried<R>;
    try {
      ticket = await this.#admit(exchange, surface, candidates);
      if (wheel.now() >= endBy) throw tooLate();
      const { strategy } = decision;
      tried = await rounds(this.#services, { exchange, line: exchange, surface, endBy, strategy, hedge }, candidates);
    } catch (thrown) {
      tried = { attempts: [], hedge: null, receipt: null, result: null, error: asOpenAIError(thrown), place: null, gone: false };
    }
    this.#settle(exchange, surface, ticket, { ...tried, decision });
    if (tried.result === null) throw asOpenAIError(tried.error);
    return tried.result;
  }

  /** Limits are checked once, whatever is tried after it; money by the price of the first candidate. */
  async #admit<R extends Settled>(exchange: Exchange, surface: Surface<R>, [first]: readonly Candidate[]): Promise<Ticket | null> {
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

  /** The one place where a request ends for limits, record and books. Faults of theirs are not the answer's: it stands as it is. */
  #settle(
    exchange: Exchange,
    surface: Pick<Surface<Settled>, 'name' | 'stream' | 'learn'>,
    ticket: Ticket | null,
    { place, ...tried }: Tried<Settled> & Pick<Ending, 'decision'>,
  ): void {
    const { gate, wheel, onSettled, onFault } = this.#services;
    const { result } = tried;
    const steps: (() => void)[] = [];
    try {
      // What the vendor will bill: parallel calls pay the prompt each time.
      const cost = place === null || result === null || result.paid.length === 0 ? null : priced(this.#services, place, result.paid);
      const sinceFirstByteMs = result?.firstByteAtMs == null ? null : wheel.now() - result.firstByteAtMs;
      const held = { estimate: ticket?.estimate ?? null, heldBy: ticket?.heldBy ?? null };
      const ending = { ...tried, ...held, cost, sinceFirstByteMs };
      const record = recordOf(exchange, surface, ending, Date.now());
      if (ticket !== null) steps.push(() => gate.settle(ticket, outcomeOf(record, ending, cost), record.key));
      if (ticket !== null) steps.push(() => surface.learn?.(record));
      steps.push(() => onSettled(record, exchange, result?.said ?? null));
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
}
