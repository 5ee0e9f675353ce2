import { traceSettings } from './trace-settings.ts';
import type { Tracing, TracingHooks } from './tracing.ts';

/** Makes the traces of a process. */
export type MakeTracing = (hooks: TracingHooks) => Tracing;

/**
 * Loads OpenTelemetry where the environment names an endpoint; null, and nothing of it loaded, where it does not.
 * @param worker its number among the processes of one port; null for one alone
 * @throws TraceSettingsFault for a variable that cannot be obeyed
 */
export async function openTracing(
  env: Readonly<Record<string, string | undefined>>,
  worker: number | null = null,
): Promise<MakeTracing | null> {
  const settings = traceSettings(env);
  if (settings === null) return null;
  const { Tracing } = await import('./tracing.ts');
  return (hooks) => new Tracing(settings, worker, hooks);
}
