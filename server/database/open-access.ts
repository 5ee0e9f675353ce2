import { existsSync } from 'node:fs';
import type { DatabaseAddress } from '../../config/database-address.ts';
import type { Secret } from '../../config/secret.ts';
import type { AccessReader, AccessStore } from '../../relay/keys/access-store.ts';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';
import { addressOf } from './address-of.ts';
import { openPostgres } from './postgres.ts';
import { SqlAccess } from './sql-access.ts';
import { openSqlite } from './sqlite.ts';

/** For a command that changes keys or teams, beside a relay that may be running; makes the tables where there are none. @throws LedgerFault */
export function accessStore(database: Secret | undefined): AccessStore {
  return new SqlAccess(opened(addressOf(database), false));
}

/** For a command that only shows them. Null when the SQLite file is not there yet, and so no key in it. @throws LedgerFault */
export function accessView(database: Secret | undefined): AccessReader | null {
  const address = addressOf(database);
  if (address.kind === 'sqlite' && !existsSync(address.path)) return null;
  return new SqlAccess(opened(address, true), { readOnly: true });
}

function opened(address: DatabaseAddress, readOnly: boolean) {
  switch (address.kind) {
    case 'memory':
      throw new LedgerFault(
        'the database of this configuration is in the memory of the relay (`database: memory:`), where no command can reach it',
      );
    case 'sqlite':
      return openSqlite({ path: address.path, readOnly });
    case 'postgres':
      return openPostgres(address.url, { connections: 1 });
  }
}
