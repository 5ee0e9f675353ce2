import { describe, expect, test } from 'vitest';
import type { Key, Team } from '../../config/config.ts';
import { CountryTable } from '../../relay/permit/country-table.ts';
import { Origins } from '../../relay/permit/origins.ts';
import { Permit } from '../../relay/permit/permit.ts';
import { country, mmdb } from './mmdb-writer.ts';

const PROXIES = ['10.0.0.0/8', '2001:db8:ffff::/48'];

describe('the address of the caller', () => {
  test.each<[what: string, peer: string, header: string | undefined, caller: string]>([
    ['no header', '203.0.113.1', undefined, '203.0.113.1'],
    ['not from a trusted proxy: the header is anyone\u2019s', '203.0.113.1', '198.51.100.1', '203.0.113.1'],
    ['a trusted proxy says it', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['a trusted proxy on a dual-stack socket', '::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['a trusted proxy of IPv6', '2001:db8:ffff::1', '2001:db8::5', '2001:db8::5'],
    ['what the caller wrote itself stands to the left', '10.0.0.1', '10.9.9.9, 127.0.0.1, 198.51.100.1', '198.51.100.1'],
    ['rubbish that the caller wrote is not read', '10.0.0.1', 'rubbish, 198.51.100.1', '198.51.100.1'],
    ['a chain of trusted proxies', '10.0.0.1', '198.51.100.1, 10.0.0.3,10.0.0.2', '198.51.100.1'],
    ['all are trusted: the farthest', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['the proxy itself', '10.0.0.1', undefined, '10.0.0.1'],
    ['empty', '10.0.0.1', '', ''],
    ['an empty entry', '10.0.0.1', '198.51.100.1, ', ''],
    ['an empty entry behind a trusted proxy', '10.0.0.1', ', 10.0.0.2', ''],
    ['no address', '10.0.0.1', '198.51.100.1, unknown', ''],
    ['with a port', '10.0.0.1', '198.51.100.1:443', ''],
    ['shorthand', '10.0.0.1', '198.51', ''],
    ['a number', '10.0.0.1', '3325256705', ''],
    ['octal', '10.0.0.1', '0306.51.100.1', ''],
    ['in brackets', '10.0.0.1', '[2001:db8::5]', ''],
    ['IPv4-compatible', '10.0.0.1', '::198.51.100.1', ''],
  ])('%s', (_, peer, header, caller) => {
    expect(new Origins(PROXIES).address(peer, header)).toBe(caller);
    // Without trusted proxies there is no header.
    expect(new Origins().address(peer, header)).toBe(peer);
  });
});

const RECORDS = {
  '203.0.113.0/24': country('CN'),
  '198.51.100.0/25': country('SG'),
  '192.0.2.0/24': { registered_country: { iso_code: 'CN' } },
  '192.0.3.0/24': country('China'),
};
const IPV6 = { '2001:db8::/32': country('CN'), '2001:db9:1::/48': country('SG') };

describe('the country of an address', () => {
  const expected: [address: string, country: string | null][] = [
    ['203.0.113.0', 'CN'],
    ['203.0.113.255', 'CN'],
    ['203.0.114.0', null],
    ['::ffff:203.0.113.7', 'CN'],
    ['198.51.100.127', 'SG'],
    ['198.51.100.128', null],
    ['192.0.2.1', null],
    ['192.0.3.1', null],
    ['', null],
    ['rubbish', null],
  ];
  test.each([24, 32] as const)('records of %i bits', (bits) => {
    const tables = [new CountryTable(mmdb(RECORDS, 4, bits)), new CountryTable(mmdb({ ...RECORDS, ...IPV6 }, 6, bits))];
    for (const table of tables) expect(expected.map(([address]) => [address, table.countryOf(address)])).toEqual(expected);
  });

  test.each<[string, string | null, string | null]>([
    ['2001:db8::1', 'CN', null],
    ['2001:0DB8:ffff:ffff:ffff:ffff:ffff:ffff', 'CN', null],
    ['2001:db9:1::', 'SG', null],
    ['2001:db9:2::', null, null],
    ['::1', null, null],
    ['2001:db8::1%eth0', null, null],
    // IPv4-compatible, where a tree of IPv6 has the IPv4 networks.
    ['::203.0.113.1', null, null],
  ])('%s: %s, and %s by a table of IPv4', (address, of6, of4) => {
    expect(new CountryTable(mmdb({ ...RECORDS, ...IPV6 }, 6)).countryOf(address)).toBe(of6);
    expect(new CountryTable(mmdb(RECORDS, 4)).countryOf(address)).toBe(of4);
  });

  test('what is no table is refused when it is opened', () => {
    expect(() => new CountryTable(Buffer.from('no table'))).toThrow();
    expect(() => new CountryTable(Buffer.alloc(0))).toThrow();
  });
});

describe('countries of a permit', () => {
  const permit = (ofTeam?: string[], ofKey?: string[]): Permit => {
    const lists = { vendors: ['qwen'], regions: ['*'], models: ['*'] };
    const own = ofKey && { permit: { countries: ofKey } };
    return new Permit({ permit: { ...lists, ...(ofTeam && { countries: ofTeam }) } } as unknown as Team, { ...own } as unknown as Key);
  };
  const origins = new Origins([], new CountryTable(mmdb(RECORDS)));
  const countryOf = (address: string): string | null => origins.countryOf(address);

  test.each<[what: string, team: string[] | undefined, key: string[] | undefined, address: string, allowed: boolean]>([
    ['of the team', ['CN', 'SG'], undefined, '203.0.113.1', true],
    ['not of the team', ['SG'], undefined, '203.0.113.1', false],
    ['the key narrows', ['CN', 'SG'], ['SG'], '203.0.113.1', false],
    ['within both', ['CN', 'SG'], ['SG'], '198.51.100.1', true],
    ['the key never widens', ['SG'], ['CN', 'SG'], '203.0.113.1', false],
    ['only the key\u2019s', undefined, ['CN'], '203.0.113.1', true],
    ['an unknown country', ['CN'], undefined, '127.0.0.1', false],
    ['an unknown caller', ['CN'], undefined, '', false],
    ['no list: any', undefined, undefined, '127.0.0.1', true],
    ['an empty list: none', [], undefined, '203.0.113.1', false],
  ])('%s', (_, ofTeam, ofKey, address, allowed) => {
    expect(permit(ofTeam, ofKey).caller(address, countryOf)).toBe(allowed);
    // Without a table no country is known.
    const restricted = ofTeam !== undefined || ofKey !== undefined;
    expect(permit(ofTeam, ofKey).caller(address, (of) => new Origins().countryOf(of))).toBe(!restricted);
  });
});
