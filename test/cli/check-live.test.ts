import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BackendResult, type KeyResult, liveCheck } from '../../cli/live-check.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { VENDORS } from '../../translators/registry.ts';
import type { VendorFacts } from '../../translators/vendor-facts.ts';
import { configOf, digestOf } from '../http/desk.ts';
import { cleanUp, estafet, folder, type Run } from '../server/process.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  await cleanUp();
  await simulator.close();
});

type Name = 'qwen' | 'ernie' | 'glm';
const vendor = (name: Name) => simulator.vendors[name] as NonNullable<Simulator['vendors'][Name]>;
const key = (name: Name, label: string): string => vendor(name).keys?.find((one) => one.name === label)?.key ?? `no key ${label}`;
/** Without bytes that a regular expression reads as more than themselves. */
const at = (name: Name, region: string, path: string): string => `${vendor(name).url}/~${region}${path}`;

/** The registry's facts with every address on this machine. */
function table(): Record<Name, VendorFacts> {
  const zones = vendor('qwen').regions;
  const under = (path: string): Record<string, string> => Object.fromEntries(zones.map((zone) => [zone, at('qwen', zone, path)]));
  return {
    qwen: {
      ...(VENDORS['qwen'] as VendorFacts),
      baseUrls: { ...under('/compatible-mode/v1'), 'cn-beijing-coding-plan': at('qwen', 'cn-beijing', '/v1') },
      protocolUrls: { native: under('/api/v1') },
    },
    ernie: {
      ...(VENDORS['ernie'] as VendorFacts),
      baseUrls: { cn: `${vendor('ernie').url}/v2`, 'cn-token-plan': `${vendor('ernie').url}/v2/tokenplan/personal` },
    },
    glm: {
      ...(VENDORS['glm'] as VendorFacts),
      baseUrls: {
        cn: at('glm', 'cn', '/api/paas/v4'),
        intl: at('glm', 'intl', '/api/paas/v4'),
        'cn-coding-plan': at('glm', 'cn', '/api/coding/paas/v4'),
        'intl-coding-plan': at('glm', 'intl', '/api/coding/paas/v4'),
      },
    },
  };
}

const REST = `teams: { t: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`;

