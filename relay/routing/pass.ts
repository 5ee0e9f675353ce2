import type { Backend } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import { type Breaker, type Cause, causeOf } from './breaker.ts';

/** Who wants to know how calls went. */
interface Listener {
  /** @param besides a cause that has just failed, and so has not been proved to be over */
  succeeded(backend: Backend, model: string, key: number, begunAt: number, besides?: Cause | null): void;
  failed(backend: Backend, model: string, key: number, begunAt: number, error: OpenAIError): void;
}

/** The right to make one call, and the duty to say how it went. */
export class Pass {
  /** Number of the backend's key to use, from 0. */
  readonly key: number;
  readonly #listener: Listener;
  readonly #backend: Backend;
  readonly #model: string;
  readonly #begunAt: number;
  #probes: readonly Breaker[];

  /** @param probes breakers that let this call through alone */
  constructor(listener: Listener, backend: Backend, model: string, key: number, begunAt: number, probes: readonly Breaker[]) {
    this.#listener = listener;
    this.#backend = backend;
    this.#model = model;
    this.key = key;
    this.#begunAt = begunAt;
    this.#probes = probes;
  }

  /** An answer has begun: nobody needs to wait for its end. */
  began(): void {
    this.#release();
    this.#listener.succeeded(this.#backend, this.#model, this.key, this.#begunAt);
  }

  /** A whole answer. */
  answered(): void {
    this.began();
  }

  /** @param error whatever the call ended with; one that did not come from the backend says nothing of it */
  failed(error: OpenAIError): void {
    this.#release();
    if (!isOfBackend(error)) return;
    const cause = causeOf(error);
    // Whoever refuses in order is there, and knows the key; a broken connection proves nothing.
    if (cause !== 'failure') this.#listener.succeeded(this.#backend, this.#model, this.key, this.#begunAt, cause);
    this.#listener.failed(this.#backend, this.#model, this.key, this.#begunAt, error);
  }

  /** It came to nothing that says anything about the backend. */
  unused(): void {
    this.#release();
  }

  #release(): void {
    for (const breaker of this.#probes) breaker.probing = false;
    this.#probes = [];
  }
}

const isOfBackend = ({ kind, details }: OpenAIError): boolean => kind.startsWith('upstream_') || details.upstreamCode !== undefined;
