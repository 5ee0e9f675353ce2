import { databaseAddress } from '../../config/database-address.ts';
import type { Secret } from '../../config/secret.ts';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';

/** @throws LedgerFault for an address that is none */
export function addressOf(database: Secret | undefined) {
  const address = databaseAddress(database?.reveal());
  if ('fault' in address) throw new LedgerFault(`database: ${address.fault}`);
  return address;
}
