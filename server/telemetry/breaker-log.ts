import type { BreakerEvent } from '../../relay/routing/breaker-event.ts';
import type { Logger } from './logger.ts';

/** As `estafet check` says it, once the catalogue is known. */
export function logUnprobed(logger: Logger, backends: readonly string[]): void {
  for (const backend of backends) logger.warn({ backend }, 'probe: there is no model to ask; requests probe this backend');
}

/** What only an admin can mend is an error; a limit that is reached is ordinary. */
export function logBreaker(logger: Logger, { at: _at, error, ...event }: BreakerEvent): void {
  const fields = { ...event, ...(error === null ? {} : { error: error.kind, upstreamCode: error.details.upstreamCode ?? null }) };
  if (event.state === 'half-open') logger.debug(fields, 'breaker half-open: one request probes the backend');
  else if (event.state === 'closed') logger.info(fields, 'breaker closed: requests are sent there again');
  else if (event.cause === 'rate') logger.info(fields, 'breaker open: a limit of the vendor is reached');
  else if (event.cause === 'failure' || event.cause === 'overload')
    logger.warn(fields, 'breaker open: requests go elsewhere until a probe succeeds');
  else logger.error(fields, 'breaker open: an admin must act; once a minute, one request tries whether it works again');
}
