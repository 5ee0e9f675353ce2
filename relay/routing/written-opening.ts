import { ERRORS, type ErrorName, OpenAIError } from '../../openai/errors.ts';

/** An open breaker as Redis holds it. No message: it may quote what a vendor said. */
export interface WrittenOpening {
  /** By the clock of Redis, ms since the epoch. */
  readonly until: number;
  readonly kind: ErrorName;
}

/** The hash of a backend's open breakers, by the names of their places. */
export const openingsKey = (backend: string): string => `estafet:breakers:{${backend}}`;

/** Another release may write otherwise: null for what is not understood. */
export function readOpening(text: string): WrittenOpening | null {
  try {
    const { until, kind } = JSON.parse(text) as { readonly until?: unknown; readonly kind?: unknown };
    return typeof until === 'number' && typeof kind === 'string' && Object.hasOwn(ERRORS, kind) ? { until, kind: kind as ErrorName } : null;
  } catch {
    return null;
  }
}

/** What stands in the way here because of it. */
export const failureOf = ({ kind }: WrittenOpening): OpenAIError =>
  new OpenAIError(kind, 'The backend is not asked at the moment: another process of this relay has found that it fails.', {
    fallback: true,
    limit: kind.startsWith('upstream_rate_limit_') ? 'upstream' : undefined,
  });

/** Milliseconds since the epoch, from the answer to `TIME`. */
export const redisMs = ([seconds, micros]: readonly (string | number)[]): number => Number(seconds) * 1000 + Number(micros) / 1000;
