import type { Backend, Config } from '../../../config/config.ts';
import { VENDORS } from '../../../translators/registry.ts';
import type { Logger } from '../logger.ts';
import type { CollectorEvent } from './span-queue.ts';
import type { TracingHooks } from './tracing.ts';

/** @param config the one in force */
export const tracingHooks = (logger: Logger, config: () => Config): TracingHooks => ({
  settings: () => config().server.tracing,
  about: ({ backend, vendor }) => ({ provider: VENDORS[vendor]?.traceName ?? vendor, address: addressOf(config().backends[backend]) }),
  report: (event) => logCollector(logger, event),
});

/** Null for a backend that a reload has taken away. */
function addressOf(backend: Backend | undefined): { readonly host: string; readonly port: number } | null {
  if (backend === undefined) return null;
  const { hostname, port, protocol } = new URL(backend.baseUrl);
  return { host: hostname, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}

/** A collector that fails, in the log: one line when it begins, one when it is over. Requests are served all the while. */
function logCollector(logger: Logger, event: CollectorEvent): void {
  if (event.kind === 'lost')
    logger.warn({ error: event.error }, 'traces: spans are lost: the collector does not accept them; requests are served as usual');
  else logger.warn({ lost: event.lost }, 'traces: the collector accepts spans again');
}
