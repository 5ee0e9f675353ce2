// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { MOST_LIMIT } from '../../config/schema-limits.ts';
import { MOST_RATE } from '../../relay/quota/limits.ts';
import { accepted, ENV, GOOD, noFile, problemsOf, vendors } from './setup.ts';

test('the largest limit of a file is the largest that the engine counts exactly', () => {
  expect(MOST_LIMIT).toBe(MOST_RATE);
});

test.each(['refuse', 'local', 'admit'])('onStoreLoss: %s is kept', (policy) => {
  const { config, warnings } = accepted(
    GOOD.replace('regions: ["*"] } }', `regions: ["*"] }, onStoreLoss: ${policy} }\nredis: redis://127.0.0.1:6379`),
  );
  expect(config.teams['t']?.onStoreLoss).toBe(policy);
  expect(warnings.filter((warning) => warning.includes('onStoreLoss'))).toEqual([]);
});

test('refuse is what happens unless a team says otherwise; another word is refused with its place', () => {
  expect(accepted(GOOD).config.teams['t']?.onStoreLoss).toBe('refuse');
  expect(problemsOf(GOOD.replace('regions: ["*"] } }', 'regions: ["*"] }, onStoreLoss: allow }'))).toEqual([
    expect.stringContaining('teams.t.onStoreLoss: '),
  ]);
});

test.each(['redis://h', 'rediss://u:p@h:6380/2', 'redis://[::1]:6379', 'redis://:p@h/'])('redis: %s is an address', (address) => {
  expect(accepted(`${GOOD}redis: "${address}"\n`).config.redis?.reveal()).toBe(address);
});

test.each([
  ['localhost:6379', 'must be an address such as `redis://host:6379`'],
  ['http://h:6379', 'must be an address such as `redis://host:6379`'],
  ['/run/redis.sock', 'must be an address such as `redis://host:6379`'],
  ['redis://', 'is not a URL with a host'],
  ['redis://u:secret@h:99999', 'is not a URL with a host'],
  ['redis://:secret/secret@h', 'is not a URL with a host'],
  ['redis://u:secret@h/db', 'must have nothing after the host, or `/` and the number of a database'],
])('redis: %s is none, and is not repeated', (address, fault) => {
  const [problem, ...more] = problemsOf(`${GOOD}redis: "${address}"\n`);
  expect(problem).toContain(`redis: ${fault}`);
  expect(problem).not.toContain('secret');
  expect(more).toEqual([]);
});

/** A file whose team, key or backend has some text more. */
const team = (text: string) => GOOD.replace('regions: ["*"] } }', `regions: ["*"] }, ${text} }`);
const key = (text: string) => GOOD.replace('"${APP_KEY}" }', `"\${APP_KEY}", ${text} }`);
const backend = (text: string) => GOOD.replace('apiKey: ${QWEN_KEY} }', `apiKey: \${QWEN_KEY}, ${text} }`);

const COUNTS = ['rpm', 'rpd', 'tpm', 'tpd', 'concurrency'] as const;
const BAD_COUNTS = [
  ['0', 'must be at least 1'],
  ['-5', 'must be at least 1'],
  ['1.5', 'must be a whole number, not a number with decimals'],
  ['"60"', 'must be a number, not text'],
  ['null', 'must be a number, but is empty'],
  ['.inf', 'must be a number, not infinite or undefined'],
  ['.nan', 'must be a number, not infinite or undefined'],
  ['[1]', 'must be a number, not a list'],
  ['4503599628', 'must be at most 4503599627'],
  ['1e30', 'must be at most 4503599627'],
] as const;
const PLACES = [
  ['team', (text: string) => team(`limits: { ${text} }`), 'teams.t.limits'],
  ['key', (text: string) => key(`limits: { ${text} }`), 'keys[0].limits'],
  ['team × model', (text: string) => team(`limits: { models: { qwen-max: { ${text} } } }`), 'teams.t.limits.models.qwen-max'],
  ['key × model', (text: string) => key(`limits: { models: { "gpt-4.1*": { ${text} } } }`), 'keys[0].limits.models."gpt-4.1*"'],
  ['backend', backend, 'backends.qwen'],
] as const;

const BAD_BUDGETS = [
  ['{ amount: 0, currency: CNY, per: day }', '.amount', 'must be more than 0'],
  ['{ amount: -1, currency: CNY, per: day }', '.amount', 'must be more than 0'],
  ['{ amount: 0.0000000004, currency: CNY, per: day }', '.amount', 'must be at least 0.000000001: money is counted in billionths'],
  ['{ amount: 9007200, currency: CNY, per: day }', '.amount', 'must be at most 9007199'],
  ['{ amount: .nan, currency: CNY, per: day }', '.amount', 'must be a number'],
  ['{ amount: 1, currency: EUR, per: day }', '.currency', '"EUR" is not one of CNY, USD'],
  ['{ amount: 1, currency: CNY, per: yaer }', '.per', '"yaer" is not one of'],
  ['{ amount: 1, per: day }', '.currency', 'is required'],
  ['5', '', 'must be a mapping'],
] as const;

