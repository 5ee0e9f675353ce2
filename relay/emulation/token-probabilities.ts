/**
 * OpenAI's `logprobs.content` of a part of a text: the entries of the tokens that stand in it, a token across its border among them. Where the tokens
 * do not make up the text (a vendor writes half a character in words of its own), all of them.
 */
export function probabilitiesOf(entries: readonly unknown[], text: string, start: number, end: number): readonly unknown[] {
  if (start <= 0 && end >= text.length) return entries;
  let at = 0;
  const inside = entries.filter((entry) => {
    const from = at;
    at += tokenOf(entry).length;
    return at > start && from < end;
  });
  return at === text.length ? inside : entries;
}

const tokenOf = (entry: unknown): string => {
  const token = entry !== null && typeof entry === 'object' ? (entry as { token?: unknown }).token : undefined;
  return typeof token === 'string' ? token : '';
};
