import type { BreakerEvent } from '../../relay/routing/breaker-event.ts';
import type { Logger } from './logger.ts';

/** As `estafet check` says it, once the catalogue is known. */
export function logUnprobed(logger: Logger, backends: readonly string[]): void {
  for (const backend of backends) logger.warn({ backend }, 'probe: there is no model to ask; requests probe this backend');
}

/** What only an admin can mend is an error; a limit that is reached is ordinary. */
export function logBreaker(logger: Logger, { at: _at, error, ...event }: BreakerEvent): void {
  const fields = { ...event, ...(error === null ? {} : { error: error.kind, upstreamCode: error.details.upstreamCode ?? null }) };
  if (event.state === 'half-open') logger.debug(fields, 'breaker half-open: one request probes');
  else if (event.state === 'closed') logger.info(fields, 'breaker closed: asked again as before');
  else if (event.cause === 'rate') logger.info(fields, 'breaker open: a limit of the vendor is reached');
  else if (event.cause === 'failure' || event.cause === 'overload') logger.warn(fields, 'breaker open: left out until it may be probed');
  else logger.error(fields, 'breaker open: an admin must act; one request a minute looks whether it is done');
}
