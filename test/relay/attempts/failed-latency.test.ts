import { expect, test } from 'vitest';
import { stage } from './stage.ts';

test('by `latency`: a failed call makes its place look slow, and is not under way any more', async () => {
  const on = stage({
    parts: {
      a: [[100, 'reset']],
      b: [
        [100, 'text'],
        [100, 'done'],
      ],
    },
    entry: 'strategy: latency',
    tiers: [0, 1, 1],
  });
  for (let asked = 1; asked <= 3; asked++) {
    on.ask(true);
    await on.until(asked * 1_000);
  }
  const seen = on.records.map(({ decision }) => decision.order.find(({ to }) => to.startsWith('a/'))?.expectedMs);
  expect(on.calls.map(({ backend }) => backend)).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  // Nothing known; 5 s for a failure, twice that after the next one, both fading; a call that still ran would double them.
  expect(seen).toEqual([null, expect.closeTo(4_900, -3), expect.closeTo(9_400, -3)]);
});