describe('keys in the regions of their vendors', () => {
  const secrets = (): Record<string, string> => ({
    Q_GOOD: key('qwen', 'good-beijing'),
    Q_ABROAD: key('qwen', 'good-singapore'),
    Q_WRONG: key('qwen', 'wrong'),
    Q_PLAN: key('qwen', 'plan'),
    E_GOOD: vendor('ernie').key,
    E_PLAN: key('ernie', 'plan'),
    G_GOOD: key('glm', 'glm-cn-good'),
    G_ABROAD: key('glm', 'glm-intl-good'),
    G_EMPTY: key('glm', 'glm-cn-unfunded'),
    G_ABROAD_EMPTY: key('glm', 'glm-intl-unfunded'),
    G_PLAN: key('glm', 'glm-cn-plan'),
  });
  const file = `backends:
  q: { vendor: qwen, apiKeys: ['env:Q_GOOD', 'env:Q_ABROAD', 'env:Q_WRONG', 'env:Q_PLAN'] }
  native: { vendor: qwen, protocol: native, apiKey: 'env:Q_ABROAD' }
  e: { vendor: ernie, apiKeys: ['env:E_GOOD', 'env:E_PLAN'] }
  g: { vendor: glm, apiKeys: ['env:G_GOOD', 'env:G_ABROAD', 'env:G_EMPTY', 'env:G_PLAN', 'env:G_ABROAD_EMPTY'] }
  signed: { vendor: glm, auth: jwt, apiKey: 'env:G_ABROAD' }
  unused: { vendor: glm, apiKey: 'env:G_GOOD' }
  vectors: { vendor: glm, apiKeys: ['env:G_GOOD', 'env:G_EMPTY'] }
  free: { vendor: glm, apiKey: 'env:G_EMPTY' }
  both: { vendor: glm, apiKey: 'env:G_EMPTY' }
models:
  gpt-4o: [q/qwen-plus, native/qwen-plus, e/ernie-5.1, g/glm-4.6, g/glm-4.5-air, signed/glm-4.6]
  text-embedding-3-small: [vectors/embedding-3]
  free: [free/glm-4.7-flash, both/glm-4.7-flash, both/glm-4.6]
${REST}`;

  async function run(form: 'json' | 'text'): Promise<{ run: Run; exit: number | string }> {
    const cwd = folder({
      'estafet.yaml': file,
      'vendors.json': JSON.stringify(table(), (_, value) => (value instanceof RegExp ? undefined : value)),
    });
    const script = fileURLToPath(new URL('check-live-process.ts', import.meta.url));
    const process = estafet(['estafet.yaml', 'vendors.json', form], secrets(), cwd, { script });
    const exit = await process.exit;
    for (const secret of Object.values(secrets())) {
      for (const part of [secret, ...secret.split('.').slice(1)]) expect(process.stdout + process.stderr).not.toContain(part);
    }
    return { run: process, exit };
  }

  test('are told apart', async () => {
    const { run: process, exit } = await run('json');
    expect([exit, process.stderr]).toEqual([1, '']);
    const report = JSON.parse(process.stdout) as { ok: boolean; backends: BackendResult[] };
    expect(report.ok).toBe(false);
    const lines = report.backends.flatMap(({ backend, keys }) =>
      keys.map(({ key: place, verdict, asked, elsewhere }) => [
        `${backend} ${place}`,
        verdict,
        asked,
        elsewhere?.filter((one) => one.verdict === 'works').map((one) => one.region) ?? null,
      ]),
    );
    expect(lines).toEqual([
      ['q 1', 'works', 'GET /models', null],
      ['q 2', 'wrong-region', 'GET /models', ['ap-southeast-1']],
      ['q 3', 'key-refused', 'GET /models', []],
      ['q 4', 'wrong-region', 'GET /models', ['cn-beijing-coding-plan']],
      ['native 1', 'wrong-region', 'GET /models', ['ap-southeast-1']],
      ['e 1', 'works', 'GET /models', null],
      ['e 2', 'wrong-region', 'GET /models', ['cn-token-plan']],
      ['g 1', 'works', 'one token of glm-4.5-air', null],
      ['g 2', 'wrong-region', 'one token of glm-4.5-air', ['intl', 'intl-coding-plan']],
      ['g 3', 'no-money', 'one token of glm-4.5-air', []],
      ['g 4', 'wrong-region', 'one token of glm-4.5-air', ['cn-coding-plan']],
      ['g 5', 'wrong-region', 'one token of glm-4.5-air', []],
      ['signed 1', 'wrong-region', 'one token of glm-4.6', ['intl', 'intl-coding-plan']],
      ['unused 1', 'not-asked', null, null],
      ['vectors 1', 'works', 'one vector of embedding-3', null],
      ['vectors 2', 'no-money', 'one vector of embedding-3', []],
      ['free 1', 'works', 'one token of glm-4.7-flash', null],
      ['both 1', 'no-money', 'one token of glm-4.6', []],
    ]);
    // A key that works goes to no second address; another to each of its vendor's, once.
    const calls = Object.groupBy(simulator.journal(), (entry) => entry.vendor);
    expect(Object.fromEntries(Object.entries(calls).map(([name, list]) => [name, list.length]))).toEqual({
      qwen: 1 + 3 * 5 + 4,
      ernie: 1 + 2,
      glm: 1 + 4 * 4 + 4 + (1 + 4) + 1 + 4,
    });
  });

  test('are told what to do about', async () => {
    const { run: process } = await run('text');
    const live = process.stdout.slice(process.stdout.indexOf('live:'));
    for (const line of [
      '    key 1 of 4: works  (GET /models)',
      '      this key works in region ap-southeast-1: give it a backend of its own with region: ap-southeast-1',
      '      this key works in region ap-southeast-1: set region: ap-southeast-1',
      '      that region is a subscription plan for coding tools: vendors block keys that other applications use there',
      '    key 3 of 4: key refused  (GET /models)',
      '      no other region of qwen accepts it either',
      '    key 3 of 5: account without money  (one token of glm-4.5-air)',
      '      this key is known in region intl (account without money): give it a backend of its own with region: intl',
      '      it also works in intl-coding-plan',
    ]) {
      expect(live.split('\n')).toContain(line);
    }
  });
});

