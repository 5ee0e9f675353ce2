import type { Backend } from '../../config/config.ts';
import type { OpenAIError } from '../../openai/errors.ts';
import { type Cause, causeOf } from './breaker.ts';

/** Who wants to know how calls went. */
interface Listener {
  /** An answer has begun, and may still break off. */
  began(backend: Backend, model: string, key: number, begunAt: number): void;
  /** @param besides a cause that has just failed, and so has not been proved to be over */
  succeeded(backend: Backend, model: string, key: number, begunAt: number, besides?: Cause | null): void;
  /** @param broken the answer had begun */
  failed(backend: Backend, model: string, key: number, begunAt: number, error: OpenAIError, broken: boolean): void;
}

/** The right to make one call, and the duty to say how it went. */
export class Pass {
  /** Number of the backend's key to use, from 0. */
  readonly key: number;
  readonly #listener: Listener;
  readonly #backend: Backend;
  readonly #model: string;
  readonly #begunAt: number;
  #onEnd: (() => void) | null;
  #begun = false;

  /** @param onEnd of a probe: told once, after what came of it */
  constructor(listener: Listener, backend: Backend, model: string, key: number, begunAt: number, onEnd: (() => void) | null = null) {
    this.#listener = listener;
    this.#backend = backend;
    this.#model = model;
    this.key = key;
    this.#begunAt = begunAt;
    this.#onEnd = onEnd;
  }

  /** An answer has begun: nobody needs to wait for its end. */
  began(): void {
    this.#begun = true;
    this.#listener.began(this.#backend, this.#model, this.key, this.#begunAt);
    this.#end();
  }

  /** A whole answer. */
  answered(): void {
    this.#listener.succeeded(this.#backend, this.#model, this.key, this.#begunAt);
    this.#end();
  }

  /** @param error whatever the call ended with; one that did not come from the backend says nothing of it */
  failed(error: OpenAIError): void {
    if (isOfBackend(error)) {
      const cause = causeOf(error);
      // Whoever refuses in order is there, and knows the key; a broken connection proves nothing.
      if (cause !== 'failure') this.#listener.succeeded(this.#backend, this.#model, this.key, this.#begunAt, cause);
      this.#listener.failed(this.#backend, this.#model, this.key, this.#begunAt, error, this.#begun);
    }
    this.#end();
  }

  /** It came to nothing that says anything about the backend. */
  unused(): void {
    this.#end();
  }

  #end(): void {
    this.#onEnd?.();
    this.#onEnd = null;
  }
}

const isOfBackend = ({ kind, details }: OpenAIError): boolean => kind.startsWith('upstream_') || details.upstreamCode !== undefined;
