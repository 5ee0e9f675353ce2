import type { CheckContext } from './check-context.ts';
import type { Backend, ModelEntry, Server } from './config.ts';
import type { Path } from './problem.ts';

/**
 * A backend that is silent for longer than a request may last leaves no time for the next candidate, and patience that the deadline cuts short
 * says nothing against it, so that no breaker opens either. Told of deadlines that were written, once each.
 */
export function warnDeadlines(
  server: Pick<Server, 'totalDeadlineMs'>,
  backends: Readonly<Record<string, Backend>>,
  models: Readonly<Record<string, ModelEntry>>,
  { warnings, isWritten }: CheckContext,
): void {
  const patient = new Map<string, { readonly path: Path; readonly deadlineMs: number; readonly names: Set<string> }>();
  for (const [alias, { to, totalDeadlineMs, hedge }] of Object.entries(models)) {
    // Another one is called beside a silent one.
    if (hedge !== null) continue;
    const path = totalDeadlineMs === null ? ['server', 'totalDeadlineMs'] : ['models', alias, 'totalDeadlineMs'];
    const deadlineMs = totalDeadlineMs ?? server.totalDeadlineMs;
    for (const { backend } of to.slice(0, -1)) {
      const timeouts = backends[backend]?.timeouts;
      if (timeouts === undefined) continue;
      const keys = (['firstByteMs', 'wholeMs'] as const).filter((key) => Math.min(timeouts[key], timeouts.totalMs) >= deadlineMs);
      const entry = patient.get(path.join('.')) ?? { path, deadlineMs, names: new Set() };
      patient.set(path.join('.'), entry);
      for (const key of keys) entry.names.add(`backends.${backend}.timeouts.${key} (${timeouts[key]})`);
    }
  }
  for (const { path, deadlineMs, names } of patient.values()) {
    if (names.size === 0 || !isWritten(path)) continue;
    const message = `leaves no time for another candidate after a silent one, and opens no breaker: ${deadlineMs} ms is not longer than ${[...names].join(', ')}`;
    warnings.add(path, message, { at: 'key' });
  }
}
