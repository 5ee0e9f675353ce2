import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig, user } from './rig.ts';

/** Prices that an admin sets. */
let rig: Rig;

beforeAll(async () => {
  const flat = { currency: 'CNY', input: 1000, output: 3000, date: '2026-10-01' };
  const tiers = [
    { inputUpTo: 10, input: 1, output: 1 },
    { input: 5000, output: 5000 },
  ];
  rig = await startRig({
    configExtra: {
      backends: {
        own: { simulated: 'qwen', prices: { 'qwen-plus': flat, 'qwen-flash': { currency: 'USD', tiers } } },
      },
      models: { dear: ['own/qwen-plus'], plain: ['qwen/qwen-plus'], tiered: ['own/qwen-flash'] },
    },
    keyOptions: { capped: { limits: { budget: { amount: 1, currency: 'CNY', per: 'day' } } } },
  });
});
afterAll(() => rig.close());

const ask = (model: string, content = 'x', key = 'main') => rig.raw({ model, max_tokens: 4, messages: [user(content)] }, { key });

test('the price of the configuration is what is booked, with its source and date; other backends keep the catalogue’s', async () => {
  const { usage, cost } = (await ask('dear')).record();
  expect(cost).toEqual({
    amountNano: ((usage?.promptTokens ?? 0) * 1000 + (usage?.completionTokens ?? 0) * 3000) * 1000,
    currency: 'CNY',
    priceSource: 'configuration',
    priceDate: '2026-10-01',
    priceConfidence: 'configured',
  });
  expect((await ask('plain')).record().cost).not.toMatchObject({ priceSource: 'configuration' });
});

test('tiers hold for all tokens of a request; without a date it is that of the day the file was read', async () => {
  const small = (await ask('tiered')).record();
  const large = (await ask('tiered', 'word '.repeat(50))).record();
  const tokens = ({ usage }: typeof small) => (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0);
  expect(small.usage?.promptTokens).toBeLessThanOrEqual(10);
  expect(small.cost).toMatchObject({ amountNano: tokens(small) * 1000, currency: 'USD', priceDate: new Date().toISOString().slice(0, 10) });
  expect(large.cost?.amountNano).toBe(tokens(large) * 5_000_000);
});

test('budgets reserve and settle by it', async () => {
  // 1 CNY: one prompt of more than 1,000 tokens costs more.
  const refused = await ask('dear', 'word '.repeat(1200), 'capped');
  expect(refused.json()['error']).toMatchObject({ code: 'insufficient_quota' });
  expect((await ask('plain', 'word '.repeat(1200), 'capped')).status).toBe(200);
  expect((await ask('dear', 'x', 'capped')).record().estimate).toMatchObject({ currency: 'CNY' });
});
