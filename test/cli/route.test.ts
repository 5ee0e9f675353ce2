import { describe, expect, test } from 'vitest';
import { explainRoute, type NeedOption } from '../../cli/route.ts';
import { callerNamed } from '../../cli/stored-caller.ts';
import { keyDigest } from '../../config/secret.ts';
import { storedSettings } from '../../config/stored-access.ts';
import type { AccessReader } from '../../relay/keys/access-store.ts';
import { VENDORS } from '../../translators/registry.ts';
import { configOf, digestOf } from '../http/desk.ts';

const config = configOf(
  `backends:
  qwen: { vendor: qwen, apiKey: 'env:K' }
  glm: { vendor: glm, apiKey: 'env:K' }
models:
  gpt-4o: [qwen/qwen-plus, qwen/qwen3-vl-plus, glm/glm-4.6]
  cheap: { strategy: cost, to: [qwen/qwen-plus, qwen/qwen-flash] }
teams:
  t: { permit: { vendors: [qwen, glm], regions: ['*'] } }
  home: { permit: { vendors: [qwen], regions: [us-*], models: ['gpt-*'] } }
keys:
  - { name: app, team: t, key: '${digestOf('a'.repeat(20))}' }
  - { name: narrow, team: t, key: '${digestOf('n'.repeat(20))}', permit: { vendors: [glm] } }
  - { name: far, team: home, key: '${digestOf('f'.repeat(20))}' }
`,
  { K: 'id.secret' },
);
const settings = storedSettings(VENDORS);

async function explain(key: string, model: string, needs: NeedOption[] = [], tokens = 100) {
  const entry = await callerNamed(key, config, settings, null);
  if (entry === null) throw new Error(`no key ${key}`);
  const explained = explainRoute(config, entry, { model, key, kind: 'chat', needs, tokens, config: 'test.yaml' });
  return {
    order: explained.ok ? explained.order.map(({ to }) => to) : explained.why,
    skipped: explained.skipped.map(({ to, rule }) => `${to} ${rule}`),
  };
}

describe('explains', () => {
  test.each<[string, string, string, NeedOption[], number, string[] | string, string[]]>([
    ['the order', 'app', 'gpt-4o', [], 100, ['qwen/qwen-plus', 'qwen/qwen3-vl-plus', 'glm/glm-4.6'], []],
    ['a need', 'app', 'gpt-4o', ['vision'], 100, ['qwen/qwen3-vl-plus'], ['qwen/qwen-plus vision', 'glm/glm-4.6 vision']],
    ['JSON, which is emulated', 'app', 'gpt-4o', ['json'], 100, ['qwen/qwen-plus', 'qwen/qwen3-vl-plus', 'glm/glm-4.6'], []],
    ['a long prompt', 'app', 'gpt-4o', [], 500_000, ['qwen/qwen-plus', 'qwen/qwen3-vl-plus', 'glm/glm-4.6'], []],
    ['a permit', 'narrow', 'gpt-4o', [], 100, ['glm/glm-4.6'], ['qwen/qwen-plus vendor', 'qwen/qwen3-vl-plus vendor']],
    ['a price', 'app', 'cheap', [], 100, ['qwen/qwen-flash', 'qwen/qwen-plus'], []],
    ['an unknown name', 'app', 'nope', [], 100, 'unknown', []],
    ['a name that is not permitted', 'far', 'cheap', [], 100, 'unknown', ['qwen/qwen-plus model', 'qwen/qwen-flash model']],
    ['a region', 'far', 'gpt-4o', [], 100, 'region', ['glm/glm-4.6 vendor', 'qwen/qwen-plus region', 'qwen/qwen3-vl-plus region']],
  ])('%s', async (_what, key, model, needs, tokens, order, skipped) => {
    expect(await explain(key, model, needs, tokens)).toEqual({ order, skipped });
  });
});

describe('keys of the database', () => {
  const row = { createdAtMs: 0, changedAtMs: 0, revokedAtMs: null, settings: '{}' };
  const stored = [
    { ...row, id: 'k1', name: 'web', digest: keyDigest('w'.repeat(20)), team: 't', revision: 1 },
    { ...row, id: 'k2', name: 'old', digest: keyDigest('o'.repeat(20)), team: 't', revision: 2, revokedAtMs: 5 },
    { ...row, id: 'k3', name: 'stray', digest: keyDigest('s'.repeat(20)), team: 'gone', revision: 3 },
  ];
  const reader = {
    teamsAfter: async () => [],
    keysAfter: async (after: number) => stored.filter(({ revision }) => revision > after),
  } as unknown as AccessReader;

  test.each([
    ['app', 'app'],
    ['web', 'web'],
    ['old', null],
    ['stray', null],
    ['nobody', null],
  ])('%s', async (name, found) => expect((await callerNamed(name, config, settings, reader))?.key.name ?? null).toBe(found));
});