describe.each(PLACES)('limits of a %s', (place, file, path) => {
  test.each(COUNTS.flatMap((name) => BAD_COUNTS.map(([value, fault]) => [name, value, fault] as const)))('%s: %s', (name, value, fault) => {
    const [problem, ...more] = problemsOf(file(`${name}: ${value}`));
    expect(problem).toMatch(/^estafet\.yaml:\d+:\d+ {2}/);
    expect(problem).toContain(`  ${path}.${name}: ${fault}`);
    expect(more).toEqual([]);
  });

  test('an unknown one is refused with the nearest', () => {
    expect(problemsOf(file('rpn: 5'))).toEqual([expect.stringContaining(`${path}.rpn: unknown key, did you mean "rpm"?`)]);
  });

  test.each(place === 'backend' ? [] : BAD_BUDGETS)('budget: %s', (budget, at, fault) => {
    const [problem, ...more] = problemsOf(file(`budget: ${budget}`));
    expect(problem).toContain(`  ${path}.budget${at}: ${fault}`);
    expect(more).toEqual([]);
  });

  test.each(COUNTS)('%s: the least and the most are taken, without a warning', (name) => {
    for (const value of [1, MOST_LIMIT]) expect(accepted(file(`${name}: ${value}`)).warnings).toEqual([]);
  });
});

describe('entries of models', () => {
  const entries = (text: string) => team(`limits: { tpm: 5000, models: { ${text} } }`).replace('"*"]', '"*"], models: [qwen-*, gpt-*]');
  const serves = (_vendor: string, model: string) => model.startsWith('qwen-');
  const warned = (text: string) => {
    const result = parseConfig(`${text}models: { "gpt-4*": [qwen/qwen-max] }\n`, {
      file: 'f',
      env: ENV,
      readFile: noFile,
      vendors,
      serves,
    });
    if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
    return result.warnings.map(formatProblem).filter((line) => line.includes('limits'));
  };

  test.each([
    ['a model of the vendor', 'qwen-max: { rpm: 1 }'],
    ['a name that a pattern of models leads somewhere', 'gpt-4o: { rpm: 1 }'],
    ['a pattern, and a name before and after it', '"gpt-4*": { rpm: 1 }, gpt-4o: { rpm: 2 }'],
    ['a narrower pattern first', '"gpt-4o*": { rpm: 1 }, "gpt-*": { rpm: 2 }'],
    ['an exception without limits', 'gpt-4o: {}, "gpt-*": { rpm: 2 }'],
    ['a reserve that its limits hold', 'gpt-4o: { tpm: 4000, outputReserve: 4000 }'],
  ])('%s: no warning', (_, text) => {
    expect(warned(entries(text))).toEqual([]);
  });

  test.each([
    ['outside the permit', 'o3: { rpm: 1 }', 'o3: has no effect: the permit does not include this name'],
    ['a pattern outside the permit', '"o3*": { rpm: 1 }', 'o3*: has no effect: the permit does not include this name'],
    ['leads nowhere', 'gpt-5: { rpm: 1 }', 'gpt-5: has no effect: no model and no backend of this file has that name'],
    ['behind a wider pattern', '"gpt-*": { rpm: 1 }, "gpt-4o*": { rpm: 2 }', 'gpt-4o*: has no effect: "gpt-*" comes before it'],
    [
      'a reserve above its own limit',
      'gpt-4o: { tpm: 10, outputReserve: 11 }',
      'gpt-4o.outputReserve: is more than the limit of 10 tokens',
    ],
    ['a reserve above the limit of all', 'gpt-4o: { outputReserve: 5001 }', 'gpt-4o.outputReserve: is more than the limit of 5000 tokens'],
  ])('%s: a warning', (_, text, warning) => {
    expect(warned(entries(text))).toEqual([expect.stringContaining(`teams.t.limits.models.${warning}`)]);
  });

  test('a key’s entry outside its own permit', () => {
    const text = key('limits: { models: { qwen-max: { rpm: 1 } } }, permit: { models: [qwen-plus] }');
    expect(warned(text)).toEqual([expect.stringContaining('keys[0].limits.models.qwen-max: has no effect: the permit')]);
  });

  test.each([
    ['never', 90, 'never is longer than books.retentionDays, '],
    ['month', 30, 'month is longer than books.retentionDays, '],
    ['month', 31, null],
    ['day', 1, null],
  ])('a budget per %s with lines of %i days', (per, days, fault) => {
    const text = `${entries(`gpt-4o: { budget: { amount: 1, currency: CNY, per: ${per} } }`)}books: { retentionDays: ${days} }\n`;
    if (fault === null) expect(accepted(text).config.books.retentionDays).toBe(days);
    else expect(problemsOf(text)).toEqual([expect.stringContaining(`teams.t.limits.models.gpt-4o.budget.per: ${fault}`)]);
  });

  test('an empty name, and one with a line break, are refused', () => {
    expect(problemsOf(entries('"": { rpm: 1 }'))).toHaveLength(1);
    expect(problemsOf(entries('"a\\nb": { rpm: 1 }'))).toEqual([expect.stringContaining('without control characters')]);
  });
});
