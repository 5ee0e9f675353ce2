import { describe, expect, test } from 'vitest';
import type { Key, Team } from '../../config/config.ts';
import { Permit } from '../../relay/permit/permit.ts';
import type { Lists } from './permit-lists.ts';

const team = (permit?: Lists): Team => ({ name: 't', ...(permit === undefined ? {} : { permit }) }) as unknown as Team;
const key = (permit?: Lists): Key => ({ name: 'k', ...(permit === undefined ? {} : { permit }) }) as unknown as Key;
const ALL = { vendors: ['qwen'], regions: ['*'], models: ['*'] };

describe('a permit', () => {
  test('is needed: without the team\u2019s nothing goes, whatever the key says', () => {
    for (const own of [undefined, ALL]) {
      const permit = new Permit(team(), key(own));
      expect([permit.caller('127.0.0.1'), permit.model('m'), permit.vendor('qwen'), permit.region('cn')]).toEqual([
        false,
        false,
        false,
        false,
      ]);
      expect(permit.destination({ vendor: 'qwen', region: 'cn' })).toBe(false);
    }
  });

  test('an empty list permits nothing', () => {
    const permit = new Permit(team({ vendors: [], regions: [], models: [], callers: [] }), key());
    expect([permit.caller('127.0.0.1'), permit.model('m'), permit.vendor('qwen'), permit.region('cn')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test.each<[string, string[], boolean]>([
    ['10.0.0.1', ['10.0.0.0/8'], true],
    ['11.0.0.1', ['10.0.0.0/8'], false],
    ['::ffff:10.0.0.1', ['10.0.0.0/8'], true],
    ['::FFFF:10.0.0.1', ['10.0.0.0/8'], true],
    ['::ffff:a00:1', ['10.0.0.1'], true],
    ['0:0:0:0:0:ffff:10.0.0.1', ['10.0.0.1'], true],
    ['::ffff:11.0.0.1', ['10.0.0.0/8'], false],
    ['::10.0.0.1', ['10.0.0.0/8'], false],
    ['10.0.0.1', ['10.0.0.1'], true],
    ['10.0.0.2', ['10.0.0.1'], false],
    ['10.0.0.2', ['10.0.0.1', '10.0.0.2/32'], true],
    ['127.0.0.1', ['::1'], false],
    ['::1', ['127.0.0.0/8'], false],
    ['::1', ['::1'], true],
    ['::2', ['::1'], false],
    ['2001:db8:1::5', ['2001:db8::/32'], true],
    ['2001:DB8:0:0::5', ['2001:db8::/32'], true],
    ['2001:db9::5', ['2001:db8::/32'], false],
    ['10.0.0.1', ['::/0'], false],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['10.0.0.1', ['0.0.0.0/0'], true],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['', ['0.0.0.0/0', '::/0'], false],
    ['unknown', ['0.0.0.0/0', '::/0'], false],
    ['10.0.0.1, 10.0.0.2', ['0.0.0.0/0'], false],
    ['10.0.0.1:443', ['0.0.0.0/0'], false],
    ['[::1]', ['::/0'], false],
    ['/var/run/socket', ['0.0.0.0/0', '::/0'], false],
    ['10.0.0.256', ['0.0.0.0/0'], false],
  ])('caller %s in %j: %s', (address, callers, allowed) => {
    expect(new Permit(team({ ...ALL, callers }), key()).caller(address)).toBe(allowed);
    expect(new Permit(team(ALL), key({ callers })).caller(address)).toBe(allowed);
    expect(new Permit(team({ ...ALL, callers }), key({ callers: ['203.0.113.0/24'] })).caller(address)).toBe(false);
  });

  test('no list of callers: any address, also one that cannot be read', () => {
    expect(new Permit(team(ALL), key()).caller('')).toBe(true);
  });
});

/** Every list of a permit in four states. */
const STATES = ['absent', 'present', 'matching', 'not'] as const;
type State = (typeof STATES)[number];
const VALUES: Record<keyof Lists, Record<Exclude<State, 'absent'>, string[]>> = {
  vendors: { present: ['qwen', 'ernie', 'glm'], matching: ['qwen'], not: ['glm'] },
  regions: { present: ['*'], matching: ['cn-*'], not: ['intl'] },
  models: { present: ['*'], matching: ['gpt-*'], not: ['glm-*'] },
  callers: { present: ['127.0.0.0/8', '::1'], matching: ['127.0.0.1'], not: ['10.0.0.0/8'] },
};
const NAMES = ['vendors', 'regions', 'models', 'callers'] as const;

function lists(states: readonly State[]): Lists {
  const out: Lists = {};
  NAMES.forEach((name, index) => {
    const state = states[index] as State;
    if (state !== 'absent') out[name] = VALUES[name][state];
  });
  return out;
}

test('over every combination of a team\u2019s and a key\u2019s lists, both must allow', () => {
  const combinations: State[][] = STATES.flatMap((a) => STATES.flatMap((b) => STATES.flatMap((c) => STATES.map((d) => [a, b, c, d]))));
  expect(combinations).toHaveLength(256);
  for (const ofTeam of combinations) {
    for (const ofKey of combinations) {
      const permit = new Permit(team(lists(ofTeam)), key(lists(ofKey)));
      const allows = (index: number): boolean => ofTeam[index] !== 'not' && ofKey[index] !== 'not';
      const got = [permit.vendor('qwen'), permit.region('cn-beijing'), permit.model('gpt-4o'), permit.caller('127.0.0.1')];
      if (got.some((value, index) => value !== allows(index))) throw new Error(`${ofTeam} / ${ofKey}: ${got}`);
      if (permit.destination({ vendor: 'qwen', region: 'cn-beijing' }) !== (allows(0) && allows(1)))
        throw new Error(`${ofTeam} / ${ofKey}`);
    }
  }
});

/** Six places, each a server of its own: what one of them sees has gone there. */
