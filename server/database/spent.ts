import { type Kysely, sql } from 'kysely';
import type { SpentQuery, SpentRow } from '../../relay/ledger/usage.ts';
import type { Attempt } from '../../relay/records/request-record.ts';
import type { Tables } from './tables.ts';
import { type Driven, wholeBig } from './whole.ts';

/** Money by asked model, from the lines: the hourly sums know the vendors' names only. Reads every line since `fromMs`. */
export async function spentByAskedModel(db: Kysely<Tables>, { fromMs, team, key, currency }: SpentQuery): Promise<SpentRow[]> {
  const since = sql`from estafet_requests where at_ms >= ${fromMs} and team = ${team} ${key === null ? sql`` : sql`and key_name = ${key}`}`;
  const [answers, thrownAway] = [
    await sql<{ asked_model: string; nano: Driven }>`select asked_model, sum(cost_nano) as nano ${since} and currency = ${currency}
      group by asked_model`.execute(db),
    await sql<{ asked_model: string; attempts: string }>`select asked_model, attempts ${since}
      and attempts like ${'%"discarded":%'}`.execute(db),
  ];
  const spent = new Map(answers.rows.map(({ asked_model, nano }) => [asked_model, wholeBig(nano)]));
  for (const { asked_model, attempts } of thrownAway.rows) {
    for (const { discarded } of JSON.parse(attempts) as Attempt[]) {
      if (discarded?.cost?.currency !== currency) continue;
      spent.set(asked_model, (spent.get(asked_model) ?? 0n) + BigInt(discarded.cost.amountNano));
    }
  }
  return [...spent].map(([askedModel, nano]) => ({ askedModel, nano }));
}
