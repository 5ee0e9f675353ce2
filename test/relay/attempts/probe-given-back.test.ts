import { describe, expect, test } from 'vitest';
import { type ErrorName, OpenAIError } from '../../../openai/errors.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import type { Place } from '../../../relay/routing/route-table.ts';
import type { Part } from './played-backends.ts';
import { NOTHING_HELD, type StageOptions, stage } from './stage.ts';

const SILENT: Part = [];
const at = (ms: number): Part => [[ms, 'done']];
const OPEN_MS = 1_500;
/** By then the request that says nothing about `a` has ended, whichever it is; sooner than a breaker that opened with it is half-open. */
const ENDED_MS = 1_300;

interface Ending extends Pick<StageOptions, 'entry' | 'reserveMs'> {
  /** When the caller leaves; absent: it waits. */
  readonly leavesMs?: number;
  /** `a` is called. */
  readonly sent: boolean;
}

/** What a request may come to that says nothing about `a`. */
const ENDINGS: readonly (readonly [string, Ending])[] = [
  ['its caller has left', { leavesMs: 500, sent: true }],
  ['its caller has left while limits held it', { leavesMs: 500, reserveMs: { a: [1_000] }, sent: false }],
  ['its deadline cut the patience short', { entry: 'strategy: order, totalDeadlineMs: 1000', sent: true }],
  [
    'its deadline was over while limits held it',
    { entry: 'strategy: order, totalDeadlineMs: 1000', reserveMs: { a: [1_200] }, sent: false },
  ],
  ['the one beside it was first', { entry: 'hedge: 500', sent: true }],
];

const failure = (kind: ErrorName): OpenAIError => new OpenAIError(kind, 'x', { retryAfterMs: OPEN_MS, fallback: true });

/** Where calls of `a` have failed before, a request that is ended as said, begun after so long. */
async function ended({ leavesMs, sent, entry = 'strategy: order', reserveMs = {} }: Ending, stream: boolean, after: Before) {
  const backends = { a: `, concurrency: 3, retries: 0, breaker: { failures: ${after.failures}, openMs: ${OPEN_MS} }` };
  const on = stage({ parts: { a: SILENT, b: at(100) }, entry, reserveMs, backends });
  const place: Place = { backend: on.config.backends['a'] as Place['backend'], model: 'qwen-plus' };
  const enter = (): Pass => {
    const pass = on.health.enter(place);
    expect(pass).toBeInstanceOf(Pass);
    return pass as Pass;
  };
  enter().failed(failure(after.kind));
  await on.until(after.ms);
  const asked = on.ask(stream);
  if (leavesMs !== undefined) on.clock.in(leavesMs, asked.leave);
  await on.until(after.ms + ENDED_MS);
  expect(asked.told.over).toBe(true);
  expect(on.calls.filter(({ backend }) => backend === 'a')).toHaveLength(sent ? 1 : 0);
  on.calls.splice(0);
  return { ...on, place, enter };
}

interface Before {
  readonly kind: ErrorName;
  /** How many open the breaker. */
  readonly failures: number;
  readonly ms: number;
}

describe.each([false, true])('streamed: %s', (stream) => {
  describe.each<ErrorName>(['upstream_timeout', 'upstream_overloaded', 'upstream_rate_limit_requests'])('half-open after %s', (kind) => {
    test.each(ENDINGS)(
      '%s: the next request is the probe, nobody else goes there, and its answer closes the breaker',
      async (_, ending) => {
        const { ask, until, calls, parts, held, clock } = await ended(ending, stream, { kind, failures: 1, ms: OPEN_MS });
        parts.a = at(300);
        const [from, asked] = [clock.ms, () => calls.map(({ backend }) => backend)];
        ask(stream);
        await until(from + 50);
        ask(stream);
        await until(from + 400);
        expect(asked()).toEqual(['a', 'b']);
        ask(stream);
        await until(from + 1_000);
        expect(asked()).toEqual(['a', 'b', 'a']);
        expect(await held()).toEqual(NOTHING_HELD);
      },
    );
  });

  test.each(ENDINGS)('closed, one failure before it opens. %s: it is no failure, nor an answer that ends the row', async (_, ending) => {
    const { enter, health, place } = await ended(ending, stream, { kind: 'upstream_timeout', failures: 2, ms: 0 });
    enter().failed(failure('upstream_timeout'));
    expect(health.enter(place)).toMatchObject({ kind: 'upstream_timeout' });
  });
});
