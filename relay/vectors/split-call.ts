import type { OpenAIError } from '../../openai/errors.ts';
import type { UpstreamFailure } from '../../translators/translator.ts';
import type { Share } from '../../translators/vectors-translator.ts';
import { AnswerBody, type AnswerHeaders } from '../upstream/answer-body.ts';
import type { CallListener, UpstreamCall } from '../upstream/upstream-call.ts';
import { signalsOf, type VendorSignals } from '../upstream/vendor-signals.ts';

/** Who runs the calls of one answer. Each call either ends or fails, once, unless it is aborted. */
export interface CallOwner {
  /** @throws OpenAIError when the answer cannot be used */
  answered(call: SplitCall, body: unknown): void;
  /** What a refusal means. */
  refusal(call: SplitCall, failure: UpstreamFailure): OpenAIError;
  ended(call: SplitCall): void;
  failed(call: SplitCall, error: OpenAIError): void;
}

/** One of the calls that a request was split into. */
export class SplitCall implements CallListener {
  readonly share: Share;
  upstream: UpstreamCall | null = null;
  /** Empty before the head of the answer. */
  signals: VendorSignals = {};
  readonly #owner: CallOwner;
  #body: AnswerBody | null = null;
  #over = false;

  constructor(share: Share, owner: CallOwner) {
    this.share = share;
    this.#owner = owner;
  }

  /** Nothing of it has left: see `UpstreamCall`. */
  get unsent(): boolean {
    return this.upstream === null || this.upstream.unsent;
  }

  /** See `UpstreamCall`. */
  get overdue(): boolean {
    return this.upstream?.overdue === true;
  }

  /** Ends the call from our side; the owner is not told. */
  abort(): void {
    this.#over = true;
    this.upstream?.abort();
  }

  onHead(status: number, headers: AnswerHeaders): void {
    this.signals = signalsOf(headers);
    this.#body = new AnswerBody(status, headers, (failure) => this.#owner.refusal(this, failure));
  }

  onData(chunk: Buffer): void {
    if (!this.#over) this.#body?.push(chunk);
  }

  onEnd(): void {
    if (this.#over) return;
    this.#owner.answered(this, this.#body?.json());
    this.#over = true;
    this.#owner.ended(this);
  }

  onFail(error: OpenAIError): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.failed(this, error);
  }
}
