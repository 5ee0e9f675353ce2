import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attemptId } from '../../../relay/exchange.ts';
import { STEP_MS } from './hand-clock.ts';
import type { Line, Name, Part } from './played-backends.ts';
import { NOTHING_HELD, stage } from './stage.ts';

/** Everything has ended by then: no answer is waited for longer. */
const DEADLINE_MS = 3_000;
const LAST: readonly Line[] = ['done', 'reset', 'overload', 'moderated', 'wrong'];

const moment = (most: number) => fc.integer({ min: 1, max: most / STEP_MS }).map((steps) => steps * STEP_MS);

/** A chunk without text, text, and an end, in this order, as far as they come at all. */
const part: fc.Arbitrary<Part> = fc
  .tuple(fc.option(moment(800)), fc.option(moment(1_000)), fc.option(fc.tuple(moment(2_000), fc.constantFrom(...LAST))))
  .map(([role, text, end]) => {
    const lines: [number, Line][] = [];
    if (role !== null) lines.push([role, 'role']);
    if (text !== null) lines.push([text, 'text']);
    if (end !== null) lines.push([Math.max(...lines.map(([ms]) => ms), end[0]), end[1]]);
    return lines;
  });

const request = fc.record({ atMs: moment(1_500), stream: fc.boolean(), leaveMs: fc.option(moment(2_500)) });

const play = fc.record({
  parts: fc.record({ a: part, b: part, c: part }),
  afterMs: moment(800).filter((ms) => ms >= 100),
  mostPercent: fc.constantFrom(1, 50, 100),
  retries: fc.constantFrom(0, 1),
  concurrency: fc.constantFrom(1, 3),
  breaker: fc.constantFrom('off', '{ failures: 2, windowMs: 5000, openMs: 400 }'),
  queue: fc.boolean(),
  onDisconnect: fc.constantFrom('cancel' as const, 'drain' as const),
  requests: fc.array(request, { minLength: 1, maxLength: 4 }),
  cutAtMs: fc.option(moment(2_000)),
});

test('whatever happens when: one answer for each caller, one settlement each, and nothing stays taken', async () => {
  await fc.assert(
    fc.asyncProperty(
      play,
      async ({ parts, afterMs, mostPercent, retries, concurrency, breaker, queue, onDisconnect, requests, cutAtMs }) => {
        const own = `, retries: ${retries}, concurrency: ${concurrency}, breaker: ${breaker}${queue ? ', queue: { max: 2, waitMs: 600 }' : ''}`;
        const on = stage({
          parts,
          entry: `totalDeadlineMs: ${DEADLINE_MS}, hedge: { after: ${afterMs}, mostPercent: ${mostPercent} }`,
          backends: { a: own, b: own, c: own },
          onDisconnect,
        });
        const asked: ReturnType<typeof on.ask>[] = [];
        const events: [number, () => void][] = requests.flatMap(({ atMs, stream, leaveMs }, index) => [
          [atMs, () => void (asked[index] = on.ask(stream))] as [number, () => void],
          ...(leaveMs === null ? [] : [[atMs + leaveMs, () => asked[index]?.leave()] as [number, () => void]]),
        ]);
        if (cutAtMs !== null) events.push([cutAtMs, on.cut]);
        for (const [ms, act] of events.sort(([one], [other]) => one - other)) {
          await on.until(ms);
          act();
        }
        await on.until(1_500 + DEADLINE_MS + 2_000);

        expect(await on.held()).toEqual(NOTHING_HELD);
        expect(on.faults).toEqual([]);
        expect(asked.every(({ told }) => told.over)).toBe(true);
        expect(on.records.map(({ id }) => id).sort()).toEqual(requests.map((_, index) => `req_${index + 1}`));
        // Each reservation is settled, or given back, once: a team's by its request, a backend's by its call.
        const settled = on.settlements.map(({ owner, id }) => `${owner} ${id}`);
        expect(new Set(settled).size).toBe(settled.length);
        expect(settled.filter((name) => name.startsWith('team/'))).toHaveLength(requests.length);
        expect(settled).toEqual(expect.arrayContaining(on.calls.map(({ backend, id }) => `backend/${backend} ${id}`)));

        for (const { id, out, told, chosen } of asked) {
          const record = on.records.find((one) => one.id === id) as (typeof on.records)[number];
          const calls = on.calls.filter((call) => call.id === id || call.id.startsWith(`${id}-`));
          // One answer, whole or not at all, of the backend that its headers name and that the record has last.
          expect(out.started).toBeLessThanOrEqual(1);
          expect(out.ended).toBeLessThanOrEqual(1);
          const seen = (['a', 'b', 'c'] satisfies Name[]).filter((name) => (out.text + (told.json ?? '')).includes(`from ${name}`));
          expect(seen.length).toBeLessThanOrEqual(1);
          const last = record.attempts.at(-1);
          if (out.started > 0) expect(out.chosenAtStart).toBe(last?.backend);
          if (seen.length > 0) expect(seen).toEqual([last?.backend]);
          if (told.json !== null) expect(chosen.at(-1)).toBe(last?.backend);
          expect(record.attempts.slice(0, -1).filter(({ error }) => error === null)).toEqual([]);
          // What was sent is in the record, and nothing else but refusals.
          const sent = record.attempts.flatMap(({ backend, number, unsent, error }, place) =>
            unsent === true || error?.startsWith('backend_limit_') ? [] : [`${backend} ${attemptId(id, number ?? place)}`],
          );
          expect(sent.sort()).toEqual(calls.map((call) => `${call.backend} ${call.id}`).sort());
          // Never more than two at a time, and one beside another at most once.
          const together = calls.map(
            ({ atMs }) => calls.filter((call) => call.atMs <= atMs && (call.endedAtMs ?? Number.POSITIVE_INFINITY) > atMs).length,
          );
          expect(Math.max(0, ...together)).toBeLessThanOrEqual(2);
          expect(record.attempts.filter(({ hedge }) => hedge === true).length).toBeLessThanOrEqual(1);
          // Who was cancelled is booked for its prompt at least.
          for (const { error, discarded } of record.attempts) if (error === 'hedged') expect(discarded?.promptTokens).toBeGreaterThan(0);
        }
        const beside = on.records.filter(({ attempts }) => attempts.some(({ hedge }) => hedge === true)).length;
        expect(beside).toBeLessThanOrEqual(1 + (requests.length * mostPercent) / 100);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);
