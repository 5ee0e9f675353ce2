import { afterEach, expect, test } from 'vitest';
import { configOf, type Desk, digestOf, KEY, openRelay } from '../http/desk.ts';

let desk: Desk | null = null;
afterEach(async () => {
  await desk?.close();
  desk = null;
});

const config = (to: string) =>
  configOf(
    `server: { port: 0 }
backends:
  aimless: { vendor: qwen, apiKey: 'env:K', probe: {} }
  named:   { vendor: qwen, apiKey: 'env:K', probe: { model: qwen-plus } }
  unasked: { vendor: qwen, apiKey: 'env:K' }
  closed:  { vendor: qwen, apiKey: 'env:K', probe: {}, breaker: off }
  asked:   { vendor: glm, apiKey: 'env:K', probe: {} }
models: { m: ${to} }
teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`,
    { K: 'id.secret' },
  );

const told = ({ log }: Desk) =>
  log.flatMap(({ level, backend, msg }) => (String(msg).startsWith('probe: ') ? [`${level} ${backend}`] : []));

test('the log tells of probes that have no model to ask, at the start and after a reload', async () => {
  desk = await openRelay(config('[asked/glm-4.6]'));
  expect(told(desk)).toEqual(['warn aimless']);
  expect((await desk.relay.apply(config('[aimless/qwen-plus]'))).length).toBeGreaterThan(0);
  expect(told(desk)).toEqual(['warn aimless', 'warn asked']);
});
