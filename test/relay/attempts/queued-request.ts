import { expect } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import type { Attempt } from '../../../relay/records/request-record.ts';
import type { Pass } from '../../../relay/routing/pass.ts';
import type { Line, Name, Part } from './played-backends.ts';
import { NOTHING_HELD, shown, stage } from './stage.ts';

/** Every backend has one slot and no retries, unless a row says otherwise. */
export const ONE = ', concurrency: 1, retries: 0, breaker: off';
export const QUEUE = `${ONE}, queue: { max: 1, waitMs: 600 }`;
/** A request each minute. */
export const RATE = ', rpm: 1, retries: 0, breaker: off';
const DEADLINE_MS = 3_000;

export interface Row {
  readonly name: string;
  /** What each says; `done` after 100 ms where nothing is given. */
  readonly parts?: Readonly<Partial<Record<Name, Part>>>;
  /** What it says from some moment on. */
  readonly later?: Readonly<Partial<Record<Name, readonly [atMs: number, part: Part]>>>;
  /** Who has no room, from when, until when. */
  readonly full: Readonly<Partial<Record<Name, readonly [fromMs: number, untilMs: number]>>>;
  /** Without: a queue of one. */
  readonly backends?: Readonly<Partial<Record<Name, string>>>;
  readonly entry?: string;
  /** Whose answer the caller gets; or the error. */
  readonly by: Name | string;
  readonly atMs: number;
  /** With the time in queues after it. */
  readonly attempts: readonly string[];
  /** What was sent: to whom, and when. */
  readonly calls: readonly string[];
  /** `bar b`: someone else has found that its key is bad. */
  readonly act?: readonly [atMs: number, what: 'leave' | 'cut' | 'bar b'];
  readonly reason?: string;
}

export const says = (ms: number, line: Line): Part => [[ms, line]];
export const ANSWER: Part = [
  [100, 'text'],
  [100, 'done'],
];
export const FAR = 10_000;

/** One request from its beginning until nothing is left of it. */
async function played(row: Row, stream: boolean) {
  const on = stage({
    parts: { a: ANSWER, b: ANSWER, c: ANSWER, ...row.parts },
    entry: row.entry ?? `totalDeadlineMs: ${DEADLINE_MS}`,
    backends: { a: QUEUE, b: QUEUE, c: QUEUE, ...row.backends },
  });
  const events: [number, () => void][] = [];
  const at = (ms: number, act: () => void): void => void events.push([ms, act]);
  for (const [name, [from, until]] of Object.entries(row.full) as [Name, readonly [number, number]][]) {
    let release = (): void => undefined;
    at(from, () => {
      release = on.hold(name);
    });
    at(until, () => release());
  }
  for (const [name, [ms, part]] of Object.entries(row.later ?? {}) as [Name, readonly [number, Part]][]) {
    at(ms, () => {
      on.parts[name] = part;
    });
  }
  let asked: ReturnType<typeof on.ask> | undefined;
  let overAtMs = Number.NaN;
  at(0, () => {
    asked = on.ask(stream);
    void asked.ended.then(() => {
      overAtMs = on.clock.ms;
    });
  });
  const acts = {
    leave: () => asked?.leave(),
    cut: on.cut,
    'bar b': () =>
      (on.health.enter({ backend: on.config.backends['b'] as Backend, model: 'glm-4.6' }) as Pass).failed(
        new OpenAIError('upstream_auth', ''),
      ),
  };
  if (row.act !== undefined) at(row.act[0], acts[row.act[1]]);
  for (const [ms, act] of events.sort(([one], [other]) => one - other)) {
    await on.until(ms);
    act();
  }
  await on.until(FAR);
  if (asked === undefined) throw new Error('nobody has asked');
  return { on, ...asked, overAtMs };
}

const shownWaits = (attempts: readonly Attempt[]): string[] =>
  shown(attempts).map((text, index) => `${text}${attempts[index]?.queuedMs === undefined ? '' : ` +${attempts[index].queuedMs}`}`);
const numberOf = (id: string): string => id.match(/-r(\d+)$/)?.[1] ?? '0';

/** What comes of it is what the row says, and nothing is left of it. */
export async function playRow(row: Row, stream: boolean): Promise<void> {
  const { on, told, out, overAtMs } = await played(row, stream);
  const [record] = on.records;
  const by = told.error?.kind ?? (out.text + (told.json ?? '')).match(/from (\w)/)?.[1];
  expect({
    by,
    atMs: overAtMs,
    attempts: shownWaits(record?.attempts ?? []),
    calls: on.calls.map(({ backend, atMs }) => `${backend} ${atMs}`),
    reason: record?.reason,
  }).toEqual({
    by: row.by,
    atMs: row.atMs,
    attempts: row.attempts,
    calls: row.calls,
    reason: row.reason ?? (row.by.length === 1 ? 'done' : 'vendor_error'),
  });
  if (row.by === 'backend_limit_requests')
    expect(told.error).toMatchObject({ status: 429, details: { retryAfterMs: 1_000, limit: 'backend.concurrency' } });
  // What was sent has a number of its own, and the record has the same.
  const sent = record?.attempts.flatMap(({ number, error, unsent }, place) =>
    unsent === true || error?.startsWith('backend_limit_') ? [] : [number ?? place],
  );
  expect(sent).toEqual(on.calls.map(({ id }) => Number(numberOf(id))));
  expect(new Set(sent).size).toBe(on.calls.length);
  // The team pays once.
  expect(on.settlements.filter(({ owner }) => owner === 'team/t')).toHaveLength(1);
  expect(on.records).toHaveLength(1);
  expect(await on.held()).toEqual(NOTHING_HELD);
  expect(on.faults).toEqual([]);
}
