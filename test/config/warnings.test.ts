// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { describe, expect, test } from 'vitest';
import { NOT_YET_ENFORCED } from '../../config/not-yet-enforced.ts';
import { accepted, GOOD } from './setup.ts';

const backend = (text: string) => GOOD.replace('{ vendor: qwen, apiKey: ${QWEN_KEY} }', text);

describe('warnings', () => {
  const team = (text: string) => GOOD.replace('{ permit: { vendors: [qwen], regions: ["*"] } }', text);
  const key = (text: string) => GOOD.replace('"${APP_KEY}" }', `"\${APP_KEY}", permit: ${text} }`);
  test.each([
    ['no permit', team('{}'), 'teams.t: team t has no permit: every request of its keys is refused'],
    [
      'onStoreLoss without a store',
      team('{ permit: { vendors: [qwen], regions: ["*"] }, onStoreLoss: admit }'),
      'teams.t.onStoreLoss: has no effect without redis',
    ],
    ['no keys', GOOD.replace(/keys:[\s\S]*/, ''), 'keys: there are no keys: every request is refused'],
    [
      'no backend permitted',
      team('{ permit: { vendors: [glm], regions: ["*"] } }'),
      'teams.t.permit: permits no backend of this file: every request of team t is refused',
    ],
    [
      'a vendor in another region',
      `${team('{ permit: { vendors: [qwen, glm], regions: ["cn-b*"] } }').replace('backends:\n', 'backends:\n  glm: { vendor: glm, apiKey: env:GLM_KEY }\n')}`,
      'teams.t.permit.vendors[1]: glm is permitted, but not in the region of its backends here (cn)',
    ],
    [
      'key: vendor outside',
      key('{ vendors: [glm] }'),
      'keys[0].permit.vendors[0]: "glm" is outside the permit of team t and has no effect',
    ],
    [
      'key: region outside',
      key('{ regions: [intl] }').replace('["*"]', '["cn-*"]'),
      'keys[0].permit.regions[0]: "intl" is outside the permit of team t and has no effect',
    ],
    [
      'key: model outside',
      key('{ models: ["o3*"] }').replace('["*"]', '["*"], models: ["gpt-*"]'),
      'keys[0].permit.models[0]: "o3*" is outside the permit of team t and has no effect',
    ],
    [
      'key: network outside',
      key('{ callers: [192.168.0.0/16] }').replace('["*"]', '["*"], callers: [10.0.0.0/8, "::1"]'),
      'keys[0].permit.callers[0]: "192.168.0.0/16" is outside the permit of team t and has no effect',
    ],
    ['short key', GOOD.replace('"${APP_KEY}"', 'env:GLM_KEY'), 'keys[0].key: is shorter than 20 characters and can be guessed'],
    [
      'coding plan',
      backend('{ vendor: glm, apiKey: env:GLM_KEY, baseUrl: "https://open.bigmodel.cn/api/coding/paas/v4" }').replace('[qwen]', '[glm]'),
      'backends.qwen.baseUrl: looks like a subscription plan',
    ],
    [
      'token plan',
      backend('{ vendor: ernie, apiKey: env:GLM_KEY, baseUrl: "https://qianfan.baidubce.com/v2/tokenplan/personal" }').replace(
        '[qwen]',
        '[ernie]',
      ),
      'backends.qwen.baseUrl: looks like a subscription plan',
    ],
    [
      'time limit beyond the total',
      backend('{ vendor: qwen, apiKey: env:QWEN_KEY, timeouts: { idleMs: 2000, totalMs: 1000 } }'),
      'backends.qwen.timeouts.idleMs: has no effect: totalMs is 1000',
    ],
    [
      'a probe without a breaker',
      backend('{ vendor: qwen, apiKey: ${QWEN_KEY}, breaker: off, probe: {} }'),
      'backends.qwen.probe: has no effect while breaker is off',
    ],
    ['alias over a backend', `${GOOD}models: { qwen/x: [qwen/y] }\n`, 'models.qwen/x: hides the model of backend qwen with that name'],
    [
      'reserve above the limit',
      team('{ permit: { vendors: [qwen], regions: ["*"] }, limits: { tpm: 10, outputReserve: 11 } }'),
      'teams.t.limits.outputReserve: is more than the limit of 10 tokens',
    ],
  ])('%s', (_name, text, expected) => {
    expect(accepted(text).warnings.join('\n')).toContain(`  ${expected}`);
  });

  test('what lies inside the permit of the team gives none', () => {
    const text = key('{ vendors: [qwen], regions: [cn-beijing], models: ["gpt-4*"], callers: [10.1.0.0/16] }');
    expect(accepted(text.replace('["*"]', '["cn-*"], models: ["gpt-*"], callers: [10.0.0.0/8]')).warnings).toEqual([]);
  });

  test('every key of NOT_YET_ENFORCED gives one, where it is written', () => {
    const text = `backends:
  qwen: { vendor: qwen, apiKey: env:QWEN_KEY, retries: 1, breaker: off, concurrency: 5, prices: { a: { currency: CNY, input: 1, output: 2 } } }
teams:
  t: { permit: { vendors: [qwen], regions: ["*"] }, limits: { rpm: 1 }, timeZone: Asia/Shanghai }
keys:
  - { name: a, team: t, key: env:APP_KEY, limits: { rpm: 1 }, onDisconnect: drain }
redis: redis://x
`;
    const { warnings } = accepted(text);
    const lines = warnings.filter((line) => line.endsWith('validated but not enforced by this release'));
    expect(lines).toHaveLength(NOT_YET_ENFORCED.length);
    expect(accepted(GOOD.replace('"${APP_KEY}"', '"${APP_KEY}", onDisconnect: cancel')).warnings).toEqual([]);
  });
});

