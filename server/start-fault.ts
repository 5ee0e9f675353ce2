import type { Config } from '../config/config.ts';
import { LedgerFault } from '../relay/ledger/ledger-store.ts';

/** Why the relay could not start, in one line: what is wrong with the database, or which port it is, that of the apps or that of the metrics. */
export function startFault(error: unknown, { server }: Pick<Config, 'server'>): string {
  if (error instanceof LedgerFault) return error.message;
  const { code, address, port } = error as { readonly code?: string; readonly address?: string; readonly port?: number };
  const forMetrics = port !== undefined && port === server.metrics?.port && port !== server.port;
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: `the port is in use. ${forMetrics ? 'Set another server.metrics.port.' : 'Choose another with --port or PORT.'}`,
    EACCES: 'this user may not open that port. Choose one above 1023.',
    EADDRNOTAVAIL: `this machine does not have that address. Change ${forMetrics ? 'server.metrics.host' : '--host or server.host'}.`,
  };
  const why = words[code === 'ENOTFOUND' ? 'EADDRNOTAVAIL' : (code ?? '')] ?? (error instanceof Error ? error.message : String(error));
  return `cannot listen on ${address ?? server.host}:${port ?? server.port}: ${why}`;
}
