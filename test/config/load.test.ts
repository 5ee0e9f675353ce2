// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfigFile } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { keyDigest } from '../../config/secret.ts';
import { accepted, ENV, GOOD, problemsOf, vendors } from './setup.ts';

const backend = (text: string) => GOOD.replace('{ vendor: qwen, apiKey: ${QWEN_KEY} }', text);

describe('a good file', () => {
  test('has every default filled in', () => {
    const { config, warnings } = accepted(GOOD);
    expect(warnings).toEqual([]);
    expect(config.server).toEqual({
      host: '127.0.0.1',
      port: 8080,
      workers: 1,
      trustedProxies: [],
      maxBodyBytes: 16_777_216,
      maxHeaderBytes: 16_384,
      maxMessages: 4096,
      maxTools: 128,
      maxJsonDepth: 64,
      requestTimeoutMs: 60_000,
      headersTimeoutMs: 15_000,
      keepAliveTimeoutMs: 72_000,
      maxConnections: 20_000,
      totalDeadlineMs: 600_000,
      maxInFlight: 10_000,
      maxLagMs: 1_000,
      watchFiles: true,
      heartbeatMs: 15_000,
      drainTimeoutMs: 30_000,
      receiptTtlMs: 900_000,
      receiptsKept: 10_000,
      tracing: { callerContext: 'join', maxPerSecond: 100 },
      logLevel: 'info',
    });
    expect(config.backends['qwen']).toMatchObject({
      name: 'qwen',
      vendor: 'qwen',
      protocol: 'compatible',
      region: 'cn-beijing',
      baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
      auth: 'bearer',
      connections: 10_000,
      timeouts: { connectMs: 8_000, firstByteMs: 120_000, wholeMs: 310_000, idleMs: 240_000, totalMs: 1_800_000 },
    });
    expect(config.backends['qwen']?.apiKey?.reveal()).toBe(ENV.QWEN_KEY);
    expect(config.teams['t']).toEqual({ name: 't', onStoreLoss: 'refuse', permit: { vendors: ['qwen'], regions: ['*'], models: ['*'] } });
    expect(config.keys).toEqual([
      { name: 'app', team: 't', strict: false, onDisconnect: 'cancel', reasoning: 'show', digest: keyDigest(ENV.APP_KEY) },
    ]);
  });

  test('candidates are split at the first slash and keep their order', () => {
    const { config } = accepted(`${GOOD}models:\n  m: ["qwen/a/b:c", { to: qwen/d, weight: 3, thinking: on, force: true }]\n`);
    expect(config.models['m']?.to).toEqual([
      { backend: 'qwen', model: 'a/b:c', tier: 0, weight: null, thinking: 'auto', force: false },
      { backend: 'qwen', model: 'd', tier: 1, weight: 3, thinking: 'on', force: true },
    ]);
  });

  test('the digest of a key is taken as it is, in lower case', () => {
    const digest = keyDigest(ENV.APP_KEY);
    const { config } = accepted(GOOD.replace('"${APP_KEY}"', `"sha256:${digest.toUpperCase()}"`));
    expect(config.keys[0]?.digest).toBe(digest);
  });

  test('the digest is SHA-256 of the UTF-8 text', () => {
    expect(keyDigest('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  test('a moment of expiry is the same in any zone', () => {
    const at = (text: string) => accepted(GOOD.replace('"${APP_KEY}"', `"\${APP_KEY}", expires: ${text}`)).config.keys[0]?.expiresAtMs;
    expect(at('2027-01-31T08:00:00+08:00')).toBe(Date.UTC(2027, 0, 31));
    expect(at('2027-01-31T00:00:00Z')).toBe(Date.UTC(2027, 0, 31));
  });

  test('names of Object.prototype are ordinary names, and found only if written', () => {
    const { config } = accepted(`${GOOD.replaceAll('qwen:', 'constructor:')}models: { toString: [constructor/x] }\n`);
    expect(config.backends['constructor']?.vendor).toBe('qwen');
    expect(config.models['toString']?.to).toHaveLength(1);
    expect(config.models['constructor']).toBeUndefined();
    expect(config.teams['valueOf']).toBeUndefined();
  });

  test('numbers and words may be names, as written', () => {
    const { config } = accepted(`${GOOD}models: { 4: [qwen/x], 4.10: [qwen/x], true: [qwen/x], 0x10: [qwen/x] }\n`);
    expect(Object.keys(config.models)).toEqual(['4', '4.10', 'true', '0x10']);
  });

  test('aliases of YAML work', () => {
    const { config } = accepted(`${GOOD}models: { a: &same [qwen/x], b: *same }\n`);
    expect(config.models['b']).toEqual(config.models['a']);
  });

  test('baseUrl overrides the address, loses slashes at its end, and allows any region label', () => {
    const { config } = accepted(
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, region: lab, baseUrl: "http://127.0.0.1:9101/compatible-mode/v1/" }'),
    );
    expect(config.backends['qwen']).toMatchObject({ region: 'lab', baseUrl: 'http://127.0.0.1:9101/compatible-mode/v1' });
  });

  test('an address that is public in one region is accepted for that region', () => {
    const text = backend('{ vendor: glm, apiKey: env:GLM_KEY, region: intl, auth: jwt, baseUrl: "https://api.z.ai/api/paas/v4" }');
    expect(accepted(text.replace('vendors: [qwen]', 'vendors: [glm]')).config.backends['qwen']).toMatchObject({
      region: 'intl',
      auth: 'jwt',
    });
  });

  test('redis and database are secrets, written out or referenced', () => {
    const { config } = accepted(`${GOOD}redis: "redis://:pw@host"\ndatabase: "postgres://u:pw@host/db"\n`);
    expect(config.redis?.reveal()).toBe('redis://:pw@host');
    expect(config.database?.reveal()).toBe('postgres://u:pw@host/db');
    expect(JSON.stringify(config)).not.toContain('pw');
  });

  test('it is frozen all the way down', () => {
    const { config } = accepted(`${GOOD}models: { m: [qwen/x] }\n`);
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value), path).toBe(true);
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
    };
    walk(config, 'config');
    expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError);
  });
});

