import type { ChatRequest } from '../../openai/chat/request.ts';
import type { Calibration } from '../quota/calibration.ts';
import type { Expected } from '../quota/demand.ts';
import type { Served } from '../quota/learned-by-model.ts';
import type { RequestRecord } from '../records/request-record.ts';
import { type PromptSize, promptSize } from './prompt-size.ts';

/**
 * A `max_tokens` up to here is reserved as it stands. Larger ones are habits of clients, not wishes: to reserve a cap of 65,536 would make
 * any tokens-per-minute useless.
 */
const SMALL_OUTPUT_TOKENS = 2_048;

/** What one chat request is expected to use, and what its answer teaches of the next ones. */
export class ChatForecast {
  readonly #request: ChatRequest;
  readonly #calibration: Calibration;
  /** Null until someone asks: requests without limits are not measured. */
  #size: PromptSize | null = null;

  constructor(request: ChatRequest, calibration: Calibration) {
    this.#request = request;
    this.#calibration = calibration;
  }

  /**
   * The prompt, and the output of each choice.
   * @param outputReserve most that is reserved for a choice; null: what the model has been seen to write
   */
  expected(outputReserve: number | null, served: Served): Expected {
    this.#size ??= promptSize(this.#request);
    const most = this.#mostOutput;
    const small = outputReserve === null && most <= SMALL_OUTPUT_TOKENS;
    const output = small ? most : Math.min(most, outputReserve ?? this.#calibration.outputTokens(served));
    return { prompt: this.#calibration.promptTokens(served, this.#size), completion: output * this.#choices };
  }

  /** Only of a whole answer that the vendor counted itself. What the request bounded says nothing of open outputs. */
  learn({ reason, usage, attempts }: Pick<RequestRecord, 'reason' | 'usage' | 'attempts'>): void {
    const served = attempts.at(-1);
    if (this.#size === null || reason !== 'done' || usage?.source !== 'vendor' || served === undefined) return;
    const completion = this.#mostOutput > SMALL_OUTPUT_TOKENS ? usage.completionTokens / this.#choices : null;
    this.#calibration.learn(served, this.#size, { prompt: usage.promptTokens, completion });
  }

  get #choices(): number {
    return this.#request.n ?? 1;
  }

  get #mostOutput(): number {
    return this.#request.max_completion_tokens ?? this.#request.max_tokens ?? Number.POSITIVE_INFINITY;
  }
}
