import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../config/config.ts';
import { globMatches, regionMatches } from '../../config/glob.ts';
import { checkErrorResponse } from '../contract/openai-schema.ts';
import { configOf, type Desk, digestOf, KEY, openRelay } from '../http/desk.ts';
import { type Backend, completion, http, scripted } from './backends.ts';
import type { Lists } from './permit-lists.ts';

/** Six places, each a server of its own: what one of them sees has gone there. */
const PLACES = [
  { name: 'q-cn', vendor: 'qwen', region: 'cn-beijing', model: 'qwen-plus' },
  { name: 'q-sg', vendor: 'qwen', region: 'ap-southeast-1', model: 'qwen-plus' },
  { name: 'e-cn', vendor: 'ernie', region: 'cn', model: 'ernie-4.5-turbo-128k' },
  { name: 'g-cn', vendor: 'glm', region: 'cn', model: 'glm-4.6' },
  { name: 'g-intl', vendor: 'glm', region: 'intl', model: 'glm-4.6' },
  { name: 'q-us', vendor: 'qwen', region: 'us-east-1', model: 'qwen-plus' },
] as const;

const servers = new Map<string, Backend>();
beforeAll(async () => {
  for (const { name } of PLACES) {
    // `connection: close`: each request shows as a connection, and none is left from an earlier run.
    servers.set(name, await scripted((socket) => socket.end(http(200, completion(name), { connection: 'close' }))));
  }
});
afterAll(async () => {
  for (const server of servers.values()) await server.close();
});

const yaml = (value: unknown): string => JSON.stringify(value);

function configWith(models: Record<string, string[]>, ofTeam: Lists | undefined, ofKey: Lists | undefined): Config {
  const backends = PLACES.map(({ name, vendor, region }) => {
    return `  ${name}: { vendor: ${vendor}, region: ${region}, baseUrl: '${servers.get(name)?.url}/v1', apiKey: 'env:K' }`;
  });
  return configOf(
    `server: { port: 0, drainTimeoutMs: 200, logLevel: silent }
backends:
${backends.join('\n')}
models: ${yaml(models)}
teams: { t: ${ofTeam === undefined ? '{}' : `{ permit: ${yaml(ofTeam)} }`} }
keys: [{ name: k, team: t, key: '${digestOf(KEY)}'${ofKey === undefined ? '' : `, permit: ${yaml(ofKey)}`} }]
`,
    { K: 'id.secret' },
  );
}

interface Outcome {
  readonly status: number;
  readonly code: string | null;
  /** The place whose answer came back. */
  readonly from: string | null;
  /** Places that saw a connection. */
  readonly touched: string[];
}

