import type { OpenAIError } from '../../openai/errors.ts';
import type { Share } from '../../translators/vectors-translator.ts';
import { AnswerBody } from '../upstream/answer-body.ts';
import type { CallListener, UpstreamCall } from '../upstream/upstream-call.ts';

/** Who runs the calls of one answer. Exactly one of the two is called, once, unless the call is aborted. */
export interface CallOwner {
  /** @throws OpenAIError when the answer cannot be used */
  answered(call: SplitCall, body: unknown): void;
  refusal(call: SplitCall, body: AnswerBody): OpenAIError;
  ended(call: SplitCall): void;
  failed(call: SplitCall, error: OpenAIError): void;
}

/** One of the calls that a request was split into. */
export class SplitCall implements CallListener {
  readonly share: Share;
  upstream: UpstreamCall | null = null;
  readonly #owner: CallOwner;
  #body: AnswerBody | null = null;
  #over = false;

  constructor(share: Share, owner: CallOwner) {
    this.share = share;
    this.#owner = owner;
  }

  /** Ends the call from our side; the owner is not told. */
  abort(): void {
    this.#over = true;
    this.upstream?.abort();
  }

  onHead(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.#body = new AnswerBody(status, headers);
  }

  onData(chunk: Buffer): void {
    if (!this.#over && this.#body?.push(chunk) === false) throw this.#owner.refusal(this, this.#body);
  }

  onEnd(): void {
    if (this.#over || this.#body === null) return;
    if (!this.#body.ok) throw this.#owner.refusal(this, this.#body);
    this.#owner.answered(this, this.#body.json());
    this.#over = true;
    this.#owner.ended(this);
  }

  onFail(error: OpenAIError): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.failed(this, error);
  }
}
