import type { SpentReader } from './store.ts';

/**
 * Asks the books once for all requests that wait for the same window. An answer that took as long as `slowMs`, for which those who asked may
 * have given up, is kept for a moment, so that the next one has it; briefly, because what is admitted meanwhile is not in it, and a store
 * emptied just then would begin with too little. A failure is not kept.
 */
export function askOnce(spent: SpentReader, keepMs: number, slowMs = 0): SpentReader {
  const asked = new Map<string, Promise<number>>();
  return (owner, limit, startMs, endMs) => {
    const name = `${owner} ${limit.bucket} ${startMs}`;
    const known = asked.get(name);
    if (known !== undefined) return known;
    const askedAt = performance.now();
    const answer = spent(owner, limit, startMs, endMs);
    asked.set(name, answer);
    answer.then(
      () => {
        if (performance.now() - askedAt < slowMs) asked.delete(name);
        else setTimeout(() => asked.delete(name), keepMs).unref();
      },
      () => asked.delete(name),
    );
    return answer;
  };
}
