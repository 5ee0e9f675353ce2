import type { Usage } from '../openai/chat/events.ts';
import type { Receipt } from '../translators/receipt.ts';
import type { Expected } from './quota/demand.ts';
import type { Served } from './quota/learned-by-model.ts';
import type { Settled } from './records/record-of.ts';
import type { RequestRecord } from './records/request-record.ts';
import type { Candidate } from './routing/route-table.ts';
import type { CallTerms } from './upstream/backend-client.ts';
import type { VendorSignals } from './upstream/vendor-signals.ts';

/** What a surface adds: its name in the books, and how it makes one attempt. */
export interface Surface<R extends Settled> {
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
  prepare(candidate: Candidate, receipt: Receipt, number: number): Prepared<R>;
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
  send(told: Told, terms: Terms): Promise<R>;
}

/** What holds for one attempt beside the backend's configuration. */
export interface Terms extends CallTerms {
  /** To be told when the first bytes of an answer leave, or a whole one is there. */
  readonly began: () => void;
  /**
   * Registers what to do when nobody waits for this call any more: the caller has left, or gets the answer of another call.
   * @param act told true in the second case
   */
  readonly onGone: (act: (outrun?: boolean) => void) => void;
}

/** What a vendor says besides its answer. */
export interface Told {
  /** Of an attempt that failed: what it counted, and of calls that were cancelled what they are likely to cost. */
  readonly usages: Usage[];
  signals: VendorSignals;
  /** How many of its calls have left. Absent before its end. */
  sent?: number;
}