describe('a deadline that leaves no time for the next candidate', () => {
  const LONE = (ms: number) =>
    `leaves no time for another candidate after a silent one, and opens no breaker: ${ms} ms is not longer than backends.qwen.timeouts`;
  const server = (ms: number, models: string): string => `${GOOD}server: { totalDeadlineMs: ${ms} }\nmodels: { m: ${models} }\n`;
  test.each([
    [
      'of the server',
      server(120_000, '[qwen/a, qwen/b]'),
      [`server.totalDeadlineMs: ${LONE(120_000)}.firstByteMs (120000), backends.qwen.timeouts.wholeMs (310000)`],
    ],
    ['for whole answers only', server(310_000, '[qwen/a, qwen/b]'), [`server.totalDeadlineMs: ${LONE(310_000)}.wholeMs (310000)`]],
    [
      'of a name',
      `${GOOD}models: { m: { totalDeadlineMs: 200000, to: [qwen/a, qwen/b] } }\n`,
      [`models.m.totalDeadlineMs: ${LONE(200_000)}.wholeMs (310000)`],
    ],
    ['long enough', server(310_001, '[qwen/a, qwen/b]'), []],
    ['one candidate', server(1_000, '[qwen/a]'), []],
    ['hedged', server(1_000, '{ hedge: p95, to: [qwen/a, qwen/b] }'), []],
    ['not written', `${GOOD}models: { m: [qwen/a, qwen/b] }\n`, []],
    [
      'calls that end by themselves',
      backend('{ vendor: qwen, apiKey: ${QWEN_KEY}, timeouts: { totalMs: 900 } }').concat(
        'server: { totalDeadlineMs: 1000 }\nmodels: { m: [qwen/a, qwen/b] }\n',
      ),
      [],
    ],
  ])('%s', (_, text, expected) => {
    const told = accepted(text).warnings.filter((line) => line.includes('leaves no time'));
    expect(told.map((line) => line.replace(/^\S+ +/, ''))).toEqual(expected);
  });
});