test('references need no quotes inside braces', () => {
  const { config, warnings } = accepted(`server: { host: 127.0.0.1, port: 8080 }
backends:
  qwen:  { vendor: qwen,  region: cn-beijing, apiKey: \${QWEN_KEY} }          # protocol: compatible (default)
  glm:   { vendor: glm,   region: cn, apiKey: \${GLM_KEY} }
models:
  gpt-4o:      [qwen/qwen-plus, glm/glm-4.6]
  gpt-4o-mini: [{ to: glm/glm-4.5-air, weight: 3 }, { to: qwen/qwen-flash, weight: 1 }]
teams:
  default:
    permit: { vendors: [qwen, ernie, glm], regions: [cn-*, intl], callers: [10.0.0.0/8] }
keys:
  - { name: ci, team: default, key: \${APP_KEY}, strict: false, onDisconnect: cancel, permit: { models: [gpt-*] } }
`);
  expect(warnings).toEqual([]);
  expect(config.backends['glm']?.apiKey?.reveal()).toBe(ENV.GLM_KEY);
  expect(config.keys[0]?.digest).toBe(keyDigest(ENV.APP_KEY));
});

describe('secret files', () => {
  const file = (content: string | Uint8Array) => (path: string) => {
    expect(path).toBe('/run/k');
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  const text = backend('{ vendor: qwen, apiKey: file:/run/k }');

  test.each([['key-1'], ['key-1\n'], ['key-1\r\n']])('%j: one line break at the end is dropped', (content) => {
    expect(accepted(text, file(content)).config.backends['qwen']?.apiKey?.reveal()).toBe('key-1');
  });

  test.each([
    ['', 'secret file /run/k is empty'],
    [' \n', 'secret file /run/k is empty'],
    ['a\nb', 'secret file /run/k holds a space, a line break or a character outside ASCII'],
    ['a\n\n', 'secret file /run/k holds a space, a line break or a character outside ASCII'],
    ['ключ', 'secret file /run/k holds a space, a line break or a character outside ASCII'],
    [Uint8Array.of(0xff, 0xfe), 'secret file /run/k is not UTF-8 text'],
  ])('%j is refused', (content, message) => {
    expect(problemsOf(text, file(content))).toEqual([`estafet.yaml:2:33  backends.qwen.apiKey: ${message}`]);
  });

  test('a relative path starts in the folder of the configuration', () => {
    const seen: string[] = [];
    const options = {
      env: ENV,
      vendors,
      readFile: (path: string) => {
        seen.push(path);
        return new TextEncoder().encode(seen.length === 1 ? backend('{ vendor: qwen, apiKey: "file:keys/k" }') : 'k');
      },
    };
    expect(loadConfigFile('/etc/estafet/estafet.yaml', options).ok).toBe(true);
    expect(seen).toEqual(['/etc/estafet/estafet.yaml', '/etc/estafet/keys/k']);
  });
});

describe('files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'estafet-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const load = (name: string) => {
    const result = loadConfigFile(join(folder, name), { env: ENV, vendors });
    return result.ok ? 'good' : result.problems.map(formatProblem).join('\n').replaceAll(`${folder}/`, '');
  };

  test('good', () => {
    writeFileSync(join(folder, 'good.yaml'), GOOD);
    expect(load('good.yaml')).toBe('good');
  });
  test('missing', () => expect(load('none.yaml')).toBe('none.yaml  cannot be read: no such file'));
  test('a directory', () => expect(load('')).toContain('  cannot be read: it is a directory'));
  test('below a file', () => {
    writeFileSync(join(folder, 'plain'), '');
    expect(load('plain/x.yaml')).toBe('plain/x.yaml  cannot be read: a part of the path is not a directory');
  });
  test.each([
    ['UTF-16', Buffer.from(`\uFEFF${GOOD}`, 'utf16le')],
    ['Latin-1', Buffer.from('# caf\xe9\n', 'latin1')],
    ['half a character', Buffer.from('# 你').subarray(0, -1)],
  ])('not UTF-8: %s', (_name, bytes) => {
    writeFileSync(join(folder, 'bad.yaml'), bytes);
    expect(load('bad.yaml')).toBe('bad.yaml  is not UTF-8 text');
  });
});