describe('what one key is answered, at an address of the backend’s own', () => {
  const ask = async (settings: string, secret: string, chat = false): Promise<KeyResult> => {
    const model = settings.includes('qwen') ? 'qwen-plus' : settings.includes('ernie') ? 'ernie-5.1' : 'glm-4.6';
    const config = configOf(`backends: { b: { ${settings}, apiKey: 'env:K' } }\nmodels: { gpt-4o: [b/${model}] }\n${REST}`, { K: secret });
    const [result] = await liveCheck(config, VENDORS, { chat });
    return result?.keys[0] as KeyResult;
  };

  test.each<[string, Name, string, Parameters<Simulator['setFault']>[0] | null, boolean, Partial<KeyResult>]>([
    ['a wrong key', 'qwen', 'wrong', null, false, { verdict: 'key-refused', ownAddress: true }],
    ['a list shows no arrears', 'qwen', 'arrears', null, false, { verdict: 'works', asked: 'GET /models', mayCost: false }],
    ['chat does', 'qwen', 'arrears', null, true, { verdict: 'no-money', asked: 'one token of qwen-plus', mayCost: true }],
    ['free tier over', 'qwen', 'free-used', null, false, { verdict: 'no-money' }],
    [
      'a closed model',
      'qwen',
      'good-beijing',
      { name: 'code', args: { value: 'Model.AccessDenied' } },
      true,
      { verdict: 'model-not-opened' },
    ],
    [
      'an error within a 200',
      'qwen',
      'good-beijing',
      { name: 'code', args: { value: 'BailianGateway.Workspace.NotAuthorised' } },
      false,
      { verdict: 'key-refused' },
    ],
    [
      'no list there: chat',
      'qwen',
      'good-beijing',
      { name: 'code', args: { value: 'model_not_found' }, times: 1 },
      false,
      { verdict: 'works', mayCost: true },
    ],
    ['a limit', 'glm', 'glm-cn-good', { name: 'rate-limit', args: { kind: 'rpm' } }, false, { verdict: 'busy' }],
    ['an overdue account', 'ernie', 'overdue', null, true, { verdict: 'no-money' }],
    ['a gateway that fails', 'ernie', 'good', { name: 'gateway', args: { value: '502' } }, false, { verdict: 'busy' }],
    ['a cut answer', 'glm', 'glm-cn-good', { name: 'cut', args: { bytes: '10' } }, false, { verdict: 'not-reached' }],
  ])('%s (%s)', async (_, name, label, fault, chat, expected) => {
    if (fault !== null) simulator.setFault(fault);
    expect(await ask(`vendor: ${name}, baseUrl: '${vendor(name).baseUrl}'`, key(name, label), chat)).toMatchObject(expected);
  });

  test.each([
    ['nobody listens', 'http://127.0.0.1:9'],
    ['silence', null],
  ])('%s: not reached, in time', async (_, url) => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = url ?? `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      const result = await ask(`vendor: qwen, baseUrl: '${address}', timeouts: { firstByteMs: 200 }`, 'sk-any');
      expect(result).toMatchObject({ verdict: 'not-reached', asked: 'GET /models' });
      expect(result.ownAddress).toBeUndefined();
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  test('a key that the vendor quotes is not shown', async () => {
    const secret = 'sk-quoted-0123456789abcdef';
    const quoting = createServer((_, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { code: 'invalid_api_key', message: `Incorrect API key: ${secret}\u001b[2J` } }));
    });
    await new Promise<void>((resolve) => quoting.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(quoting.address() as AddressInfo).port}`;
    try {
      const cwd = folder({
        'a.yaml': `backends: { b: { vendor: qwen, baseUrl: '${base}', apiKey: 'env:K' } }\nmodels: { m: [b/qwen-plus] }\n${REST}`,
      });
      const run = estafet(['check', 'a.yaml', '--live'], { K: secret }, cwd);
      expect(await run.exit).toBe(1);
      expect(run.stdout).toContain(
        'its key: key refused  (GET /models)\n      the vendor said: 401 invalid_api_key Incorrect API key: ***?[2J',
      );
      expect(run.stdout).toContain('other regions were not tried: the backend has its own baseUrl or workspace');
      expect(run.stdout).not.toContain(secret);
    } finally {
      quoting.closeAllConnections();
      quoting.close();
    }
  });
});

describe('the command', () => {
  const files = (): Record<string, string> => ({
    'a.yaml': `backends:
  good: { vendor: qwen, baseUrl: '${vendor('qwen').baseUrl}', apiKey: 'env:GOOD' }
  bad: { vendor: qwen, baseUrl: '${vendor('qwen').baseUrl}', apiKey: 'env:BAD' }
models: { gpt-4o: [good/qwen-plus, bad/qwen-plus] }
${REST}`,
  });

  test.each<[string, string[], number, RegExp]>([
    ['all work', ['--live', '--backend', 'good'], 0, /good \(qwen, cn-beijing\)\n {4}its key: works/],
    ['one does not', ['--live'], 1, /its key: key refused/],
    ['JSON alone', ['--live', '--json', '--backend', 'good'], 0, /^\{\n {2}"ok": true,/],
    ['no such backend', ['--live', '--backend', 'god'], 1, /there is no backend "god"; the file has: good, bad/],
    ['no --live', ['--json'], 2, /--backend, --chat and --json require --live/],
    ['nothing is asked without it', [], 0, /^(?![\s\S]*live:)/],
  ])('%s', async (_, options, exit, output) => {
    const run = estafet(['check', 'a.yaml', ...options], { GOOD: key('qwen', 'good-beijing'), BAD: key('qwen', 'wrong') }, folder(files()));
    expect(await run.exit).toBe(exit);
    expect(run.stdout + run.stderr).toMatch(output);
    if (!options.includes('--live')) expect(simulator.journal()).toEqual([]);
  });
});
