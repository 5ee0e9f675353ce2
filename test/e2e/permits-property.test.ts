import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configOf, digestOf, KEY, openRelay } from '../http/desk.ts';
import { type Backend, completion, http, type Script, scripted } from '../relay/backends.ts';

/** Where each backend says that it is, and whose it is. */
const PLACES = [
  { name: 'q1', vendor: 'qwen', region: 'cn-beijing' },
  { name: 'q2', vendor: 'qwen', region: 'ap-southeast-1' },
  { name: 'e', vendor: 'ernie', region: 'cn' },
  { name: 'g1', vendor: 'glm', region: 'cn' },
  { name: 'g2', vendor: 'glm', region: 'intl' },
] as const;
type Name = (typeof PLACES)[number]['name'];
const NAMES = PLACES.map(({ name }) => name);
const REGIONS = ['cn-beijing', 'ap-southeast-1', 'cn', 'intl', 'cn-*', 'ap-*', '*'] as const;

const FAULTS: Readonly<Record<string, Script>> = {
  answer: (socket) => void socket.write(http(200, completion('hello'))),
  overload: (socket) => void socket.write(http(503, '{"error":{"message":"busy","code":"ServiceUnavailable"}}', { 'retry-after': '0' })),
  limit: (socket) => void socket.write(http(429, '{"error":{"message":"slow down","code":"limit_requests"}}', { 'retry-after': '0' })),
  garbage: (socket) => void socket.write(http(200, '<html>')),
  cut: (socket) => socket.destroy(),
  badKey: (socket) => void socket.write(http(401, '{"error":{"message":"bad key","code":"invalid_api_key"}}')),
};

/** The rule of permits, said once more and in another way than the relay says it. */
const covers = (glob: string, region: string): boolean =>
  glob === '*' || glob === region || (glob.endsWith('-*') && (region === glob.slice(0, -2) || region.startsWith(glob.slice(0, -1))));

