import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { catalogWarnings, kindWarnings, probeWarnings, retirementWarnings, unlistedWarnings } from '../../cli/catalog-warnings.ts';
import { check } from '../../cli/check.ts';
import { formatProblem } from '../../config/problem.ts';
import { configOf, digestOf } from '../http/desk.ts';

const config = configOf(
  `backends: { q: { vendor: qwen, apiKey: 'env:K' } }
models:
  gpt-4o: [q/qwen-plus, q/qwen-max]
  gpt-4.1: [q/going, { to: q/qwen-turbo, force: true }]
  long: { strategy: order, to: [q/qwen-plus, q/qwen-max] }
catalog: { qwen/going: { shutdown: 2027-03-01, replacement: later } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
  { K: 'secret' },
);

test.each<[string, string[]]>([
  ['2026-11-25', []],
  ['2027-02-01', ['test.yaml  models."gpt-4.1"[0]: q/going will be retired by its vendor on 2027-03-01; its replacement is later']],
  [
    '2027-03-01',
    ['test.yaml  models."gpt-4.1"[0]: q/going was retired by its vendor on 2027-03-01; its replacement is later; it is skipped'],
  ],
])('warnings of %s', (day, expected) => {
  const lines = retirementWarnings(config, Date.parse(day)).map(formatProblem);
  expect(lines).toEqual([
    'test.yaml  models.gpt-4o[1]: q/qwen-max was retired by its vendor on 2026-07-13; its replacement is qwen3.8-max; it is skipped',
    ...expected,
    'test.yaml  models."gpt-4.1"[1]: q/qwen-turbo was retired by its vendor on 2026-07-13; its replacement is qwen3.8-flash; it is used all the same (force)',
    'test.yaml  models.long.to[1]: q/qwen-max was retired by its vendor on 2026-07-13; its replacement is qwen3.8-max; it is skipped',
  ]);
});

test('a candidate that the catalogue does not know is told of, with the name that may be meant', () => {
  const slips = configOf(
    `backends: { q: { vendor: qwen, apiKey: 'env:K' }, g: { vendor: glm, apiKey: 'env:K' } }
models:
  gpt-4o: [q/qwen-plus, q/qwen_plus, g/qwen-plus, q/ours]
  long: { strategy: order, to: [g/glm-4.6, g/a-name-like-no-other] }
catalog: { qwen/ours: { tools: false } }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
    { K: 'secret' },
  );
  const end = '; if the name is right, describe the model in `catalog`';
  expect(unlistedWarnings(slips).map(formatProblem)).toEqual([
    `test.yaml  models.gpt-4o[1]: q/qwen_plus is not in the catalogue (did you mean qwen-plus?)${end}`,
    `test.yaml  models.gpt-4o[2]: g/qwen-plus is not in the catalogue${end}`,
    `test.yaml  models.long.to[1]: g/a-name-like-no-other is not in the catalogue${end}`,
  ]);
});

const ACCESS = `teams: { t: { permit: { vendors: [qwen, glm], regions: ['*'] } } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`;
const NOW = Date.parse('2026-11-25');

test('candidates of two kinds under one name are told of, as neither stands in for the other', () => {
  const mixed = configOf(
    `backends: { q: { vendor: qwen, apiKey: 'env:K' }, g: { vendor: glm, apiKey: 'env:K' } }
models:
  vectors: [q/text-embedding-v4, g/glm-4.6]
  chat: { strategy: order, to: [q/a-name-like-no-other, q/qwen-plus, g/glm-4.6, q/qwen3-rerank, q/text-embedding-v4] }
  same: [q/text-embedding-v4, q/text-embedding-v3]
${ACCESS}`,
    { K: 'secret' },
  );
  const end = 'neither can replace the other; give each kind its own name';
  const chat = 'and q/qwen-plus before it a chat model';
  const lines = [
    `test.yaml  models.vectors[1]: g/glm-4.6 is a chat model, and q/text-embedding-v4 before it an embedding model: ${end}`,
    `test.yaml  models.chat.to[3]: q/qwen3-rerank is a rerank model, ${chat}: ${end}`,
    `test.yaml  models.chat.to[4]: q/text-embedding-v4 is an embedding model, ${chat}: ${end}`,
  ];
  expect(kindWarnings(mixed).map(formatProblem)).toEqual(lines);
  expect(catalogWarnings(mixed, NOW).map(formatProblem)).toEqual(expect.arrayContaining(lines));
});