async function ask(desk: Desk, model: string): Promise<Outcome> {
  const before = new Map([...servers].map(([name, server]) => [name, server.connections]));
  const answer = await fetch(`${desk.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] }),
  });
  const body = (await answer.json()) as { choices?: { message: { content: string } }[]; error?: { code: string } };
  if (answer.status !== 200) expect(checkErrorResponse(answer.status, body)).toEqual([]);
  return {
    status: answer.status,
    code: body.error?.code ?? null,
    from: body.choices?.[0]?.message.content ?? null,
    touched: [...servers].filter(([name, server]) => server.connections > (before.get(name) ?? 0)).map(([name]) => name),
  };
}

describe('codes', () => {
  const MODELS = { 'gpt-4o': ['q-cn/qwen-plus', 'g-intl/glm-4.6'], abroad: ['g-intl/glm-4.6', 'q-us/qwen-plus'] };
  test.each<[string, Lists | undefined, Lists | undefined, string, Partial<Outcome>]>([
    ['all permitted', { vendors: ['qwen', 'glm'], regions: ['*'] }, undefined, 'gpt-4o', { status: 200, from: 'q-cn' }],
    ['only the second vendor', { vendors: ['glm'], regions: ['*'] }, undefined, 'gpt-4o', { status: 200, from: 'g-intl' }],
    ['only the second region', { vendors: ['qwen', 'glm'], regions: ['intl'] }, undefined, 'gpt-4o', { status: 200, from: 'g-intl' }],
    [
      'the key narrows to the second',
      { vendors: ['qwen', 'glm'], regions: ['*'] },
      { vendors: ['glm'] },
      'gpt-4o',
      { status: 200, from: 'g-intl' },
    ],
    ['no team permit', undefined, undefined, 'gpt-4o', { status: 403, code: 'unsupported_country_region_territory' }],
    ['no team permit, but one of the key', undefined, { vendors: ['qwen'], regions: ['*'] }, 'gpt-4o', { status: 403 }],
    [
      'another network',
      { vendors: ['qwen'], regions: ['*'], callers: ['10.0.0.0/8'] },
      undefined,
      'gpt-4o',
      { status: 403, code: 'unsupported_country_region_territory' },
    ],
    [
      'another network, of the key',
      { vendors: ['qwen'], regions: ['*'] },
      { callers: ['192.0.2.0/24'] },
      'gpt-4o',
      { status: 403, code: 'unsupported_country_region_territory' },
    ],
    [
      'only forbidden regions',
      { vendors: ['qwen', 'glm'], regions: ['cn-*'] },
      undefined,
      'abroad',
      { status: 403, code: 'region_not_permitted' },
    ],
    [
      'the one region against the one vendor',
      { vendors: ['glm'], regions: ['cn-*'] },
      undefined,
      'gpt-4o',
      { status: 403, code: 'region_not_permitted' },
    ],
    [
      'a region the team has and the key has not',
      { vendors: ['glm'], regions: ['*'] },
      { regions: ['us-*'] },
      'gpt-4o',
      { status: 403, code: 'region_not_permitted' },
    ],
    ['no permitted vendor has it', { vendors: ['ernie'], regions: ['*'] }, undefined, 'gpt-4o', { status: 404, code: 'model_not_found' }],
    [
      'a name that is not permitted',
      { vendors: ['qwen'], regions: ['*'], models: ['gpt-3*'] },
      undefined,
      'gpt-4o',
      { status: 404, code: 'model_not_found' },
    ],
    [
      'a name the key may not ask for',
      { vendors: ['qwen'], regions: ['*'] },
      { models: ['gpt-4o-*'] },
      'gpt-4o',
      { status: 404, code: 'model_not_found' },
    ],
    ['an unknown name', { vendors: ['qwen'], regions: ['*'] }, undefined, 'nope', { status: 404, code: 'model_not_found' }],
    [
      'a forbidden name in a forbidden region tells of no region',
      { vendors: ['qwen', 'glm'], regions: ['cn-*'], models: ['gpt-*'] },
      undefined,
      'abroad',
      { status: 404, code: 'model_not_found' },
    ],
    [
      'by the backend\u2019s name',
      { vendors: ['qwen', 'glm'], regions: ['cn-*'] },
      undefined,
      'g-intl/glm-4.6',
      { status: 403, code: 'region_not_permitted' },
    ],
    ['by the backend\u2019s name, vendor', { vendors: ['qwen'], regions: ['*'] }, undefined, 'g-cn/glm-4.6', { status: 404 }],
    [
      'by the vendor\u2019s name: the first permitted region',
      { vendors: ['qwen'], regions: ['us-*'] },
      undefined,
      'qwen-plus',
      { from: 'q-us' },
    ],
  ])('%s', async (_name, ofTeam, ofKey, model, wanted) => {
    const desk = await openRelay(configWith(MODELS, ofTeam, ofKey));
    const outcome = await ask(desk, model);
    await desk.close();
    expect(outcome).toMatchObject(wanted);
    expect(outcome.touched).toEqual(outcome.from === null ? [] : [outcome.from]);
  });

  test('a name that is not permitted and one that is unknown look the same', async () => {
    const desk = await openRelay(configWith(MODELS, { vendors: ['qwen'], regions: ['*'], models: ['gpt-*'] }, undefined));
    const say = async (model: string): Promise<string> => {
      const answer = await fetch(`${desk.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] }),
      });
      return `${answer.status} ${(await answer.text()).replaceAll(model, 'NAME')}`;
    };
    const [forbidden, unknown] = [await say('abroad'), await say('absent')];
    await desk.close();
    expect(forbidden).toMatch(/^404 .*model_not_found/);
    expect(forbidden).toBe(unknown);
  });

  test('where a caller says that it comes from changes nothing', async () => {
    const desk = await openRelay(configWith(MODELS, { vendors: ['qwen'], regions: ['*'], callers: ['10.0.0.0/8'] }, undefined));
    for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'cf-connecting-ip', 'true-client-ip', 'x-client-ip']) {
      const answer = await fetch(`${desk.url}/v1/models`, {
        headers: { authorization: `Bearer ${KEY}`, [name]: name === 'forwarded' ? 'for=10.0.0.1' : '10.0.0.1' },
      });
      expect(answer.status, name).toBe(403);
      await answer.arrayBuffer();
    }
    await desk.close();
  });
});

