import { expect, test } from 'vitest';
import { redisAddress } from '../../config/redis-address.ts';
import { accepted, GOOD, problemsOf } from './setup.ts';

const NOBODY = { user: null, password: null };

test.each([
  ['redis://h:6379/2', { kind: 'alone', tls: false, url: 'redis://h:6379/2' }],
  ['rediss://u:p@h', { kind: 'alone', tls: true, url: 'rediss://u:p@h' }],
  ['redis+cluster://h', { kind: 'cluster', tls: false, nodes: [{ host: 'h', port: 6379 }], ...NOBODY }],
  [
    'rediss+cluster://u:p%40%2F%3A%25@a.example:7000,[::1]:7001,10.0.0.1/',
    {
      kind: 'cluster',
      tls: true,
      nodes: [
        { host: 'a.example', port: 7000 },
        { host: '::1', port: 7001 },
        { host: '10.0.0.1', port: 6379 },
      ],
      user: 'u',
      password: 'p@/:%',
    },
  ],
  ['redis+cluster://:p@h:1', { kind: 'cluster', tls: false, nodes: [{ host: 'h', port: 1 }], user: null, password: 'p' }],
  [
    'redis+sentinel://s1,s2:1000/my-master',
    {
      kind: 'sentinel',
      tls: false,
      sentinels: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 1000 },
      ],
      master: 'my-master',
      database: 0,
      sentinelLogin: NOBODY,
      ...NOBODY,
    },
  ],
  [
    'rediss+sentinel://u:p@s:1/m/3?sentinelUser=su&sentinelPassword=s%26p',
    {
      kind: 'sentinel',
      tls: true,
      sentinels: [{ host: 's', port: 1 }],
      master: 'm',
      database: 3,
      sentinelLogin: { user: 'su', password: 's&p' },
      user: 'u',
      password: 'p',
    },
  ],
])('%s', (text, expected) => {
  expect(redisAddress(text)).toEqual(expected);
  expect(accepted(`${GOOD}redis: "${text}"\n`).config.redis?.reveal()).toBe(text);
});

test.each([
  ['redis+other://h-s3cret:1', 'must be an address such as'],
  ['redis://h-s3cret:1,h:2', 'is not a URL with a host'],
  ['redis+cluster://', 'has a host or a port that is not valid'],
  ['redis+cluster://h-s3cret,', 'has a host or a port that is not valid'],
  ['redis+cluster://h-s3cret:99999', 'has a host or a port that is not valid'],
  ['redis+cluster://h-s3cret:0', 'has a host or a port that is not valid'],
  ['redis+cluster://s3 cret', 'has a host or a port that is not valid'],
  ['redis+cluster://h:1/s3cret', 'must be `redis+cluster://`'],
  ['redis+cluster://h:1?s3cret=1', 'must be `redis+cluster://`'],
  ['redis+cluster://u:s3/cret@h:1', 'must be `redis+cluster://`'],
  ['redis+cluster://u:s3:cret@h:1', 'has more than one `:`'],
  ['redis+cluster://u:s3%cret@h:1', 'has a `%`'],
  ['redis+sentinel://s3cret:1', 'must be `redis+sentinel://`'],
  ['redis+sentinel://s:1/', 'must be `redis+sentinel://`'],
  ['redis+sentinel://s:1/m/s3cret', 'must be `redis+sentinel://`'],
  ['redis+sentinel:///m', 'has a host or a port that is not valid'],
  ['redis+sentinel://s:1/m?password=s3cret', 'may have only `sentinelUser` and `sentinelPassword`'],
  ['redis+sentinel://s:1/m?__proto__=s3cret', 'may have only'],
])('%s is refused and not repeated', (text, fault) => {
  const [problem, ...more] = problemsOf(`${GOOD}redis: "${text}"\n`);
  expect(problem).toContain(`redis: ${fault}`);
  expect(problem).not.toContain('s3');
  expect(more).toEqual([]);
});
