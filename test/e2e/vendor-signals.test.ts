import { afterAll, beforeAll, expect, test } from 'vitest';
import { chat, HELLO, KEY, openSimulated, type SimulatedDesk } from '../http/desk.ts';

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

test.each([
  ['an answered list', 'whales', null],
  ['a refused list', '[[sim:rate-limit]]', expect.any(String)],
])('%s of embeddings has it, of the call that stands for all', async (_, text, error) => {
  const body = JSON.stringify({ model: 'text-embedding-v4', input: [...new Array<string>(11).fill('a'), text] });
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  await (await fetch(`${desk.url}/v1/embeddings`, { method: 'POST', headers, body })).text();
  expect(last()).toMatchObject({ error, vendorRequestId: expect.stringMatching(/^[\w-]{8,}$/) });
});

test('limits that Qianfan tells are kept with the attempt', async () => {
  await (await chat(desk, { ...HELLO, model: 'gpt-4o-mini' })).text();
  expect(last()?.rateLimits).toMatchObject({ 'limit-requests': expect.any(Number), 'remaining-requests': expect.any(Number) });
});
