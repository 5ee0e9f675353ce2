import { expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import { Pass } from '../../../relay/routing/pass.ts';
import type { Place } from '../../../relay/routing/route-table.ts';
import { NOTHING_HELD, stage } from './stage.ts';

const OPEN_MS = 1_500;

/** What the backends of two requests are that come together after a probe whose caller left before it was answered. */
const ROWS: readonly (readonly [onDisconnect: 'drain' | 'cancel', streamed: boolean, asked: readonly string[]])[] = [
  ['drain', false, ['a', 'a']],
  ['drain', true, ['a', 'a']],
  // Nobody has seen an answer: one of them is the next probe.
  ['cancel', false, ['a', 'b']],
  ['cancel', true, ['a', 'b']],
];

test.each(ROWS)(
  'a probe whose caller has left closes the breaker if it is read to its end: %s, streamed: %s',
  async (onDisconnect, stream, asked) => {
    const backends = { a: `, concurrency: 3, retries: 0, breaker: { failures: 1, openMs: ${OPEN_MS} }` };
    const parts = { a: [[300, 'done']], b: [[300, 'done']] } as const;
    const on = stage({ parts, entry: 'strategy: order', backends, onDisconnect });
    const place: Place = { backend: on.config.backends['a'] as Place['backend'], model: 'qwen-plus' };
    const pass = on.health.enter(place);
    expect(pass).toBeInstanceOf(Pass);
    (pass as Pass).failed(new OpenAIError('upstream_timeout', 'x', { fallback: true }));
    await on.until(OPEN_MS);
    const probe = on.ask(stream);
    on.clock.in(100, probe.leave);
    await on.until(OPEN_MS + 400);
    expect(on.calls.splice(0).map(({ backend, abortedAtMs }) => [backend, abortedAtMs])).toEqual([
      ['a', onDisconnect === 'drain' ? null : OPEN_MS + 100],
    ]);
    on.ask(stream);
    on.ask(stream);
    await on.until(OPEN_MS + 1_000);
    expect(on.calls.map(({ backend }) => backend)).toEqual(asked);
    expect(await on.held()).toEqual(NOTHING_HELD);
  },
);
