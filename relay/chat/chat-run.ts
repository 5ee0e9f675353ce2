import { ChunkEncoder } from '../../openai/chat/chunk-encoder.ts';
import { CompletionCollector } from '../../openai/chat/completion-collector.ts';
import type { AnswerHead, Usage } from '../../openai/chat/events.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import { asOpenAIError, OpenAIError } from '../../openai/errors.ts';
import type { ChatTranslator, FamilyRules, UpstreamPlan } from '../../translators/translator.ts';
import type { SchemaCheck } from '../emulation/json-guard.ts';
import { NOWHERE } from '../placed-set.ts';
import type { Settled } from '../records/record-of.ts';
import type { Deadline, DeadlineWheel } from '../upstream/deadlines.ts';
import type { VendorSignals } from '../upstream/vendor-signals.ts';
import { ChatLeg, type LegOwner, type Post, startLeg } from './chat-leg.ts';
import { mergedUsage } from './estimate.ts';
import { buildChain } from './legs.ts';
import { parallelBody, parametersOf } from './parallel-body.ts';
import type { Redact } from './redaction.ts';
import { RunLegs } from './run-legs.ts';
import type { StreamClient } from './stream-client.ts';
import { Transcript } from './transcript.ts';

/** How one attempt ended, once something has been sent or everything is ready. */
export interface RunResult extends Settled {
  /** The whole completion for a caller who does not stream; null otherwise. */
  readonly json: string | null;
}

export interface RunInput {
  readonly request: ChatRequest;
  readonly translator: ChatTranslator;
  readonly rules: FamilyRules;
  readonly plan: UpstreamPlan;
  readonly head: AnswerHead;
  readonly requestId: string;
  readonly post: Post;
  /** Null for a caller who does not stream. */
  readonly client: StreamClient | null;
  readonly wheel: DeadlineWheel;
  readonly heartbeatMs: number;
  readonly check: SchemaCheck;
  /** Told when the first bytes of a stream leave, or a whole answer is there. */
  readonly onBegin: () => void;
  /** Takes the backend's own secrets out of what it said. */
  readonly redact: Redact;
  /** What is said is kept for the log. */
  readonly transcribed: boolean;
}

/**
 * One attempt at one answer: starts the legs, carries events to the caller at the caller's pace, and settles exactly once.
 *
 * `start` rejects with an `OpenAIError` as long as nothing has been sent: the error gets a real status, or another backend is tried. Once
 * a stream has begun, a failure is one error event and the end, without a finish reason and without `[DONE]` (R15).
 */
export class ChatRun implements LegOwner, Deadline {
  place = NOWHERE;
  /** Next heartbeat. */
  deadlineAt = Number.POSITIVE_INFINITY;
  readonly #input: RunInput;
  readonly #encoder: ChunkEncoder | null;
  readonly #collector: CompletionCollector | null;
  readonly #legs = new RunLegs();
  readonly #done = Promise.withResolvers<RunResult>();
  #transcript: Transcript | null = null;
  #started = false;
  #settled = false;
  #gone = false;
  #paused = false;
  #firstByteAtMs: number | null = null;
  #flushing = false;
  readonly #flushSoon = (): void => {
    this.#flushing = false;
    if (!this.#settled && this.#encoder?.pending === true) this.#flush();
  };

  constructor(input: RunInput) {
    this.#input = input;
    const { request, head, client } = input;
    this.#encoder = client === null ? null : new ChunkEncoder(head, request.stream_options?.include_usage === true);
    this.#collector = client === null ? new CompletionCollector(head) : null;
  }

