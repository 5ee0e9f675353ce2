import { afterAll, beforeAll, expect, test } from 'vitest';
import { chat, HELLO, openSimulated, type SimulatedDesk } from '../http/desk.ts';

let desk: SimulatedDesk;
beforeAll(async () => {
  desk = await openSimulated();
});
afterAll(() => desk.close());

const last = () => desk.records.at(-1)?.attempts.at(-1);

test.each([
  ['gpt-4o', false],
  ['gpt-4o', true],
  ['gpt-4o-mini', false],
])('the record of %s (stream: %s) has the name that the vendor gave the call', async (model, stream) => {
  await (await chat(desk, { ...HELLO, model, stream })).text();
  expect(last()?.vendorRequestId).toMatch(/^[\w-]{8,}$/);
});

test('a refused call has it too', async () => {
  await (await chat(desk, { ...HELLO, messages: [{ role: 'user', content: '[[sim:rate-limit]]' }] })).text();
  expect(last()).toMatchObject({ error: expect.any(String), vendorRequestId: expect.stringMatching(/^[\w-]{8,}$/) });
});

test('limits that Qianfan tells are kept with the attempt', async () => {
  await (await chat(desk, { ...HELLO, model: 'gpt-4o-mini' })).text();
  expect(last()?.rateLimits).toMatchObject({ 'limit-requests': expect.any(Number), 'remaining-requests': expect.any(Number) });
});
