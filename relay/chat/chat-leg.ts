import type { ChatEvents } from '../../openai/chat/events.ts';
import { asOpenAIError, OpenAIError } from '../../openai/errors.ts';
import { SseDecoder } from '../../openai/sse.ts';
import type { ChatTranslator, FrameReader, UpstreamPlan } from '../../translators/translator.ts';
import { AnswerBody, type AnswerHeaders, one } from '../upstream/answer-body.ts';
import type { CallListener, UpstreamCall } from '../upstream/upstream-call.ts';
import { signalsOf, type VendorSignals } from '../upstream/vendor-signals.ts';
import { type Redact, redactedFailure } from './redaction.ts';

/** Who runs the legs of one answer. */
export interface LegOwner {
  /** Events of one network read have been played. */
  progressed(leg: ChatLeg): void;
  /** The vendor's answer is complete. */
  ended(leg: ChatLeg): void;
  failed(leg: ChatLeg, error: OpenAIError): void;
}

/** Patience for the usage frame after the last finish. */
const AFTER_FINISH_MS = 5_000;

/**
 * One call to a vendor for one answer (or one choice of it): bytes in, events out. Tells streams, whole bodies and refusals apart by
 * what came, not by what was asked for: vendors answer a stream request with a JSON error, and put errors into HTTP 200.
 */
export class ChatLeg implements CallListener {
  call: UpstreamCall | null = null;
  readonly #translator: ChatTranslator;
  readonly #events: ChatEvents;
  readonly #owner: LegOwner;
  readonly #redact: Redact;
  #decoder: SseDecoder | null = null;
  #reader: FrameReader | null = null;
  #body: AnswerBody | null = null;
  #signals: VendorSignals = {};
  #over = false;

  constructor(translator: ChatTranslator, events: ChatEvents, owner: LegOwner, redact: Redact) {
    this.#translator = translator;
    this.#events = events;
    this.#owner = owner;
    this.#redact = redact;
  }

  /** Empty before the head of the answer. */
  get signals(): VendorSignals {
    return this.#signals;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Nothing of it has left: see `UpstreamCall`. */
  get unsent(): boolean {
    return this.call === null || this.call.unsent;
  }

  /** See `UpstreamCall`. */
  get overdue(): boolean {
    return this.call?.overdue === true;
  }

  /** Ends the leg from our side; the owner is not told. */
  abort(): void {
    this.#over = true;
    this.call?.abort();
  }

  onHead(status: number, headers: AnswerHeaders): void {
    this.#signals = signalsOf(headers);
    this.#body = new AnswerBody(status, headers, (failure) => this.#translator.failure(failure));
    if (status !== 200 || !one(headers['content-type']).toLowerCase().startsWith('text/event-stream')) return;
    const reader = this.#translator.frames(this.#events);
    this.#reader = reader;
    const onComment = reader.comment === undefined ? null : (text: string): void => reader.comment?.(text);
    this.#decoder = new SseDecoder((data) => reader.frame(data), undefined, onComment);
  }

  onData(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#decoder === null) {
      this.#body?.push(chunk);
      return;
    }
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      if (this.#spoils(error)) throw error;
      this.#end();
      return;
    }
    // Usage may follow the finish on a frame of its own; a vendor that keeps the connection open after it must not keep the caller.
    if (this.#reader?.finished === true) this.call?.hurry(AFTER_FINISH_MS);
    this.#owner.progressed(this);
  }

  onEnd(): void {
    if (this.#over) return;
    if (this.#decoder !== null && this.#reader !== null) {
      try {
        this.#decoder.end();
        this.#reader.end();
      } catch (error) {
        if (this.#spoils(error)) {
          // A last frame that breaks off is a cut stream, whatever its bytes look like.
          throw error instanceof OpenAIError && error.kind === 'upstream_invalid_response'
            ? new OpenAIError('upstream_truncated', 'The backend closed the stream before its answer was complete.', {
                cause: error,
                fallback: true,
              })
            : error;
        }
      }
      this.#end();
      return;
    }
    this.#translator.whole(this.#body?.json(), this.#events);
    this.#end();
  }

  onFail(error: OpenAIError): void {
    if (this.#over) return;
    if (this.#reader !== null && !this.#spoils(error)) {
      this.#end();
      return;
    }
    this.#over = true;
    // The one way out for failures: a refusal, an error within an answer, a broken connection.
    this.#owner.failed(this, redactedFailure(error, this.#redact));
  }

  /** What comes after the vendor has said that it is finished cannot spoil the answer; a promise broken by its very finish does. */
  #spoils(error: unknown): boolean {
    return this.#reader?.finished !== true || (error instanceof OpenAIError && error.kind === 'upstream_unmet');
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.call?.abort();
    this.#owner.ended(this);
  }
}

/** Starts a leg. What is thrown while it is made or sent is a fault of ours, or says itself what it is. */
export function startLeg(leg: ChatLeg, send: () => UpstreamCall): void {
  try {
    leg.call = send();
  } catch (error) {
    leg.onFail(asOpenAIError(error));
  }
}

/** Sends a body, which is one of the plan's, to the plan's path with the plan's headers. */
export type Post = (plan: Pick<UpstreamPlan, 'path' | 'headers'>, body: string, requestId: string, listener: CallListener) => UpstreamCall;
