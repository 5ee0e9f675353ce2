import type { Dispatcher } from 'undici';
import { OpenAIError } from '../../openai/errors.ts';
import { NOWHERE } from '../placed-set.ts';
import { CONNECT_TIMEOUT, connectionError } from './connection-error.ts';
import type { Deadline, DeadlineWheel } from './deadlines.ts';

/** In ms: calls that begin together do so one after the other, as long as it takes to write their bodies. The first to be given up speaks for them. */
const TOGETHER_MS = 50;

/** Who listens to one call. Exactly one of `onEnd` and `onFail` is called, once, and nothing after it. */
export interface CallListener {
  onHead(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  onFail(error: OpenAIError): void;
}

/** In ms, from the backend's configuration. */
export interface CallTimeouts {
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/**
 * One HTTP call to a backend, as undici's dispatch handler: no promise and no stream object per call or chunk.
 * `pause` holds the socket back (back-pressure to the vendor), `abort` closes it. Time limits: first byte, silence within the
 * body (not while paused: then it is the caller who is slow), the whole call.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler, Deadline {
  place = NOWHERE;
  deadlineAt: number;
  readonly #listener: CallListener;
  readonly #timeouts: CallTimeouts;
  readonly #wheel: DeadlineWheel;
  readonly #connecting: () => boolean;
  readonly #startedAt: number;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;
  #paused = false;
  #answering = false;
  #answered = false;
  /** Fixed once the answer is as good as complete. */
  #endBy = Number.POSITIVE_INFINITY;
  #pausedAt = 0;

  /** @param connecting there is still a connection to be made: what waits for one waits for the backend, and not for other calls to end */
  constructor(listener: CallListener, timeouts: CallTimeouts, wheel: DeadlineWheel, connecting: () => boolean = () => false) {
    this.#listener = listener;
    this.#connecting = connecting;
    this.#timeouts = timeouts;
    this.#wheel = wheel;
    this.#startedAt = wheel.now();
    this.deadlineAt = this.#startedAt + Math.min(timeouts.firstByteMs, timeouts.totalMs);
    wheel.add(this);
  }

  /** It waits for a connection, or was ended while it did: nothing has left, and nothing will once it has ended. */
  get unsent(): boolean {
    return this.#controller === null;
  }

  /** Nothing of an answer has come in its time: it is about to be given up, or was given up with another. */
  get overdue(): boolean {
    return !this.#answering && this.deadlineAt <= this.#wheel.nowMs + TOGETHER_MS;
  }

  /** Closes the call without telling the listener. */
  abort(): void {
    if (this.#over) return;
    this.#finish();
    this.#controller?.abort(new Error('aborted by the relay'));
  }

  pause(): void {
    if (this.#over || this.#paused) return;
    this.#paused = true;
    this.#pausedAt = this.#wheel.now();
    this.deadlineAt = this.#startedAt + this.#timeouts.totalMs;
    this.#controller?.pause();
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    const nowMs = this.#wheel.now();
    this.#endBy += nowMs - this.#pausedAt;
    this.#quietUntil(nowMs);
    this.#controller?.resume();
  }

  /** What matters has come: the vendor has this long for the rest, however much it still says. Counted from the first call; a pause stops the clock. */
  hurry(ms: number): void {
    const nowMs = this.#wheel.now();
    this.#endBy = Math.min(this.#endBy, nowMs + ms);
    this.#quietUntil(nowMs);
  }

  expire(): void {
    if (this.unsent && this.#connecting()) {
      this.#fail(connectionError(Object.assign(new Error('No connection in time.'), { code: CONNECT_TIMEOUT }), 'unsent'));
      return;
    }
    const seconds = Math.round((this.#wheel.nowMs - this.#startedAt) / 1000);
    const what = this.#answering ? 'stopped answering' : this.unsent ? 'had no connection free' : 'did not answer';
    const details = { fallback: true, unanswered: !this.#answering || undefined, unsent: this.unsent || undefined };
    this.#fail(new OpenAIError('upstream_timeout', `The backend ${what} within its time limit (${seconds} s).`, details));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Aborted while it waited for a socket: nothing has been sent, and nothing will be.
    if (this.#over) controller.abort(new Error('aborted by the relay'));
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (this.#over || status < 200) return;
    this.#answered = true;
    this.#guarded(() => this.#listener.onHead(status, headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    this.#answering = true;
    this.#quietUntil(this.#wheel.now());
    try {
      this.#listener.onData(chunk);
    } catch (error) {
      this.#fail(asFailure(error));
    }
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#finish();
    try {
      this.#listener.onEnd();
    } catch (error) {
      this.#listener.onFail(asFailure(error));
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#finish();
    this.#listener.onFail(connectionError(error, this.unsent ? 'unsent' : this.#answered ? 'answered' : 'unanswered'));
  }

  /** @param nowMs exact: a busy event loop leaves the coarse clock far behind, and that time would be taken from the vendor */
  #quietUntil(nowMs: number): void {
    if (this.#paused) return;
    const total = this.#startedAt + this.#timeouts.totalMs;
    const idle = nowMs + this.#timeouts.idleMs;
    this.deadlineAt = Math.min(idle, total, this.#endBy);
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(asFailure(error));
    }
  }

  #fail(error: OpenAIError): void {
    if (this.#over) return;
    this.#finish();
    this.#controller?.abort(new Error('given up by the relay'));
    this.#listener.onFail(error);
  }

  #finish(): void {
    this.#over = true;
    this.#wheel.remove(this);
  }
}

/** What a reader threw: an `OpenAIError` says what it is; anything else means that the answer could not be understood. */
function asFailure(error: unknown): OpenAIError {
  if (error instanceof OpenAIError) return error;
  return new OpenAIError('upstream_invalid_response', "The backend's answer could not be read.", { cause: error, fallback: true });
}
