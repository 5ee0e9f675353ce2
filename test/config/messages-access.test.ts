// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references of the configuration, not templates
import { describe, expect, test } from 'vitest';
import { GOOD, problemsOf } from './setup.ts';

const start = (expected: string) => `estafet.yaml${expected.startsWith(' ') ? '' : ':'}${expected}`;
const team = (text: string) => `${GOOD.replace('t: { permit: { vendors: [qwen], regions: ["*"] } }', `t: ${text}`)}`;
const key = (text: string) => GOOD.replace(/ {2}- .*\n/, `  - ${text}\n`);

describe('models, teams, keys', () => {
  const models = (text: string) => `${GOOD}models: ${text}\n`;
  test.each([
    ['no candidates', models('{ gpt-4o: [] }'), '7:19  models.gpt-4o: must not be an empty list'],
    ['not a list', models('{ gpt-4o: qwen/qwen-plus }'), '7:19  models.gpt-4o: must be a list or a mapping'],
    ['no candidates of the long form', models('{ gpt-4o: { strategy: cost } }'), '7:11  models.gpt-4o.to: is required'],
    [
      'unknown strategy',
      models('{ m: { strategy: latencyy, to: [qwen/a] } }'),
      '7:26  models.m.strategy: "latencyy" is not one of order, weighted, latency, cost, did you mean "latency"?',
    ],
    [
      'unknown key of the long form',
      models('{ m: { stratgy: cost, to: [qwen/a] } }'),
      '7:16  models.m.stratgy: unknown key, did you mean "strategy"?',
    ],
    [
      'unknown backend of the long form',
      models('{ m: { to: [qwem/x] } }'),
      '7:21  models.m.to[0]: unknown backend "qwem", did you mean "qwen"?',
    ],
    [
      'a tier without a strategy',
      models('{ m: [{ to: qwen/a, tier: 1 }] }'),
      '7:29  models.m[0].tier: needs a strategy, as in { strategy: weighted, to: [ … ] }',
    ],
    [
      'a hedge that is no quantile',
      models('{ m: { hedge: p96, to: [qwen/a, qwen/b] } }'),
      '7:23  models.m.hedge: "p96" is not one of off, p90, p95, p99, did you mean "p90"?',
    ],
    ['a hedge that is too soon', models('{ m: { hedge: 50, to: [qwen/a, qwen/b] } }'), '7:23  models.m.hedge: must be at least 100'],
    [
      'a hedge without a time',
      models('{ m: { hedge: { mostPercent: 5 }, to: [qwen/a, qwen/b] } }'),
      '7:16  models.m.hedge.after: is required',
    ],
    [
      'a hedge after something else',
      models('{ m: { hedge: { after: p50 }, to: [qwen/a, qwen/b] } }'),
      '7:32  models.m.hedge.after: "p50" is not one of p90, p95, p99, did you mean "p90"?',
    ],
    [
      'hedges without end',
      models('{ m: { hedge: { after: p95, mostPercent: 101 }, to: [qwen/a, qwen/b] } }'),
      '7:50  models.m.hedge.mostPercent: must be at most 100',
    ],
    ['a hedge with nobody beside', models('{ m: { hedge: p95, to: [qwen/a] } }'), '7:16  models.m.hedge: needs at least two candidates'],
    [
      'a hedge with nobody beside in any tier',
      models('{ m: { hedge: p95, strategy: cost, to: [qwen/a, { to: qwen/b, tier: 1 }] } }'),
      '7:16  models.m.hedge: needs at least two candidates of one tier',
    ],
    ['a deadline of nothing', models('{ m: { totalDeadlineMs: 0, to: [qwen/a] } }'), '7:33  models.m.totalDeadlineMs: must be at least 1'],
    ['no slash', models('{ gpt-4o: [qwen-plus] }'), '7:20  models.gpt-4o[0]: must be written as backend/model'],
    ['unknown backend', models('{ gpt-4.1: [qwem/x] }'), '7:21  models."gpt-4.1"[0]: unknown backend "qwem", did you mean "qwen"?'],
    ['unknown backend, nothing near', models('{ m: [{ to: zzzzz/x }] }'), '7:21  models.m[0].to: unknown backend "zzzzz"; there are: qwen'],
    ['backend called like a method', models('{ m: [toString/x] }'), '7:15  models.m[0]: unknown backend "toString"; there are: qwen'],
    ['listed twice', models('{ m: [qwen/a, { to: qwen/a }] }'), '7:29  models.m[1].to: qwen/a is listed twice'],
    ['weight 0', models('{ m: [{ to: qwen/a, weight: 0 }] }'), '7:37  models.m[0].weight: must be at least 1'],
    [
      'thinking',
      models('{ m: [{ to: qwen/a, thinking: of }] }'),
      '7:39  models.m[0].thinking: "of" is not one of off, on, auto, did you mean "off"?',
    ],
    ['a number as candidate', models('{ m: [3] }'), '7:15  models.m[0]: must be text or a mapping'],
    ['slip in a candidate', models('{ m: [{ too: qwen/a }] }'), '7:15  models.m[0].to: is required'],
    ['control character in a name', models('{ "a\\nb": [qwen/a] }'), '7:11  models."a\\nb": must be 1 to 128 characters'],
    [
      'unknown vendor',
      team('{ permit: { vendors: [gml], regions: [cn] } }'),
      '4:28  teams.t.permit.vendors[0]: "gml" is not one of qwen, ernie, glm, did you mean "glm"?',
    ],
    ['no regions', team('{ permit: { vendors: [qwen] } }'), '4:8  teams.t.permit.regions: is required'],
    [
      'empty callers',
      team('{ permit: { vendors: [qwen], regions: [cn], callers: [] } }'),
      '4:59  teams.t.permit.callers: must not be an empty list',
    ],
    [
      'region nobody has',
      team('{ permit: { vendors: [qwen], regions: [cn-beijin] } }'),
      '4:45  teams.t.permit.regions[0]: "cn-beijin" matches no region, did you mean "cn-beijing"?',
    ],
    [
      'no network',
      team('{ permit: { vendors: [qwen], regions: ["*"], callers: [10.1] } }'),
      '4:61  teams.t.permit.callers[0]: must be text, not a number with decimals',
    ],
    [
      'shorthand address',
      team('{ permit: { vendors: [qwen], regions: ["*"], callers: ["10.1"] } }'),
      '4:61  teams.t.permit.callers[0]: "10.1" must be an IP address or a network',
    ],
    [
      'prefix too long',
      team('{ permit: { vendors: [qwen], regions: ["*"], callers: [10.0.0.0/33] } }'),
      '4:61  teams.t.permit.callers[0]: "10.0.0.0/33" the part after / must be a whole number from 0 to 32',
    ],
    [
      'host bits',
      team('{ permit: { vendors: [qwen], regions: ["*"], callers: [10.0.0.5/8] } }'),
      '4:61  teams.t.permit.callers[0]: "10.0.0.5/8" is not the start of its network: write 10.0.0.0/8 for the network, or 10.0.0.5',
    ],
    ['time zone', team('{ timeZone: Asia/Shangai }'), '4:18  teams.t.timeZone: must be an IANA time zone such as Asia/Shanghai'],
    ['offset for a zone', team('{ timeZone: "+08:00" }'), '4:18  teams.t.timeZone: must be an IANA time zone such as Asia/Shanghai'],
    ['limit 0', team('{ limits: { rpm: 0 } }'), '4:23  teams.t.limits.rpm: must be at least 1'],
    ['limit beyond exactness', team('{ limits: { tpd: 9007199254740993 } }'), '4:23  teams.t.limits.tpd: must be at most 4503599627'],
    [
      'budget 0',
      team('{ limits: { budget: { amount: 0, currency: CNY, per: day } } }'),
      '4:36  teams.t.limits.budget.amount: must be more than 0',
    ],
    [
      'budget beyond nano-units',
      team('{ limits: { budget: { amount: 9007200, currency: CNY, per: day } } }'),
      '4:36  teams.t.limits.budget.amount: must be at most 9007199',
    ],
    [
      'literal key',
      key('{ name: a, team: t, key: my-own-key }'),
      '6:30  keys[0].key: a key must not be written into the file: write ${NAME}, env:NAME, file:/path or sha256: and 64 hex digits',
    ],
    [
      'a name of two code points where one is enough',
      key('{ name: "cafe\\u0301", team: t, key: "sha256:abcd" }'),
      '6:13  keys[0].name: must be in Unicode’s composed form (NFC)',
    ],
    ['short digest', key('{ name: a, team: t, key: "sha256:abcd" }'), '6:30  keys[0].key: a key must not be written into the file'],
    ['unknown team', key('{ name: a, team: tt, key: env:APP_KEY }'), '6:22  keys[0].team: unknown team "tt", did you mean "t"?'],
    [
      'date without zone',
      key('{ name: a, team: t, key: env:APP_KEY, expires: 2027-01-31T00:00:00 }'),
      '6:52  keys[0].expires: must be an ISO date and time with a zone',
    ],
    [
      '30 February',
      key('{ name: a, team: t, key: env:APP_KEY, expires: 2027-02-30T00:00:00Z }'),
      '6:52  keys[0].expires: must be an ISO date and time with a zone',
    ],
    [
      'key name twice',
      `${GOOD}  - { name: app, team: t, key: env:GLM_KEY }\n`,
      '7:13  keys[1].name: "app" is also the name of another key',
    ],
    ['same key twice', `${GOOD}  - { name: b, team: t, key: env:APP_KEY }\n`, '7:30  keys[1].key: is the same key as that of "app"'],
  ])('%s', (_name, text, expected) => {
    const line = problemsOf(text)[0] ?? '';
    expect(line.slice(0, start(expected).length)).toBe(start(expected));
  });
});