test('random configurations: a request reaches a backend only if every list allows it', async () => {
  const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 });
  const vendors = some('qwen', 'ernie', 'glm');
  const regions = some('cn-*', 'cn', 'cn-beijing', 'intl', '*', 'us-east-1', 'ap-*');
  const models = some('*', 'gpt-*', 'gpt-4o', 'qwen-*', 'house', '*/*');
  const callers = some('127.0.0.0/8', '127.0.0.1', '10.0.0.0/8', '::1');
  const ofTeam = fc.record({ vendors, regions, models, callers }, { requiredKeys: ['vendors', 'regions'] });
  const ofKey = fc.record({ vendors, regions, models, callers }, { requiredKeys: [] });
  const target = fc.constantFrom(...PLACES.map(({ name, model }) => `${name}/${model}`));
  const table = fc.record({
    'gpt-4o': fc.uniqueArray(target, { minLength: 1, maxLength: 4 }),
    house: fc.uniqueArray(target, { minLength: 1 }),
  });
  const asked = fc.constantFrom(
    'gpt-4o',
    'house',
    'qwen-plus',
    'glm-4.6',
    'g-intl/glm-4.6',
    'q-us/qwen-plus',
    'e-cn/ernie-4.5-turbo-128k',
    'nope',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.option(ofTeam, { nil: undefined, freq: 15 }),
      fc.option(ofKey, { nil: undefined, freq: 3 }),
      table,
      fc.uniqueArray(asked, { minLength: 1, maxLength: 3 }),
      async (teamLists, keyLists, models_, names) => {
        const config = configWith(models_, teamLists as Lists | undefined, keyLists as Lists | undefined);
        const desk = await openRelay(config);
        try {
          for (const name of names)
            expect(await ask(desk, name)).toEqual(expected(teamLists as Lists | undefined, keyLists as Lists | undefined, models_, name));
        } finally {
          await desk.close();
        }
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

/** The design in its own words: what must come of a request. */
function expected(ofTeam: Lists | undefined, ofKey: Lists | undefined, models: Record<string, string[]>, name: string): Outcome {
  const refused = (status: number, code: string): Outcome => ({ status, code, from: null, touched: [] });
  const rules = ofTeam === undefined ? [] : [ofTeam, ofKey ?? {}];
  const all = (test: (rule: Lists) => boolean): boolean => rules.length > 0 && rules.every(test);
  if (!all(({ callers }) => callers === undefined || callers.some((network) => network.startsWith('127.')))) {
    return refused(403, 'unsupported_country_region_territory');
  }
  if (!all((rule) => rule.models === undefined || rule.models.some((glob) => globMatches(glob, name))))
    return refused(404, 'model_not_found');
  const named =
    models[name] ??
    PLACES.filter((place) => `${place.name}/${place.model}` === name || place.model === name).map((place) => `${place.name}/`);
  const places = named.map((entry) => PLACES.find((place) => entry.startsWith(`${place.name}/`)) as (typeof PLACES)[number]);
  const ofVendor = places.filter(({ vendor }) => all((rule) => rule.vendors === undefined || rule.vendors.includes(vendor)));
  if (ofVendor.length === 0) return refused(404, 'model_not_found');
  const inRegion = ofVendor.filter(({ region }) =>
    all((rule) => rule.regions === undefined || rule.regions.some((glob) => regionMatches(glob, region))),
  );
  const [first] = inRegion;
  return first === undefined ? refused(403, 'region_not_permitted') : { status: 200, code: null, from: first.name, touched: [first.name] };
}
