/**
 * About how many tokens a text has: by character class, never by a tokenizer, which can stop the event loop for seconds. About 4 ASCII
 * characters or 1.5 others a token; fractions are the caller's to round.
 */
export function textTokens(text: string): number {
  let others = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) others++;
  return (text.length - others) / 4 + others / 1.5;
}

/** Rather too many than too few: for what must stay within a bound that somebody else counts. */
export const mostTokens = (text: string): number => Math.ceil(textTokens(text) * 1.5);