test.each<[string, string | null]>([
  ['{}', null],
  ['off', null],
  ['{ model: qwen-flash }', null],
  ['{ model: text-embedding-v4 }', null],
  ['{ model: ours }', null],
  ['{ model: nope }', 'nope is not in the catalogue'],
  ['{ model: qwen-flush }', 'qwen-flush is not in the catalogue (did you mean qwen-flash?)'],
  ['{ model: qwen-max }', 'qwen-max was retired by its vendor on 2026-07-13; its replacement is qwen3.8-max'],
  ['{ model: qwen3-rerank }', 'qwen3-rerank is a rerank model, which no probe asks here'],
])('probe: %s', (probe, expected) => {
  const config = configOf(
    `backends: { q: { vendor: qwen, apiKey: 'env:K', probe: ${probe} } }
models: { m: [q/qwen-plus] }
catalog: { qwen/ours: { tools: false } }
${ACCESS}`,
    { K: 'secret' },
  );
  const end = '; name another, or leave it out for the cheapest chat model that `models` sends there';
  const lines = expected === null ? [] : [`test.yaml  backends.q.probe.model: ${expected}${end}`];
  expect(probeWarnings(config, NOW).map(formatProblem)).toEqual(lines);
  expect(catalogWarnings(config, NOW).map(formatProblem)).toEqual(lines);
});

test.each<[string, string, boolean]>([
  ['a chat model', '[q/qwen-plus, g/glm-4.6]', false],
  ['a model for embeddings', '[q/text-embedding-v4]', false],
  ['one that nobody lists', '[q/ours-alone]', false],
  ['one that is retired', '[q/qwen-max, g/glm-4.6]', true],
  ['one for rerank', '[q/qwen3-rerank]', true],
  ['none, but another backend', '[g/glm-4.6]', true],
])('a probe without a model of its own, and `models` sends there %s', (_, to, told) => {
  const config = (more: string) =>
    configOf(
      `backends: { q: { vendor: qwen, apiKey: 'env:K', ${more} }, g: { vendor: glm, apiKey: 'env:K' } }\nmodels: { m: ${to} }\n${ACCESS}`,
      {
        K: 'secret',
      },
    );
  const text = '`models` sends no model here that a probe could ask, so that requests probe; name one: probe: { model: … }';
  const lines = told ? [`test.yaml  backends.q.probe: ${text}`] : [];
  expect(probeWarnings(config('probe: {}'), NOW).map(formatProblem)).toEqual(lines);
  for (const more of ['probe: off', 'probe: { model: qwen-plus }', 'probe: {}, breaker: off'])
    expect(probeWarnings(config(more), NOW)).toEqual([]);
});

test('`estafet check` shows them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'estafet-check-'));
  const print = vi.spyOn(console, 'log').mockReturnValue();
  vi.stubEnv('K', 'secret');
  try {
    const file = join(folder, 'estafet.yaml');
    const backends = "backends: { q: { vendor: qwen, apiKey: 'env:K', probe: { model: nope } } }";
    writeFileSync(file, `${backends}\nmodels: { m: [q/qwen-plus, q/text-embedding-v4, q/qwen_plus, q/qwen-max] }\n${ACCESS}`);
    await check(file);
    const said = print.mock.lastCall?.[0] as string;
    expect(said).toContain(`${file}: good, 4 warnings`);
    for (const place of ['models.m[1]', 'models.m[2]', 'models.m[3]', 'backends.q.probe.model']) expect(said).toContain(`  ${place}: `);
  } finally {
    vi.unstubAllEnvs();
    print.mockRestore();
    rmSync(folder, { recursive: true });
  }
});
