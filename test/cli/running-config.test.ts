import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { againstRunning, isAddress } from '../../cli/running-config.ts';
import type { Config } from '../../config/config.ts';
import { portable } from '../../config/portable.ts';
import { VERSION } from '../../server/version.ts';
import { freePort } from '../free-port.ts';
import { configOf, digestOf, KEY, openRelay } from '../http/desk.ts';
import { cleanUp, estafet, folder } from '../server/process.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await cleanUp();
});

const TOKEN = 'admin-token-0123456789abcdef0123456789';
const ENV = { Q: 'sk-vendor-one', A: TOKEN };
const file = (
  more: { rpm?: number; models?: string; key?: string; port?: number } = {},
): string => `server: { port: ${more.port ?? 0}, admin: { token: 'env:A' } }
database: 'memory:'
backends: { q: { vendor: qwen, apiKey: 'env:Q' } }
models: { ${more.models ?? 'gpt-4o: [q/qwen-plus], gpt-4.1: [q/qwen-plus]'} }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] }, limits: { rpm: ${more.rpm ?? 600} } } }
keys: [{ name: app, team: t, key: '${digestOf(more.key ?? KEY)}' }]
`;

async function serving(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('estafet check --against a running relay', () => {
  const checked = async (text: string, url: string, env: Record<string, string> = {}) => {
    const run = estafet(['check', 'f.yaml', '--against', url], { ...ENV, ESTAFET_ADMIN_TOKEN: TOKEN, ...env }, folder({ 'f.yaml': text }));
    return { code: await run.exit, out: run.stdout, err: run.stderr };
  };

  test('shows who loses what against what is in force, secrets included and unseen; against the same it shows nothing', async () => {
    // Written by itself, the running one has another port than its file says: that is no change.
    const relay = estafet(['serve', '--config', 'f.yaml', '--port', '0'], ENV, folder({ 'f.yaml': file({ port: 8080 }) }));
    const [, url = ''] = await relay.seen(/listens on (http:\S+)/);
    const same = await checked(file({ port: 8080 }), url);
    expect([same.code, same.out.trim().split('\n').at(-1)], same.err).toEqual([0, `no changes compared with ${url}`]);
    const other = await checked(file({ port: 8080, rpm: 300, models: 'gpt-4o: [q/qwen-plus]', key: 'sk-another-key' }), `${url}/v1`, {
      Q: 'sk-vendor-two',
    });
    expect(other.code, other.err).toBe(0);
    expect(other.out.slice(other.out.indexOf('changes compared with')).trim().split('\n')).toEqual([
      `changes compared with ${url}/v1 (- less, + more, ~ other, ! needs a restart):`,
      '  - team t loses gpt-4.1 (keys app)',
      '  - key app: another secret; the old one is refused',
      '  - team t: rpm 600 → 300',
      '  ~ backend q: apiKey changed',
      '  ~ model gpt-4.1: q/qwen-plus → nothing',
    ]);
    for (const secret of [TOKEN, 'sk-vendor', KEY]) expect(other.out + other.err).not.toContain(secret);
  }, 60_000);

  test('that cannot be compared: one line, exit code 1, and nothing else', async () => {
    const { code, out, err } = await checked(file(), 'http://127.0.0.1:9');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^estafet: http:\/\/127\.0\.0\.1:9 cannot be reached: .+\n$/);
  }, 30_000);
});

describe('why it cannot be compared', () => {
  const next = configOf(file(), ENV);
  const fault = async (url: string, token: string | undefined = TOKEN): Promise<string> => {
    const thrown = await againstRunning(next, url, { ESTAFET_ADMIN_TOKEN: token }).then(
      () => new Error('it was compared'),
      (error: unknown) => error as Error,
    );
    expect(thrown.message).not.toContain(TOKEN);
    return thrown.message;
  };
  const relay = async (config: Config): Promise<string> => {
    const desk = await openRelay(config);
    ends.push(() => desk.close());
    return desk.url;
  };
  const withoutAdmin = configOf(file().replace(/, admin: .*? }(?= })/, ''), ENV);

  test.each<[string, Config, string, RegExp]>([
    ['another token', next, 'x'.repeat(40), /^http:\S+ refuses the token in ESTAFET_ADMIN_TOKEN: it must be that of server\.admin there$/],
    ["a caller's key", next, KEY, /refuses the token/],
    ['a relay that shows nothing', withoutAdmin, TOKEN, /^http:\S+ does not show its configuration: set server\.admin\.token there$/],
  ])('%s', async (_what, config, token, expected) => {
    expect(await fault(await relay(config), token)).toMatch(expected);
  });

  const shown = (more: object): string =>
    JSON.stringify({ object: 'estafet.config', version: VERSION, salt: 's', config: portable(next, 's'), ...more });
  test.each<[string, RequestListener, RegExp]>([
    ['a page', (_, response) => void response.end('<html>'), /is not an Estafet relay: its answer has another form$/],
    ['other JSON', (_, response) => void response.end('{"object":"list"}'), /is not an Estafet relay: its answer has another form$/],
    [
      'half a configuration',
      (_, response) => void response.end(shown({ config: {} })),
      /is not an Estafet relay: its answer has another form$/,
    ],
    [
      'another release',
      (_, response) => void response.end(shown({ version: '99.0.0', config: {} })),
      new RegExp(`runs Estafet 99\\.0\\.0, but this is ${VERSION.replaceAll('.', '\\.')}`),
    ],
    [
      'a proxy that wants a login',
      (_, response) => void response.writeHead(401).end('<html>'),
      /is not an Estafet relay, or a proxy in front of it answered: status 401$/,
    ],
    ['a broken proxy', (_, response) => void response.writeHead(502).end('bad gateway'), /answered: status 502$/],
    ['a connection that breaks', (request) => void request.socket.destroy(), /cannot be reached: /],
  ])('%s', async (_what, handler, expected) => {
    expect(await fault(await serving(handler))).toMatch(expected);
  });

  test('another address is told, and the token is not taken there', async () => {
    const seen: unknown[] = [];
    const elsewhere = await serving((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    const url = await serving((_, response) => void response.writeHead(308, { location: `${elsewhere}/v1/estafet/config` }).end());
    expect(await fault(url)).toBe(`${url} redirects to another address (${elsewhere}/v1/estafet/config): use that one`);
    expect(seen).toEqual([]);
  });

  test.each<[string, string, string | undefined, RegExp]>([
    ['no token', 'http://127.0.0.1:9', undefined, /ESTAFET_ADMIN_TOKEN is not set/],
    ['an empty token', 'http://127.0.0.1:9', '', /ESTAFET_ADMIN_TOKEN is not set/],
    ['a password in the address', 'http://u:p@127.0.0.1:9', TOKEN, /must not contain a user name or password/],
    ['no address', 'http://', TOKEN, /is not a valid URL/],
    ['no address, and a password in it, which is not repeated', 'http://u:secret@host:port', TOKEN, /^the address is not a valid URL$/],
  ])('%s', async (_what, url, token, expected) => {
    expect(
      await againstRunning(next, url, token === undefined ? {} : { ESTAFET_ADMIN_TOKEN: token }).catch((error: Error) => error.message),
    ).toMatch(expected);
  });

  test('nobody there', async () => {
    expect(await fault(`http://127.0.0.1:${await freePort()}`)).toMatch(/cannot be reached: .*ECONNREFUSED/);
  });
});

test.each([
  ['http://host:8080', true],
  ['HTTPS://host', true],
  ['estafet.yaml', false],
  ['./http/estafet.yaml', false],
])('%s is an address: %s', (text, is) => {
  expect(isAddress(text)).toBe(is);
});
