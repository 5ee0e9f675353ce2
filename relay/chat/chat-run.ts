import { ChunkEncoder } from '../../openai/chat/chunk-encoder.ts';
import { CompletionCollector } from '../../openai/chat/completion-collector.ts';
import type { AnswerHead, Usage } from '../../openai/chat/events.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import { asOpenAIError, OpenAIError } from '../../openai/errors.ts';
import type { ChatTranslator, FamilyRules, UpstreamPlan } from '../../translators/translator.ts';
import type { SchemaCheck } from '../emulation/json-guard.ts';
import { NOWHERE } from '../placed-set.ts';
import type { Settled } from '../records/record-of.ts';
import { isForAll } from '../routing/breaker.ts';
import type { Deadline, DeadlineWheel } from '../upstream/deadlines.ts';
import type { VendorSignals } from '../upstream/vendor-signals.ts';
import { ChatLeg, type LegOwner, type Post, startLeg } from './chat-leg.ts';
import { estimatedUsage, mergedUsage } from './estimate.ts';
import { buildChain, type Chain } from './legs.ts';
import { parallelBody, parametersOf } from './parallel-body.ts';
import type { Redact } from './redaction.ts';
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
  readonly #legs: { readonly leg: ChatLeg; readonly chain: Chain }[] = [];
  readonly #done = Promise.withResolvers<RunResult>();
  #transcript: Transcript | null = null;
  #open = 0;
  /** The call that failed, and all others with it; null where none did. */
  #broken: ChatLeg | null = null;
  /** So were the others, or would have been: they ask the same, by the same key. What was made of it may be moderated apart. */
  #refused = false;
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
      this.#legs.push({ chain, leg: new ChatLeg(translator, events, this, redact) });
    }
    this.#open = calls;
    if (this.#encoder !== null) this.#input.wheel.add(this);
    this.#legs.forEach(({ leg }, index) => {
      if (this.#settled) return;
      const id = index === 0 ? requestId : `${requestId}-${index}`;
      startLeg(leg, plan, JSON.stringify(index === 0 ? plan.body : parallelBody(plan, requestId, index, id)), id, post);
    });
    return this.#done.promise;
  }

  /** Of the first call that was answered. */
  get signals(): VendorSignals {
    return this.#legs.map(({ leg }) => leg.signals).find((signals) => Object.keys(signals).length > 0) ?? {};
  }

  /** Calls that have left: the others wait for a connection, or were ended while they did. */
  get sent(): number {
    return this.#legs.filter(({ leg }) => !leg.unsent).length;
  }

  /** What each call that left costs, as the vendor tells, else as is likely: it works on what it was sent. One that failed without a word of an answer costs nothing. */
  get paid(): readonly Usage[] {
    return this.#legs.flatMap(({ leg, chain: { meter } }) => {
      if (meter.usageSeen !== null) return meter.usageSeen;
      const failed = this.#broken !== null && (leg === this.#broken || leg.overdue || this.#refused);
      return leg.unsent || (failed && !meter.begun) ? [] : estimatedUsage(this.#input.request, meter);
    });
  }

  /**
   * The caller has gone.
   * @param drain true reads the answer to its end all the same, to learn what it cost
   */
  callerGone(drain: boolean): void {
    if (this.#settled || this.#gone) return;
    this.#gone = true;
    // Before anything has left there is nothing to drain: nobody waits for what would be asked.
    if (drain && this.sent > 0) this.#resume();
    else {
      this.#abortLegs();
      this.#settle(null);
    }
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
    const chain = this.#legs.find((entry) => entry.leg === leg)?.chain;
    if (chain?.cutter?.allCut === true && !leg.over) {
      leg.abort();
      this.ended(leg);
    }
  }

  ended(_leg: ChatLeg): void {
    if (this.#settled || --this.#open > 0) return;
    if (this.#legs.some(({ chain }) => chain.guard !== null)) this.#settleGuards();
    else this.#complete();
  }

  failed(leg: ChatLeg, error: OpenAIError): void {
    if (this.#settled) return;
    this.#broken = leg;
    this.#refused = isForAll(error) || (error.status === 400 && error.kind !== 'content_filter');
    this.#fail(error);
  }

  #fail(error: OpenAIError): void {
    if (this.#settled) return;
    this.#abortLegs();
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
    Promise.all(this.#legs.map(({ chain }) => chain.guard?.settle())).then(
      () => this.#complete(),
      (error: unknown) => this.#fail(asOpenAIError(error)),
    );
  }

  #complete(): void {
    if (this.#settled) return;
    const { request, client } = this.#input;
    const unmet = this.#legs.flatMap(({ chain }) => chain.must?.broken ?? [])[0];
    if (unmet !== undefined) {
      this.#fail(unmet);
      return;
    }
    const wanted = this.#legs.length * this.#choicesPerLeg;
    const finishes = this.#legs.reduce((sum, { chain }) => sum + chain.meter.finishes.length, 0);
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
    for (const { leg } of this.#legs) leg.call?.pause();
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
    for (const { leg } of this.#legs) leg.call?.resume();
  }

  #abortLegs(): void {
    for (const { leg } of this.#legs) leg.abort();
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
      finishReasons: this.#legs.flatMap(({ chain }) => chain.meter.finishes),
      ...(this.#encoder === null ? {} : { chunks: this.#encoder.chunks }),
      ...(this.#transcript === null ? {} : { said: this.#transcript.said }),
    });
  }
}
