import type { Usage } from '../../openai/chat/events.ts';
import { asOpenAIError, type OpenAIError } from '../../openai/errors.ts';
import type { UpstreamFailure } from '../../translators/translator.ts';
import type { Share, SplitPlan } from '../../translators/vectors-translator.ts';
import { type Redact, redactedFailure } from '../chat/redaction.ts';
import type { Settled } from '../records/record-of.ts';
import { isForAll } from '../routing/breaker.ts';
import type { CallListener, UpstreamCall } from '../upstream/upstream-call.ts';
import type { VendorSignals } from '../upstream/vendor-signals.ts';
import { type CallOwner, SplitCall } from './split-call.ts';

/** Calls of one request that run at a time: a long list is an ordinary request, not a flood. Qianfan's own clients make 4. */
export const MOST_CALLS = 4;

export interface SplitInput {
  readonly plan: SplitPlan;
  readonly requestId: string;
  readonly post: (path: string, body: string, requestId: string, listener: CallListener) => UpstreamCall;
  /** Reads one call's answer and gives what the vendor counted, or null. @throws OpenAIError when it cannot be used */
  readonly take: (body: unknown, share: Share) => Usage | null;
  readonly failure: (failure: UpstreamFailure, share: Share) => OpenAIError;
  /** What one call is likely to cost where the vendor does not tell. */
  readonly estimate: (share: Share) => Usage;
  /** Takes the backend's own secrets out of what it said. */
  readonly redact: Redact;
}

/** How an attempt ended. */
export type SplitResult = Omit<Settled, 'firstByteAtMs'> & { readonly firstByteAtMs: null };

/**
 * One attempt at one answer, in as many calls as the vendor needs, a few at a time. It succeeds or fails as a whole: the first failure ends
 * every other call.
 */
export class SplitRun implements CallOwner {
  readonly #input: SplitInput;
  readonly #running = new Set<SplitCall>();
  readonly #told: Usage[] = [];
  readonly #done = Promise.withResolvers<SplitResult>();
  #signals: VendorSignals | null = null;
  #next = 0;
  #sent = 0;
  #settled = false;
  #gone = false;

  constructor(input: SplitInput) {
    this.#input = input;
  }

  start(): Promise<SplitResult> {
    this.#startMore();
    return this.#done.promise;
  }

  /** What has been counted so far, of calls that were answered; and what those that were cancelled are likely to cost. */
  get told(): readonly Usage[] {
    return this.#told;
  }

  /** Calls that have left, of those that are over. */
  get sent(): number {
    return this.#sent;
  }

  /** Of the call that failed, else of the one that was answered first: an attempt has one line in the books. */
  get signals(): VendorSignals {
    return this.#signals ?? {};
  }

  /**
   * The caller has gone.
   * @param drain true reads the answers that are on their way to their ends, to learn what they cost; nothing more is asked
   */
  callerGone(drain: boolean): void {
    if (this.#settled || this.#gone) return;
    this.#gone = true;
    // There is nothing to drain of what has not left: nobody waits for what would be asked.
    if (drain) this.#abort((call) => call.unsent);
    if (drain && this.#running.size > 0) return;
    this.#abort();
    this.#settle(null);
  }

  /** The process ends before the answer does. */
  cut(error: OpenAIError): void {
    const [call] = this.#running;
    if (this.#settled || call === undefined) return;
    this.#signals = call.signals;
    this.#abort();
    this.#end(error);
  }

  answered(call: SplitCall, body: unknown): void {
    this.#signals ??= call.signals;
    this.#told.push(this.#input.take(body, call.share) ?? this.#input.estimate(call.share));
  }

  refusal(call: SplitCall, failure: UpstreamFailure): OpenAIError {
    return this.#input.failure(failure, call.share);
  }

  ended(call: SplitCall): void {
    this.#over(call);
    this.#startMore();
  }

  failed(call: SplitCall, error: OpenAIError): void {
    if (this.#settled) return;
    this.#signals = call.signals;
    this.#over(call);
    const refused = isForAll(error);
    this.#abort(undefined, (cancelled) => !refused && !cancelled.overdue);
    this.#end(error);
  }

  #end(error: OpenAIError): void {
    const shown = redactedFailure(error, this.#input.redact);
    // Nobody waits for a caller who has gone: no other backend is asked.
    if (this.#gone) this.#settle(shown);
    else {
      this.#settled = true;
      this.#done.reject(shown);
    }
  }

  #startMore(): void {
    const { plan, requestId, post } = this.#input;
    const { shares } = plan;
    while (!this.#settled && !this.#gone && this.#running.size < MOST_CALLS && this.#next < shares.length) {
      const number = this.#next++;
      const share = shares[number] as Share;
      const call = new SplitCall(share, this);
      this.#running.add(call);
      try {
        call.upstream = post(plan.path, JSON.stringify(plan.body(share)), number === 0 ? requestId : `${requestId}-${number}`, call);
      } catch (error) {
        call.onFail(asOpenAIError(error));
      }
    }
    if (this.#running.size === 0) this.#settle(null, this.#gone);
  }

  /** @param isPaid of what has been sent: it is most likely worked on */
  #abort(which: (call: SplitCall) => boolean = () => true, isPaid: (call: SplitCall) => boolean = () => true): void {
    for (const call of this.#running) {
      if (!which(call)) continue;
      if (!call.unsent && isPaid(call)) this.#told.push(this.#input.estimate(call.share));
      call.abort();
      this.#over(call);
    }
  }

  #over(call: SplitCall): void {
    this.#running.delete(call);
    if (!call.unsent) this.#sent++;
  }

  #settle(error: OpenAIError | null, drained = false): void {
    if (this.#settled) return;
    this.#settled = true;
    const mark = drained ? { drained } : {};
    this.#done.resolve({ error, usage: summed(this.#told), paid: this.#told, firstByteAtMs: null, gone: this.#gone, ...mark });
  }
}

/** All of it: unlike the calls of a chat request, each was about texts of its own. */
function summed(usages: readonly Usage[]): Usage {
  const prompt = usages.reduce((sum, usage) => sum + usage.prompt, 0);
  const cached = usages.reduce((sum, usage) => sum + usage.cached, 0);
  return { prompt, completion: 0, cached, reasoning: 0, estimated: usages.some(({ estimated }) => estimated === true) };
}
