import type { Secret } from '../../config/secret.ts';
import { LedgerFault, type LedgerStore } from '../../relay/ledger/ledger-store.ts';
import { addressOf } from './address-of.ts';
import { AuditReader } from './audit-reader.ts';
import { openPostgres } from './postgres.ts';
import { SqlLedger } from './sql-ledger.ts';
import { openSqlite } from './sqlite.ts';

/** The store for a command that only reads, beside a relay that may be running. @throws LedgerFault in one line */
export function ledgerReader(database: Secret | undefined): LedgerStore {
  const address = addressOf(database);
  switch (address.kind) {
    case 'memory':
      throw new LedgerFault(
        'the books of this configuration are in the memory of the relay (`database: memory:`): use GET /v1/estafet/usage',
      );
    case 'sqlite':
      return new SqlLedger(openSqlite({ path: address.path, readOnly: true }), { readOnly: true });
    case 'postgres':
      return new SqlLedger(openPostgres(address.url), { readOnly: true });
  }
}

/** The books for an auditor, as `ledgerReader`. @throws LedgerFault in one line */
export function auditReader(database: Secret | undefined): AuditReader {
  const address = addressOf(database);
  switch (address.kind) {
    case 'memory':
      throw new LedgerFault(
        'the books of this configuration are in the memory of the relay (`database: memory:`), where they cannot be checked',
      );
    case 'sqlite':
      return new AuditReader(openSqlite({ path: address.path, readOnly: true }));
    case 'postgres':
      return new AuditReader(openPostgres(address.url));
  }
}
