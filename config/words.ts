import { z } from 'zod';
import { SECRET_REFERENCE } from './secret.ts';

/** Small schemas the sections share. Patterns rather than refinements where possible: they reach the JSON Schema. */

/** Longest wait a timer of Node can hold (ms): above it, it fires at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Milliseconds from 1 to the longest a timer holds. */
export const milliseconds = z.int().min(1).max(LONGEST_TIMER_MS);

/** Whole number from 1 up to the largest exact integer. */
export const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Names of backends and teams: they become metric labels, parts of `backend/model` and of store keys. */
export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'must be a name of 1 to 64 letters, digits, dots, dashes or underscores that starts with a letter or digit',
});

/** Names of models and keys: whatever people and vendors call them. */
export const freeName = z.string().regex(/^(?! )[^\p{Cc}\p{Cs}]{1,128}(?<! )$/u, {
  error: 'must be 1 to 128 characters without control characters and without a space at either end',
});

/** Names of keys: books and limits go by them, so what looks the same must be the same. */
export const keyName = freeName.refine((text) => text === text.normalize('NFC'), {
  error:
    'must be in Unicode’s composed form (NFC), in which a letter with an accent is one character; otherwise two names could look alike',
});

/** What is wrong with a word that does not come from a file; null when nothing is. */
export function wordFault(schema: z.ZodType<string>, text: string): string | null {
  return schema.safeParse(text).error?.issues[0]?.message ?? null;
}

/** How a reference to an environment variable is shown. */
export const ENV_REFERENCE = `\${NAME}`;

/** A vendor's credential. The messages never repeat what was written: it may be the secret itself. */
export const secretReference = z.string().regex(SECRET_REFERENCE, {
  error: `a secret must not be written into the file: write ${ENV_REFERENCE} or env:NAME for an environment variable, or file:/path`,
});

/** A client key: a reference, or its digest. */
export const clientKey = z.string().regex(new RegExp(`${SECRET_REFERENCE.source}|^sha256:[0-9a-fA-F]{64}$`), {
  error: `a key must not be written into the file: write ${ENV_REFERENCE}, env:NAME, file:/path or sha256: and 64 hex digits`,
});
