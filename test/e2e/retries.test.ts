import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

/** The SDK's own fetch, but for the wait before it asks again: nobody wants to sit through it. */
const impatient: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (response.ok) return response;
  const headers = new Headers(response.headers);
  headers.set('retry-after-ms', '1');
  return new Response(response.body, { status: response.status, headers });
};

describe.each(VENDOR_CASES)('$vendor', ({ vendor, chat }) => {
  test.each([
    ['overload', 3],
    ['internal', 3],
    ['rate-limit', 3],
    ['dead-key', 1],
    ['arrears', 1],
    ['retired', 1],
    ['moderation', 1],
    ['context-length', 1],
  ])('%s: an SDK with its default of two retries asks %i times', async (fault, times) => {
    const client = rig.client({ maxRetries: 2, fetch: impatient });
    for (const stream of [false, true]) {
      rig.reset();
      const asked = client.chat.completions.create({ model: chat, messages: [user(`hello [[sim:${fault}]]`)], stream });
      await expect(asked).rejects.toThrow();
      expect(rig.seen()).toHaveLength(times);
      expect(rig.records).toHaveLength(times);
    }
  });

  test.each(['overload', 'rate-limit', 'reset', 'html status=503'])('%s twice, then an answer', async (fault) => {
    const [, name, key, value] = /^(\S+)(?: (\w+)=(\w+))?$/.exec(fault) as unknown as [string, string, string?, string?];
    rig.simulator.setFault({ name, vendor, times: 2, args: key === undefined ? {} : { [key]: value ?? '' } });
    const client = rig.client({ maxRetries: 2, fetch: impatient });
    const answer = await client.chat.completions.create({ model: chat, messages: [user('hello')] });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(rig.seen()).toHaveLength(3);
  });
});
