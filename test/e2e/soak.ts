import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Config } from '../../config/config.ts';
import { attemptId } from '../../relay/exchange.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import { type RunningRelay, startRelay } from '../../server/main.ts';
import { build } from '../../server/wiring.ts';
import type { JournalEntry } from '../../simulator/kernel/journal.ts';
import type { Simulator } from '../../simulator/simulator.ts';
import { checkCompletion, checkErrorResponse, checkStream, foldCompletion, foldStream } from '../contract/openai-schema.ts';

/** What soaks under failing vendors have in common: the weather, the callers, and what must be true of records and journals afterwards. */

export type FaultList = readonly (readonly [name: string, args: Readonly<Record<string, string>>])[];

/** Told to wait longer, a caller gives up. */
const PATIENCE_MS = 3_000;

/** Numbers from 0 to 1 that only look like chance. */
export const chance = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

/** Of each vendor's 37 calls as many fail as it has faults, each in a way of its own: by count, so that a busy machine sees the same weather. */
export function setWeather(simulator: Simulator, faultsOf: Readonly<Record<'qwen' | 'ernie' | 'glm', FaultList>>): void {
  for (const vendor of ['qwen', 'ernie', 'glm'] as const) {
    for (const [place, [name, args]] of faultsOf[vendor].entries()) simulator.setFault({ name, args, vendor, every: 37, skip: 3 * place });
  }
}

/** Nodes of one configuration, each with a chance of its own, whose records go to one list. */
export const startNodes = (config: Config, records: RequestRecord[]): Promise<RunningRelay[]> =>
  Promise.all(
    [1, 2].map((seed) => startRelay(config, build(config, { random: chance(seed), onSettled: (record) => void records.push(record) }))),
  );

/** What callers were told. */
export interface Told {
  asked: number;
  /** Ids of right answers. */
  readonly good: string[];
  /** Ids of streams that broke off after they had begun: no fallback could help. */
  readonly broken: string[];
}

/**
 * Many callers at a time, round after round, every second one with a stream, at all nodes by turns. Each comes again when it is told to, as
 * the SDKs do, twice at most; each answer is checked to the letter.
 */
export async function soak(urls: readonly string[], keys: readonly string[], callers: number, rounds: number): Promise<Told> {
  const told: Told = { asked: 0, good: [], broken: [] };
  const ask = async (number: number, left = 2): Promise<void> => {
    told.asked++;
    const stream = number % 2 === 0;
    const text = `answer ${number} of so many`;
    const response = await fetch(`${urls[Math.floor(number / 2) % urls.length]}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys[number % 3 === 0 ? 0 : keys.length - 1]}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'm',
        stream,
        messages: [{ role: 'user', content: `[[sim:say text="${text}"]] [[sim:slow chunkMs=5]]` }],
      }),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const id = response.headers.get('x-request-id') ?? '';
    if (stream && response.status === 200) {
      const { problems, error, done, chunks } = checkStream(bytes, { includeUsage: false });
      expect(problems).toEqual([]);
      expect(done).toBe(error === null);
      if (done) expect(foldStream(chunks).choices[0]?.content).toBe(text);
      (done ? told.good : told.broken).push(id);
      return;
    }
    const body = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    if (response.status === 200) {
      expect(checkCompletion(body)).toEqual([]);
      expect(foldCompletion(body).choices[0]?.content).toBe(text);
      told.good.push(id);
      return;
    }
    expect(checkErrorResponse(response.status, body)).toEqual([]);
    const wait = response.headers.get('retry-after-ms');
    if (left === 0 || wait === null || Number(wait) > PATIENCE_MS || response.headers.get('x-should-retry') === 'false') return;
    await sleep(Number(wait));
    await ask(number, left - 1);
  };
  for (let round = 0; round < rounds; round++) {
    await Promise.all(Array.from({ length: callers }, (_, caller) => ask(round * callers + caller)));
  }
  return told;
}

const isFailed = ({ faults }: JournalEntry): boolean => faults.some(({ name }) => name !== 'slow');

/** The weather was as bad as it should be; callers whom a fallback can help did not notice, but for so many; and whom the team has no permit for never heard of anything. */
export function checkWeather(
  told: Told,
  journal: readonly JournalEntry[],
  served: number,
  more: Readonly<Record<string, number>> = {},
): string {
  const { asked } = told;
  const [good, broken, sent, failed] = [told.good.length, told.broken.length, journal.length, journal.filter(isFailed).length];
  const context = JSON.stringify({ asked, good, broken, sent, failed, ...more });
  expect(failed / sent, context).toBeGreaterThan(0.25);
  expect(good + broken, context).toBeGreaterThan(served);
  expect(journal.filter(({ region }) => region === 'intl')).toEqual([]);
  return context;
}

/**
 * Each request has ended once, each call that a vendor saw is an attempt of one record, and each good answer is one record of an answer.
 * @returns what vendors counted for the good answers, by the id of the request
 */
export async function compared(
  { asked, good }: Told,
  records: readonly RequestRecord[],
  journal: readonly JournalEntry[],
): Promise<Map<string, JournalEntry | undefined>> {
  await expect.poll(() => records.length).toBe(asked);
  expect(new Set(records.map(({ id }) => id)).size).toBe(asked);
  const done = records.filter(({ reason }) => reason === 'done');
  expect(done.map(({ id }) => id).toSorted()).toEqual(good.toSorted());
  const calls = new Map(journal.map((entry) => [entry.headers['x-request-id'] ?? '', entry]));
  expect(calls.size).toBe(journal.length);
  const made = records.flatMap(({ id, attempts }) =>
    attempts.flatMap((attempt, place) =>
      attempt.unsent === true || attempt.error?.startsWith('backend_limit_') === true || attempt.error === 'upstream_unreachable'
        ? []
        : [`${attempt.vendor} ${attemptId(id, attempt.number ?? place)}`],
    ),
  );
  expect(made.toSorted()).toEqual(journal.map(({ vendor, headers }) => `${vendor} ${headers['x-request-id']}`).toSorted());
  return new Map(done.map(({ id, attempts }) => [id, calls.get(attemptId(id, attempts.at(-1)?.number ?? attempts.length - 1))]));
}
