/** Probabilities of the tokens of an answer (Qwen: chat reference), made from their texts. Reasoning and tool calls have none. */
export function logprobsOf(tokens: () => readonly string[], top: number | null): object | null {
  if (top === null) return null;
  const entry = (token: string, rank: number): object => ({ token, logprob: -0.125 * (rank + 1), bytes: [...Buffer.from(token)] });
  const content = tokens().map((token) => ({
    ...entry(token, 0),
    top_logprobs: Array.from({ length: top }, (_, rank) => entry(rank === 0 ? token : `${token}${rank}`, rank)),
  }));
  return { content };
}
