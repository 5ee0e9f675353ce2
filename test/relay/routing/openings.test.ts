import { expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { Secret } from '../../../config/secret.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { BackendHealth } from '../../../relay/routing/backend-health.ts';
import { Pass } from '../../../relay/routing/pass.ts';

const OPEN_MS = 5_000;

function desk(isProbed: boolean) {
  let now = 0;
  const health = new BackendHealth({ now: () => now, random: () => 0, onChange: () => undefined, isProbed: () => isProbed });
  const breaker = { failures: 1, windowMs: 10_000, openMs: OPEN_MS };
  const backend = { name: 'b', region: 'here', baseUrl: 'http://here', breaker, apiKeys: [new Secret('k')] } as unknown as Backend;
  const fail = (pass: Pass): void => pass.failed(new OpenAIError('upstream_timeout', 'w', { fallback: true }));
  const call = (): Pass => {
    const pass = health.enter({ backend, model: 'm' });
    if (!(pass instanceof Pass)) throw new Error('it may not be asked');
    return pass;
  };
  fail(call());
  return {
    call,
    fail,
    wait: (ms: number) => {
      now += ms;
    },
    open: () => [...health.openings([backend])].map(({ open }) => open),
    probe: async (): Promise<Pass> => {
      const [place] = health.due(backend);
      const pass = place === undefined ? null : await health.probe(backend, place, 'm');
      if (pass === null) throw new Error('no probe is due');
      return pass;
    },
  };
}

test('counted is what keeps requests away now: not a breaker whose time is over, but one that is being probed', () => {
  const { call, fail, wait, open } = desk(false);
  expect(open()).toEqual([1]);
  wait(OPEN_MS - 1);
  expect(open()).toEqual([1]);
  wait(1);
  expect(open()).toEqual([0]);
  wait(86_400_000);
  expect(open()).toEqual([0]);
  const probe = call();
  expect(open()).toEqual([1]);
  fail(probe);
  expect(open()).toEqual([1]);
  wait(OPEN_MS);
  call().answered();
  expect(open()).toEqual([]);
});

test('where the relay probes by itself, callers are kept away until its probe has come back, or is long overdue', async () => {
  const { fail, wait, open, probe } = desk(true);
  wait(OPEN_MS);
  expect(open()).toEqual([1]);
  fail(await probe());
  wait(OPEN_MS + 29_999);
  expect(open()).toEqual([1]);
  wait(1);
  expect(open()).toEqual([0]);
});