  start(): Promise<RunResult> {
    // The caller had left before: nothing is asked of the vendor.
    if (this.#settled) return this.#done.promise;
    const { translator, rules, plan, head, requestId, post, check, redact, transcribed } = this.#input;
    const { emulation } = plan;
    const calls = emulation.choices ?? 1;
    const answer = (this.#encoder ?? this.#collector) as ChunkEncoder | CompletionCollector;
    this.#transcript = transcribed ? new Transcript(answer, head.showReasoning) : null;
    const sink = this.#transcript ?? answer;
    for (let index = 0; index < calls; index++) {
      const chain = buildChain(sink, index, emulation, check, this.#choicesPerLeg);
      const events = translator.filter?.(chain.first, rules) ?? chain.first;
      this.#legs.add(new ChatLeg(translator, events, this, redact), chain);
    }
    if (this.#encoder !== null) this.#input.wheel.add(this);
    for (const [index, leg] of this.#legs.legs.entries()) {
      // One before it has failed.
      if (this.#settled) break;
      const id = index === 0 ? requestId : `${requestId}-${index}`;
      const bodyOf = (): string => JSON.stringify(index === 0 ? plan.body : parallelBody(plan, requestId, index, id));
      startLeg(leg, () => post(plan, bodyOf(), id, leg));
    }
    return this.#done.promise;
  }

  /** See `RunLegs`. */
  get signals(): VendorSignals {
    return this.#legs.signals;
  }

  /** See `RunLegs`. */
  get sent(): number {
    return this.#legs.sent;
  }

  /** See `RunLegs`. */
  get paid(): readonly Usage[] {
    return this.#legs.paid(this.#input.request);
  }

  /**
   * The caller has gone.
   * @param drain true reads what was sent to its end all the same, to learn what it cost; nothing more is asked
   */
  callerGone(drain: boolean): void {
    if (this.#settled || this.#gone) return;
    this.#gone = true;
    if (drain && this.sent > 0) {
      this.#resume();
      // The last that others still waited for may have been one of these.
      if (this.#legs.abortUnsent() > 0) this.ended();
      return;
    }
    this.#legs.abort();
    this.#settle(null);
  }

  /** The process ends before the answer does. */
  cut(error: OpenAIError): void {
    this.#fail(error);
  }

  progressed(leg: ChatLeg): void {
    if (this.#settled) return;
    // One socket read brings many frames, each with its own call here: what they make leaves in one write, after the last of them.
    if (!this.#flushing && this.#encoder?.pending === true) {
      this.#flushing = true;
      process.nextTick(this.#flushSoon);
    }
    if (this.#input.plan.emulation.stop === undefined) return;
    if (this.#legs.chainOf(leg)?.cutter?.allCut === true && !leg.over) {
      leg.abort();
      this.ended();
    }
  }

  ended(): void {
    if (this.#settled || !this.#legs.over) return;
    if (this.#legs.chains.some(({ guard }) => guard !== null)) this.#settleGuards();
    else this.#complete();
  }

  failed(leg: ChatLeg, error: OpenAIError): void {
    if (this.#settled) return;
    this.#legs.failed(leg, error);
    this.#fail(error);
  }

  #fail(error: OpenAIError): void {
    if (this.#settled) return;
    this.#legs.abort();
    // Nobody waits for a caller who has gone: no other backend is asked.
    // Text that came before the failure, in the same read, is on its way: it has been seen as far as the caller can tell.
    if (!this.#started && !this.#gone && this.#encoder?.pending !== true) {
      this.#close();
      this.#done.reject(error);
      return;
    }
    const client = this.#input.client as StreamClient;
    if (!this.#gone) {
      this.#begin();
      client.end(`${this.#encoder?.take() ?? ''}data: ${JSON.stringify(error)}\n\n`);
    }
    this.#settle(error);
  }

  /** A stream that has begun and is silent: a comment, so that proxies keep it open. Never before the status is known. */
  expire(nowMs: number): void {
    this.deadlineAt = nowMs + this.#input.heartbeatMs;
    if (!this.#gone && !this.#paused) this.#input.client?.write(': keep-alive\n\n');
  }

  get #choicesPerLeg(): number {
    const { n } = parametersOf(this.#input.plan);
    return typeof n === 'number' ? n : 1;
  }

  #settleGuards(): void {
    Promise.all(this.#legs.chains.map(({ guard }) => guard?.settle())).then(
      () => this.#complete(),
      (error: unknown) => this.#fail(asOpenAIError(error)),
    );
  }

  #complete(): void {
    if (this.#settled) return;
    const { request, client } = this.#input;
    const unmet = this.#legs.chains.flatMap(({ must }) => must?.broken ?? [])[0];
    if (unmet !== undefined) {
      this.#fail(unmet);
      return;
    }
    const wanted = this.sent * this.#choicesPerLeg;
    const finishes = this.#legs.finishes.length;
    if (finishes < wanted) {
      this.#fail(
        new OpenAIError('upstream_truncated', `The backend made ${finishes} of ${wanted} choices.`, { param: 'n', fallback: true }),
      );
      return;
    }
    const usage = mergedUsage(this.paid);
    if (client === null) {
      this.#collector?.usage(usage);
      this.#input.onBegin();
      this.#settle(null, request.stream === true ? null : (this.#collector?.json() ?? null), true);
      return;
    }
    this.#encoder?.usage(usage);
    this.#encoder?.done();
    if (!this.#gone) {
      this.#begin();
      client.end(this.#encoder?.take() ?? '');
    }
    this.#settle(null, null, true);
  }

  #flush(): void {
    const text = (this.#encoder as ChunkEncoder).take();
    if (this.#gone) return;
    this.#begin();
    this.deadlineAt = this.#input.wheel.nowMs + this.#input.heartbeatMs;
    const client = this.#input.client as StreamClient;
    if (client.write(text) || this.#paused) return;
    this.#paused = true;
    this.#legs.pause();
    client.onceDrained(() => this.#resume());
  }

  #begin(): void {
    if (this.#started) return;
    this.#started = true;
    this.#firstByteAtMs = this.#input.wheel.now();
    this.#input.onBegin();
    this.#input.client?.start();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#legs.resume();
  }

  #close(): void {
    this.#settled = true;
    this.#input.wheel.remove(this);
  }

  #settle(error: OpenAIError | null, json: string | null = null, whole = false): void {
    if (this.#settled) return;
    this.#close();
    const { paid } = this;
    this.#done.resolve({
      json,
      error,
      usage: mergedUsage(paid),
      paid,
      firstByteAtMs: this.#firstByteAtMs,
      gone: this.#gone,
      ...(whole && this.#gone ? { drained: true } : {}),
      finishReasons: this.#legs.finishes,
      ...(this.#encoder === null ? {} : { chunks: this.#encoder.chunks }),
      ...(this.#transcript === null ? {} : { said: this.#transcript.said }),
    });
  }
}
