import type { Readiness } from '../routes/ops/ready.ts';

/** Resolves when what it asks answers, rejects when that fails. */
export type Check = () => Promise<unknown>;

export interface ReadinessOptions {
  readonly checks: Readonly<Record<string, Check>>;
  /** Longer than this is no answer. */
  readonly timeoutMs: number;
  /** Answers serve those who ask so soon after: many probes cost what one does. */
  readonly keptMs: number;
  readonly draining: () => boolean;
  /** Milliseconds of any clock that only goes forward. */
  readonly now?: () => number;
}

/** Asks whatever requests depend on, at most once at a time. */
export class ReadinessProbe {
  readonly #options: ReadinessOptions;
  readonly #now: () => number;
  #answer: Promise<Readiness> | null = null;
  #askAgainAt = 0;

  constructor(options: ReadinessOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Never rejects, and takes no longer than the time limit. */
  async ready(): Promise<Readiness> {
    if (this.#options.draining()) return { status: 'draining', checks: {} };
    if (this.#answer === null || this.#now() >= this.#askAgainAt) {
      this.#askAgainAt = Number.POSITIVE_INFINITY;
      this.#answer = this.#ask().finally(() => {
        this.#askAgainAt = this.#now() + this.#options.keptMs;
      });
    }
    return this.#answer;
  }

  async #ask(): Promise<Readiness> {
    const checks = Object.fromEntries(
      await Promise.all(Object.entries(this.#options.checks).map(async ([name, check]) => [name, await this.#outcome(check)] as const)),
    );
    return { status: Object.values(checks).every((outcome) => outcome === 'ok') ? 'ready' : 'unready', checks };
  }

  async #outcome(check: Check): Promise<Readiness['checks'][string]> {
    const { promise: late, resolve } = Promise.withResolvers<'no answer'>();
    const timer = setTimeout(() => resolve('no answer'), this.#options.timeoutMs);
    // The reason may hold an address or a password: whoever looks after the database or Redis finds it in the log.
    const answered = (async () => check())().then(
      () => 'ok' as const,
      () => 'fails' as const,
    );
    try {
      return await Promise.race([answered, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
