import type { SpentReader } from './store.ts';

/**
 * Asks the books once for all requests that wait for the same window, and keeps the answer for a moment: a request that gave up waiting
 * leaves it to the next. Short, because what is admitted meanwhile is not in it. A failure is not kept.
 */
export function askOnce(spent: SpentReader, keepMs: number): SpentReader {
  const asked = new Map<string, Promise<number>>();
  return (owner, limit, startMs, endMs) => {
    const name = `${owner} ${limit.bucket} ${startMs}`;
    const known = asked.get(name);
    if (known !== undefined) return known;
    const answer = spent(owner, limit, startMs, endMs);
    asked.set(name, answer);
    answer.then(
      () => setTimeout(() => asked.delete(name), keepMs).unref(),
      () => asked.delete(name),
    );
    return answer;
  };
}
