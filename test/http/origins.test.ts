import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { check } from '../../cli/check.ts';
import type { Config } from '../../config/config.ts';
import { loadConfigFile } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { build } from '../../server/wiring.ts';
import { VENDORS } from '../../translators/registry.ts';
import { country, mmdb } from '../relay/mmdb-writer.ts';
import { type Desk, digestOf, openRelay } from './desk.ts';

const [CHINA, NETWORK, ANY] = ['sk-key-of-china-0123456789', 'sk-key-of-a-network-0123456789', 'sk-key-of-anywhere-0123456789'];
const folder = mkdtempSync(join(tmpdir(), 'estafet-origins-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = (server: string): string => `
server: { port: 0, ${server} }
backends: { qwen: { vendor: qwen, apiKey: 'env:VENDOR_KEY', baseUrl: 'http://127.0.0.1:9' } }
teams:
  t: { permit: { vendors: [qwen], regions: ['*'] } }
keys:
  - { name: china, team: t, key: '${digestOf(CHINA)}', permit: { countries: [CN] } }
  - { name: network, team: t, key: '${digestOf(NETWORK)}', permit: { callers: [203.0.113.0/24] } }
  - { name: any, team: t, key: '${digestOf(ANY)}' }
`;

function load(server: string): Config | string[] {
  const file = join(folder, 'estafet.yaml');
  writeFileSync(file, text(server));
  const result = loadConfigFile(file, { env: { VENDOR_KEY: 'sk-of-vendor-0123456789' }, vendors: VENDORS });
  return result.ok ? result.config : result.problems.map(formatProblem);
}

function loaded(server: string): Config {
  const config = load(server);
  if (Array.isArray(config)) throw new Error(config.join('\n'));
  return config;
}

const table = (records: Parameters<typeof mmdb>[0]): void => writeFileSync(join(folder, 'countries.mmdb'), mmdb(records));

describe('callers behind a trusted proxy', () => {
  let desk: Desk;
  beforeAll(async () => {
    table({ '203.0.113.0/24': country('CN'), '2001:db8::/32': country('CN'), '198.51.100.0/24': country('SG') });
    desk = await openRelay(loaded('trustedProxies: [127.0.0.1], countries: countries.mmdb'));
  });
  afterAll(() => desk.close());
  const status = async (key: string, headers: Record<string, string>): Promise<number> => {
    const answer = await fetch(`${desk.url}/v1/models`, { headers: { authorization: `Bearer ${key}`, ...headers } });
    await answer.arrayBuffer();
    return answer.status;
  };

  test.each<[what: string, headers: Record<string, string>, china: number, network: number]>([
    ['in the country and the network', { 'x-forwarded-for': '203.0.113.9' }, 200, 200],
    ['in the country by IPv6', { 'x-forwarded-for': '2001:db8::9' }, 200, 403],
    ['in another country', { 'x-forwarded-for': '198.51.100.9' }, 403, 403],
    ['claims another address', { 'x-forwarded-for': '203.0.113.9, 198.51.100.9' }, 403, 403],
    ['of no known country', { 'x-forwarded-for': '192.0.2.1' }, 403, 403],
    ['cannot be read', { 'x-forwarded-for': '203.0.113.9, ?' }, 403, 403],
    ['no header: the proxy itself', {}, 403, 403],
    ['other headers say nothing', { forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9', 'true-client-ip': '203.0.113.9' }, 403, 403],
  ])('%s', async (_, headers, china, network) => {
    expect([await status(CHINA, headers), await status(NETWORK, headers), await status(ANY, headers)]).toEqual([china, network, 200]);
  });

  test('a refusal leaves its evidence in the log', async () => {
    await status(CHINA, { 'x-forwarded-for': '198.51.100.77' });
    expect(JSON.stringify(desk.log)).toContain('{"key":"china","team":"t","rule":"country","address":"198.51.100.77","country":"SG"}');
  });

  test('a table that was replaced holds from the next reload on', async () => {
    const far = { 'x-forwarded-for': '192.0.2.1' };
    expect(await status(CHINA, far)).toBe(403);
    const config = { ...loaded('trustedProxies: [127.0.0.1], countries: countries.mmdb') };
    table({ '192.0.2.0/24': country('CN') });
    const changes = await desk.relay.apply(config);
    expect(changes).toContainEqual({ effect: 'other', text: 'server.countries: the file changed' });
    expect(await status(CHINA, far)).toBe(200);
    expect(await status(CHINA, { 'x-forwarded-for': '203.0.113.9' })).toBe(403);
    // One that is no table changes nothing.
    writeFileSync(join(folder, 'countries.mmdb'), 'rubbish');
    await expect(desk.relay.apply(config)).rejects.toThrow(/^server\.countries: .*countries\.mmdb is not a file of countries/);
    expect(await status(CHINA, far)).toBe(200);
  });
});

test('without trusted proxies the header is not read', async () => {
  table({ '203.0.113.0/24': country('CN'), '127.0.0.0/8': country('SG') });
  const desk = await openRelay(loaded('countries: countries.mmdb'));
  try {
    const headers = { authorization: `Bearer ${CHINA}`, 'x-forwarded-for': '203.0.113.9' };
    expect((await fetch(`${desk.url}/v1/models`, { headers })).status).toBe(403);
  } finally {
    await desk.close();
  }
});

test.each([
  ['countries: none.mmdb', /estafet\.yaml:2:\d+ +server\.countries: .*none\.mmdb cannot be read: no such file/],
  ['trustedProxies: [10.0.0.1/8]', /server\.trustedProxies\[0\]: "10\.0\.0\.1\/8" is not the start of its network/],
  ['maxTools: 5', /keys\[0\]\.permit\.countries: needs a file of countries: set server\.countries/],
])('%s: the file is refused', (server, message) => {
  expect(String(load(server))).toMatch(message);
});

test('what is no table: the process does not start, and says so in one line', () => {
  writeFileSync(join(folder, 'countries.mmdb'), 'rubbish');
  const config = loaded('countries: countries.mmdb');
  expect(() => build(config)).toThrow(/^server\.countries: [^\n]* is not a file of countries in MaxMind's format: [^\n]+$/);
});

test('`estafet check` says so too', async () => {
  writeFileSync(join(folder, 'countries.mmdb'), 'rubbish');
  loaded('countries: countries.mmdb');
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.stubEnv('VENDOR_KEY', 'sk-of-vendor-0123456789');
  try {
    await check(join(folder, 'estafet.yaml'));
    expect(said.mock.calls.flat()).toEqual([expect.stringMatching(/estafet\.yaml: server\.countries: .* is not a file of countries/)]);
    expect(process.exitCode).toBe(1);
  } finally {
    process.exitCode = 0;
    said.mockRestore();
    vi.unstubAllEnvs();
  }
});
