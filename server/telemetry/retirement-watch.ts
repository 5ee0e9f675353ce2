import type { Retirement } from '../../relay/routing/retirement.ts';
import type { Logger } from './logger.ts';

/** Days before a shutdown on which the log says so; 0 stands for its day and every day after it. */
const STAGES = [0, 7, 30, 90] as const;
/** How far ahead is looked. */
export const HORIZON_DAYS = 90;
const DAY_MS = 86_400_000;

/** Looks once a day which configured models their vendors are about to switch off, and tells each stage once, and what is gone every day. */
export class RetirementWatch {
  readonly #list: () => readonly Retirement[];
  readonly #report: (retirement: Retirement) => void;
  /** By candidate: the last stage told. */
  readonly #told = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(list: () => readonly Retirement[], report: (retirement: Retirement) => void) {
    this.#list = list;
    this.#report = report;
  }

  start(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), DAY_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  look(): void {
    for (const retirement of this.#list()) {
      const { alias, index, daysLeft, forced } = retirement;
      const stage = STAGES.find((days) => daysLeft <= days);
      // Who forces a retired model knows.
      if (stage === undefined || (stage === 0 && forced)) continue;
      const candidate = `${alias}\n${index}`;
      if (stage > 0 && this.#told.get(candidate) === stage) continue;
      this.#told.set(candidate, stage);
      this.#report(retirement);
    }
  }
}

/** A model that goes is a warning, one that is gone an error: its requests go elsewhere or fail. */
export function logRetirement(logger: Logger, { alias, backend, model, shutdown, replacement, daysLeft }: Retirement): void {
  const fields = { model: alias, candidate: `${backend}/${model}`, shutdown, replacement, daysLeft };
  if (daysLeft > 0) logger.warn(fields, 'a configured model will be retired by its vendor; change `models` before that day');
  else logger.error(fields, 'a configured model is retired by its vendor and skipped; change `models`');
}
