import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sources } from '../tools/imports.ts';
import { nginx, openssl, otherRedis, pgbouncer, postgresBin, prometheus, pythonSdk, redisServer } from './services.ts';

const root = mkdtempSync(join(tmpdir(), 'estafet-services-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A program that is never run; its path. */
function program(folder: string, name: string, mode = 0o755): string {
  mkdirSync(join(root, folder), { recursive: true });
  const file = join(root, folder, name);
  writeFileSync(file, '');
  chmodSync(file, mode);
  return file;
}

const redis = program('redis', 'redis-server');
program('data', 'redis-server', 0o644);
for (const version of ['9', '15', '16', 'common']) {
  for (const name of version === '16' ? ['initdb'] : ['initdb', 'pg_ctl', 'createdb']) program(`pg/${version}/bin`, name);
}
for (const name of ['initdb', 'pg_ctl', 'createdb']) program('path', name);
writeFileSync(join(root, 'passwd'), 'root:x:0:0::/root:/bin/sh\npostgres:x:101:104::/var/lib/postgresql:/bin/sh\n');
writeFileSync(join(root, 'others'), 'root:x:0:0::/root:/bin/sh\nnopostgres:x:1:1::/:/bin/sh\n');

describe('redis-server', () => {
  test.each<[string, Record<string, string | undefined>, string | null]>([
    ['in the path', { PATH: `${root}/nowhere:${root}/redis` }, redis],
    ['not in the path', { PATH: `${root}/nowhere::${root}/path` }, null],
    ['a file that cannot be run', { PATH: `${root}/data` }, null],
    ['no path', {}, null],
    ['hidden', { PATH: `${root}/redis`, ESTAFET_TEST_HIDE: 'redis' }, null],
    ['hidden with others', { PATH: `${root}/redis`, ESTAFET_TEST_HIDE: 'postgres,redis' }, null],
    ['another hidden', { PATH: `${root}/redis`, ESTAFET_TEST_HIDE: 'postgres' }, redis],
  ])('%s', (_name, env, found) => expect(redisServer({ env })).toBe(found));
});

describe('Prometheus', () => {
  const server = program('prometheus', 'prometheus');
  const promtool = program('prometheus', 'promtool');
  program('server-only', 'prometheus');
  program('tool-only', 'promtool');
  test.each<[string, Record<string, string>, object | null]>([
    ['in the path', { PATH: `${root}/prometheus` }, { server, promtool }],
    ['without its tool', { PATH: `${root}/server-only` }, null],
    ['its tool alone', { PATH: `${root}/tool-only` }, null],
    ['hidden', { PATH: `${root}/prometheus`, ESTAFET_TEST_HIDE: 'redis,prometheus' }, null],
  ])('%s', (_name, env, found) => expect(prometheus({ env })).toEqual(found));
});

describe('nginx', () => {
  const file = program('sbin', 'nginx');
  test.each<[string, Record<string, string>, string, string | null]>([
    ['in the path', { PATH: `${root}/sbin` }, join(root, 'nowhere'), file],
    ['where only root looks', { PATH: `${root}/path` }, join(root, 'sbin'), file],
    ['nowhere', { PATH: `${root}/path` }, join(root, 'nowhere'), null],
    ['hidden', { PATH: `${root}/sbin`, ESTAFET_TEST_HIDE: 'nginx' }, join(root, 'sbin'), null],
  ])('%s', (_name, env, sbin, found) => expect(nginx({ env, sbin })).toBe(found));
});

describe('PostgreSQL', () => {
  const places = { env: { PATH: `${root}/redis` }, postgresVersions: join(root, 'pg'), users: null };
  test.each<[string, Partial<typeof places> | { env: Record<string, string>; users?: string }, string | null]>([
    ['the newest that is whole', {}, join(root, 'pg/15/bin')],
    ['none', { postgresVersions: join(root, 'redis') }, null],
    ['no such folder', { postgresVersions: join(root, 'nowhere') }, null],
    ['in the path', { postgresVersions: join(root, 'nowhere'), env: { PATH: `${root}/path` } }, join(root, 'path')],
    ['hidden', { env: { PATH: '', ESTAFET_TEST_HIDE: 'redis,postgres' } }, null],
    ['as root, with its user', { env: { PATH: '' }, users: join(root, 'passwd') }, join(root, 'pg/15/bin')],
    ['as root, without its user', { env: { PATH: '' }, users: join(root, 'others') }, null],
  ])('%s', (_name, more, found) => expect(postgresBin({ ...places, ...more })).toBe(found));
});

describe('OpenAI’s SDK for Python', () => {
  const wanted = join(root, 'requirements.txt');
  writeFileSync(wanted, 'openai==1\n');
  for (const [name, stamp] of [
    ['whole', 'openai==1\n'],
    ['older', 'openai==0\n'],
    ['half', null],
  ] as const) {
    program(`${name}/bin`, 'python');
    if (stamp !== null) writeFileSync(join(root, name, 'installed.txt'), stamp);
  }
  test.each<[string, string, string | undefined, string | null]>([
    ['installed', 'whole', undefined, join(root, 'whole/bin/python')],
    ['of another version', 'older', undefined, null],
    ['not to its end', 'half', undefined, null],
    ['not at all', 'nowhere', undefined, null],
    ['hidden', 'whole', 'redis,python', null],
  ])('%s', (_name, folder, hide, found) =>
    expect(pythonSdk({ env: { ESTAFET_TEST_HIDE: hide }, pythonSdk: join(root, folder), pythonRequirements: wanted })).toBe(found),
  );
});

describe('other releases of Redis', () => {
  const wanted = join(root, 'other-redis.txt');
  writeFileSync(wanted, 'both==1\n');
  const both = { 'Redis 6.2': program('both/one/bin', 'redis-server'), Valkey: program('both/two/bin', 'valkey-server') };
  program('single/one/bin', 'redis-server');
  for (const name of ['both', 'single']) writeFileSync(join(root, name, 'installed.txt'), 'both==1\n');
  test.each<[string, string, string | undefined, object | null]>([
    ['both', 'both', undefined, both],
    ['one of them', 'single', undefined, null],
    ['none', 'nowhere', undefined, null],
    ['hidden', 'both', 'other-redis', null],
    ['hidden with Redis', 'both', 'redis', null],
  ])('%s', (_name, folder, hide, found) =>
    expect(otherRedis({ env: { ESTAFET_TEST_HIDE: hide }, otherRedis: join(root, folder), otherRedisRequirements: wanted })).toEqual(found),
  );
});

test('hiding all hides them from this process too', () => {
  const seen = process.env['ESTAFET_TEST_HIDE'];
  process.env['ESTAFET_TEST_HIDE'] = 'redis,postgres,python,prometheus,nginx,openssl,pgbouncer';
  try {
    const found = [redisServer(), postgresBin(), pythonSdk(), prometheus(), nginx(), openssl(), pgbouncer(), otherRedis()];
    expect(found.filter((one) => one !== null)).toEqual([]);
  } finally {
    if (seen === undefined) delete process.env['ESTAFET_TEST_HIDE'];
    else process.env['ESTAFET_TEST_HIDE'] = seen;
  }
});

test.each([
  { call: /\bstartRedis\(/, table: 'REDIS', word: 'redis' },
  { call: /\bpostgresServer\(/, table: 'POSTGRES', word: 'postgres' },
  { call: /\bstartPython\(/, table: 'PYTHON', word: 'python' },
  { call: /\bprometheus\(\)/, table: 'PROMETHEUS', word: 'prometheus' },
])('each test file that makes this call has the table $table, or $word in its name', ({ call, table, word }) => {
  const files = [...sources().keys()].filter((file) => file.endsWith('.test.ts') && call.test(readFileSync(file, 'utf8')));
  expect(files.length).toBeGreaterThan(0);
  const unready = files.filter((file) => {
    const name = file.split('/').at(-1) as string;
    return !name.includes(word) && !new RegExp(`\\b${table}\\b`).test(readFileSync(file, 'utf8'));
  });
  expect(unready).toEqual([]);
});
