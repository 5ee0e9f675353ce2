import { parentPort, workerData } from 'node:worker_threads';
import { type LedgerEntry, ledgerEntry } from '../../relay/ledger/ledger-entry.ts';
import { LedgerFault } from '../../relay/ledger/ledger-store.ts';
import type { SpentQuery, UsageQuery } from '../../relay/ledger/usage.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { SqlAccess } from './sql-access.ts';
import { SqlLedger } from './sql-ledger.ts';
import { openSqlite, type SqliteOptions } from './sqlite.ts';

/** The thread's side of `SqliteThread`: the same database, one call after the other. */
export type ThreadCall =
  | { readonly call: 'open' }
  /** A list of records and entries as JSON: one text crosses faster than many, and than objects. */
  | { readonly call: 'write'; readonly json: string }
  | { readonly call: 'usage'; readonly query: UsageQuery }
  | { readonly call: 'spent'; readonly query: SpentQuery }
  | { readonly call: 'truths'; readonly ids: readonly string[] }
  | { readonly call: 'prune'; readonly beforeMs: number; readonly most: number }
  | { readonly call: 'revision' }
  | { readonly call: 'teamsAfter' | 'keysAfter'; readonly revision: number; readonly most: number }
  | { readonly call: 'close' };

export type ThreadRequest = ThreadCall & { readonly id: number };

export type ThreadReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly fault: string; readonly permanent: boolean };

const entriesOf = (json: string): LedgerEntry[] =>
  (JSON.parse(json) as (RequestRecord | LedgerEntry)[]).map((line) => ('object' in line ? ledgerEntry(line) : line));

if (parentPort !== null) {
  const port = parentPort;
  const options = workerData as SqliteOptions;
  let tables: { readonly ledger: SqlLedger; readonly access: SqlAccess } | null = null;
  const opened = () => {
    if (tables !== null) return tables;
    const database = openSqlite(options);
    tables = { ledger: new SqlLedger(database, options), access: new SqlAccess(database, options) };
    return tables;
  };
  const answer = (request: ThreadRequest): Promise<unknown> => {
    switch (request.call) {
      case 'open':
        return opened().ledger.open();
      case 'write':
        return opened().ledger.write(entriesOf(request.json));
      case 'usage':
        return opened().ledger.usage(request.query);
      case 'spent':
        return opened().ledger.spent(request.query);
      case 'truths':
        return opened().ledger.truths(request.ids);
      case 'prune':
        return opened().ledger.prune(request.beforeMs, request.most);
      case 'close':
        return tables?.ledger.close() ?? Promise.resolve();
      case 'revision':
        return opened().access.revision();
      case 'teamsAfter':
        return opened().access.teamsAfter(request.revision, request.most);
      case 'keysAfter':
        return opened().access.keysAfter(request.revision, request.most);
    }
  };
  let last: Promise<void> = Promise.resolve();
  port.on('message', (request: ThreadRequest) => {
    last = last.then(async () => {
      let reply: ThreadReply;
      try {
        reply = { id: request.id, value: await answer(request) };
      } catch (error) {
        const { message, permanent } = error instanceof LedgerFault ? error : new LedgerFault(String(error));
        reply = { id: request.id, fault: message, permanent };
      }
      port.postMessage(reply);
      if (request.call === 'close') port.close();
    });
  });
}
