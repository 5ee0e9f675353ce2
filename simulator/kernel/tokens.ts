/**
 * The simulator's own token measure: simple, exact and additive, so that a test can work out every number by hand.
 *
 * - a run of ASCII letters and digits costs ceil(length / 4)
 * - every other code point that is not white space costs 1 (a Chinese character, a comma, an emoji's base)
 * - white space costs nothing
 *
 * `pieces` cuts a text at token borders, one token a piece with its leading white space, so the counts of the pieces
 * add up to the count of the text and a surrogate pair is never split.
 */

/** Tokens added for every message of a prompt: its role and separators. */
export const MESSAGE_OVERHEAD_TOKENS = 4;

const RUN = /[A-Za-z0-9]+|[^\sA-Za-z0-9]/gu;
const PIECE = /\s*(?:[A-Za-z0-9]{1,4}|[^\sA-Za-z0-9])/gu;

export function countTokens(text: string): number {
  let total = 0;
  for (const [match] of text.matchAll(RUN)) total += isAsciiWord(match) ? Math.ceil(match.length / 4) : 1;
  return total;
}

/** One token a piece; white space at the very end goes with the last piece. A text of white space only is one piece. */
export function pieces(text: string): readonly string[] {
  const found: string[] = [];
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    found.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end === text.length) return found;
  const tail = text.slice(end);
  const last = found.pop();
  found.push(last === undefined ? tail : last + tail);
  return found;
}

/** The longest beginning of `text` that costs at most `limit` tokens. */
export function cutTokens(text: string, limit: number): string {
  if (limit <= 0) return '';
  let taken = 0;
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    if (taken === limit) return text.slice(0, end);
    taken += 1;
    end = match.index + match[0].length;
  }
  return text;
}

function isAsciiWord(match: string): boolean {
  return /^[A-Za-z0-9]/.test(match);
}
