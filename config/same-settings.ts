import { Secret } from './secret.ts';

/** Do two checked parts of a configuration say the same, secrets included? */
export const sameSettings = (one: unknown, other: unknown): boolean => textOf(one) === textOf(other);

/** For comparison only: it holds secrets. The order of names matters to models and patterns, so it counts. */
function textOf(settings: unknown): string {
  return (
    JSON.stringify(settings, function (this: Readonly<Record<string, unknown>>, name: string, value: unknown) {
      const raw = this[name];
      return raw instanceof Secret ? { secret: raw.reveal() } : value;
    }) ?? ''
  );
}
