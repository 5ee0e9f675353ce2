import type { FinishReason, Usage } from '../../openai/chat/events.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import { isForAll } from '../routing/breaker.ts';
import type { VendorSignals } from '../upstream/vendor-signals.ts';
import type { ChatLeg } from './chat-leg.ts';
import { estimatedUsage } from './estimate.ts';
import type { Chain } from './legs.ts';

interface Entry {
  readonly leg: ChatLeg;
  readonly chain: Chain;
}

/** The calls that make one answer, taken together: how far they have come, and what they cost. */
export class RunLegs {
  readonly #entries: Entry[] = [];
  #failed: ChatLeg | null = null;
  /** What was refused of one was refused of each: they ask the same, by the same key. */
  #allRefused = false;

  add(leg: ChatLeg, chain: Chain): void {
    this.#entries.push({ leg, chain });
  }

  get legs(): readonly ChatLeg[] {
    return this.#entries.map(({ leg }) => leg);
  }

  get chains(): readonly Chain[] {
    return this.#entries.map(({ chain }) => chain);
  }

  chainOf(leg: ChatLeg): Chain | undefined {
    return this.#entries.find((entry) => entry.leg === leg)?.chain;
  }

  /** Each has ended, or was ended. */
  get over(): boolean {
    return this.#entries.every(({ leg }) => leg.over);
  }

  /** Of the first that was answered. */
  get signals(): VendorSignals {
    return this.#entries.map(({ leg }) => leg.signals).find((signals) => Object.keys(signals).length > 0) ?? {};
  }

  /** Calls that have left: the others wait for a connection, or were ended while they did. */
  get sent(): number {
    return this.#entries.filter(({ leg }) => !leg.unsent).length;
  }

  /** Of the choices that ended, as the caller sees them. */
  get finishes(): FinishReason[] {
    return this.#entries.flatMap(({ chain }) => chain.output.finishes);
  }

  /** One of them has failed: the answer fails. What an answer breaks that has come whole is no such failure. */
  failed(leg: ChatLeg, error: OpenAIError): void {
    this.#failed = leg;
    // Moderation may have been of what one of them had made.
    this.#allRefused = isForAll(error) || (error.status === 400 && error.kind !== 'content_filter');
  }

  /**
   * What each call that left costs, as the vendor tells, else as is likely, since it works on what it was sent. A call without a word of an
   * answer that has failed, or was about to fail in the same way, costs nothing.
   */
  paid(request: ChatRequest): readonly Usage[] {
    return this.#entries.flatMap(({ leg, chain: { meter } }) => {
      if (meter.usageSeen !== null) return meter.usageSeen;
      const inVain = this.#failed !== null && (leg === this.#failed || leg.overdue || this.#allRefused);
      return leg.unsent || (inVain && !meter.begun) ? [] : estimatedUsage(request, meter);
    });
  }

  pause(): void {
    for (const { leg } of this.#entries) leg.call?.pause();
  }

  resume(): void {
    for (const { leg } of this.#entries) leg.call?.resume();
  }

  abort(): void {
    for (const { leg } of this.#entries) leg.abort();
  }

  /** Ends those that wait for a connection. @returns how many */
  abortUnsent(): number {
    const waiting = this.#entries.filter(({ leg }) => !leg.over && leg.unsent);
    for (const { leg } of waiting) leg.abort();
    return waiting.length;
  }
}