const lists = {
  vendors: fc.subarray(['qwen', 'ernie', 'glm'] as const, { minLength: 1 }),
  regions: fc.subarray([...REGIONS], { minLength: 1 }),
};
const target = fc.record({ backend: fc.constantFrom(...NAMES), model: fc.constantFrom('qwen-plus', 'glm-4.6', 'house') });
const setting = fc.record({
  team: fc.record(lists),
  key: fc.option(fc.record(lists, { requiredKeys: [] }), { nil: null }),
  strategy: fc.constantFrom('order', 'weighted', 'latency', 'cost'),
  targets: fc.uniqueArray(target, { minLength: 1, maxLength: 5, selector: ({ backend, model }) => `${backend}/${model}` }),
  faults: fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.constantFrom(...Object.keys(FAULTS))]))),
  asked: fc.array(
    fc.record({
      path: fc.constantFrom('chat/completions', 'embeddings', 'rerank'),
      model: fc.constantFrom(
        'm',
        'like-this',
        'qwen-plus',
        'glm-4.6',
        'text-embedding-v4',
        'qwen3-rerank',
        'embedding-3',
        'g2/glm-4.6',
        'q2/any',
        'e/any',
      ),
      stream: fc.boolean(),
      tools: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

interface Wish {
  readonly model: string;
  readonly stream: boolean;
  readonly tools: boolean;
}

function bodyOf(path: string, { model, stream, tools }: Wish): object {
  if (path === 'embeddings') return { model, input: ['a', 'b'] };
  if (path === 'rerank') return { model, query: 'q', documents: ['a', 'b'] };
  const offered = tools ? { tools: [{ type: 'function', function: { name: 'f' } }] } : {};
  return { model, stream, messages: [{ role: 'user', content: 'x' }], ...offered };
}

describe('permits', () => {
  const backends = new Map<string, Backend>();
  const faults: Record<string, string> = {};
  const seen = { permitted: 0, refused: 0 };
  beforeAll(async () => {
    for (const name of NAMES) backends.set(name, await scripted((...args) => FAULTS[faults[name] ?? 'cut']?.(...args)));
  });
  afterAll(async () => {
    for (const backend of backends.values()) await backend.close();
  });
  beforeEach(() => Object.assign(seen, { permitted: 0, refused: 0 }));

  test('no packet reaches a forbidden backend, whatever is configured, asked for and failing', async () => {
    await fc.assert(
      fc.asyncProperty(setting, async ({ team, key, strategy, targets, faults: drawn, asked }) => {
        Object.assign(faults, drawn);
        for (const backend of backends.values()) Object.assign(backend, { connections: 0 });
        const config = configOf(
          JSON.stringify({
            server: { port: 0, drainTimeoutMs: 100 },
            backends: Object.fromEntries(
              PLACES.map(({ name, vendor, region }) => [
                name,
                { vendor, region, baseUrl: `${backends.get(name)?.url}/v1`, apiKey: 'env:K' },
              ]),
            ),
            models: Object.fromEntries(
              ['m', 'like-*'].map((alias) => [alias, { strategy, to: targets.map(({ backend, model }) => `${backend}/${model}`) }]),
            ),
            teams: { t: { permit: team } },
            keys: [{ name: 'k', team: 't', key: digestOf(KEY), ...(key === null ? {} : { permit: key }) }],
          }),
          { K: 'id.secret-of-a-backend' },
        );
        // Small, so that no retry waits long.
        const desk = await openRelay(config, { random: () => 0.01 });
        try {
          await Promise.all(
            asked.map(async ({ path, ...wish }) => {
              const answer = await fetch(`${desk.url}/v1/${path}`, {
                method: 'POST',
                headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
                body: JSON.stringify(bodyOf(path, wish)),
              });
              await answer.text();
            }),
          );
        } finally {
          await desk.close();
        }
        const allowed = (name: Name): boolean => {
          const place = PLACES.find((one) => one.name === name) as (typeof PLACES)[number];
          return [team, key ?? {}].every(
            ({ vendors, regions }: { vendors?: readonly string[]; regions?: readonly string[] }) =>
              (vendors ?? [place.vendor]).includes(place.vendor) && (regions ?? ['*']).some((glob) => covers(glob, place.region)),
          );
        };
        for (const name of NAMES) {
          const { connections = 0 } = backends.get(name) ?? {};
          if (allowed(name)) seen.permitted += connections;
          else {
            seen.refused++;
            expect(connections, `${name} is forbidden`).toBe(0);
          }
        }
      }),
      { numRuns: 25, seed: 7 },
    );
    // The property would hold of a relay that asks nobody.
    expect(seen.permitted).toBeGreaterThan(10);
    expect(seen.refused).toBeGreaterThan(10);
  }, 60_000);

  test('a refusal leaves its evidence in the log', async () => {
    const config = configOf(
      `backends: { q: { vendor: qwen, baseUrl: '${backends.get('q1')?.url}/v1', apiKey: 'env:K' } }
models: { m: [q/qwen-plus] }
teams: { t: { permit: { vendors: [qwen], regions: [us-east-1] } }, far: { permit: { vendors: [qwen], regions: ['*'], callers: [10.0.0.0/8] } } }
keys: [{ name: k, team: t, key: '${digestOf(KEY)}' }, { name: f, team: far, key: '${digestOf(`${KEY}f`)}' }]
`,
      { K: 'x' },
    );
    const desk = await openRelay(config);
    try {
      const status = async (key: string): Promise<number> => {
        const answer = await fetch(`${desk.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] }),
        });
        await answer.text();
        return answer.status;
      };
      expect([await status(KEY), await status(`${KEY}f`)]).toEqual([403, 403]);
      expect(desk.log.filter(({ msg }) => msg === 'refused by routing')).toMatchObject([
        {
          code: 'region_not_permitted',
          evidence: { key: 'k', team: 't', model: 'm', why: 'region', skipped: [{ to: 'q/qwen-plus', rule: 'region' }] },
        },
        { code: 'unsupported_country_region_territory', evidence: { key: 'f', team: 'far', address: '127.0.0.1' } },
      ]);
    } finally {
      await desk.close();
    }
  });
});
