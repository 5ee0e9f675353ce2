import { Books } from '../../../relay/ledger/books.ts';
import type { RequestRecord } from '../../../relay/records/request-record.ts';
import { SqliteThread } from '../../../server/database/sqlite-thread.ts';

/**
 * A process that writes books as fast as it can, to be killed: `node sqlite-process.ts FILE PREFIX`. After each batch that the database
 * has taken it prints how many lines are in for certain.
 */
const [file = '', prefix = ''] = process.argv.slice(2);
const store = new SqliteThread({ path: file });
const books = new Books(store, { retentionDays: 36_500, queueMax: 100_000, report: (event) => console.error(JSON.stringify(event)) });
await books.open();
let added = 0;
for (;;) {
  for (let lines = 0; lines < 300; lines++) {
    const record: RequestRecord = {
      id: `${prefix}_${++added}`,
      object: 'estafet.request',
      at: new Date().toISOString(),
      surface: 'chat.completions',
      key: 'app',
      team: 'blue',
      model: 'gpt-4o',
      stream: false,
      status: 200,
      reason: 'done',
      error: null,
      decision: { strategy: 'order', order: [{ to: 'qwen/qwen-plus' }], skipped: [] },
      attempts: [],
      receipt: null,
      usage: { promptTokens: 1, paidPromptTokens: 1, completionTokens: 2, cachedTokens: 0, reasoningTokens: 0, source: 'vendor' },
      estimate: null,
      cost: { amountNano: 1, currency: 'CNY', priceSource: 'x', priceDate: '2026-11-01', priceConfidence: 'official' },
      firstByteMs: 1,
      totalMs: 1,
    };
    books.add(JSON.stringify(record));
  }
  while (books.status().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  process.stdout.write(`${added}\n`);
}
