import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The programs that some tests start for themselves. Where one is missing, the tests that need it are not made: tables leave it out, and
 * files with `redis`, `postgres`, `prometheus` or `nginx` in their names are not read. `tools/test.ts` says so in one line.
 * `ESTAFET_TEST_HIDE=redis,postgres` stands for a machine without them.
 */
export interface Places {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folders that hold one PostgreSQL each, by its major version, e.g. `/usr/lib/postgresql/15`. */
  readonly postgresVersions: string;
  /** Where Debian has servers that only root calls by name. */
  readonly sbin: string;
  /** Set when the tests run as root: PostgreSQL refuses to, and runs as the user its package makes. */
  readonly users: string | null;
  /** Folder of the virtual environment with OpenAI's SDK for Python, which `tools/test.ts` makes. */
  readonly pythonSdk: string;
  /** What was asked to be installed there. */
  readonly pythonRequirements: string;
  /** Folder of the virtual environment with other releases of Redis, which `tools/test.ts` makes. */
  readonly otherRedis: string;
  readonly otherRedisRequirements: string;
}

const PLACES: Places = {
  env: process.env,
  postgresVersions: '/usr/lib/postgresql',
  sbin: '/usr/sbin',
  users: process.getuid?.() === 0 ? '/etc/passwd' : null,
  pythonSdk: fileURLToPath(new URL('../.cache/openai-python', import.meta.url)),
  pythonRequirements: fileURLToPath(new URL('clients/requirements.txt', import.meta.url)),
  otherRedis: fileURLToPath(new URL('../.cache/other-redis', import.meta.url)),
  otherRedisRequirements: fileURLToPath(new URL('relay/quota/other-redis.txt', import.meta.url)),
};

/** Where an environment of Python is made, and from what. */
export interface PythonPlace {
  readonly folder: string;
  readonly requirements: string;
}
export const PYTHON_SDK: PythonPlace = { folder: PLACES.pythonSdk, requirements: PLACES.pythonRequirements };
export const OTHER_REDIS: PythonPlace = { folder: PLACES.otherRedis, requirements: PLACES.otherRedisRequirements };

/** The file that says that an environment is whole: a copy of what it was made from. */
export const stampOf = ({ folder }: PythonPlace): string => join(folder, 'installed.txt');

/** Path of `redis-server`; null when there is none. */
export function redisServer({ env }: Pick<Places, 'env'> = PLACES): string | null {
  return hidden('redis', env) ? null : inPath(env, 'redis-server');
}

/** Folder with `initdb`, `pg_ctl` and `createdb` of the newest PostgreSQL; null when there is none. */
export function postgresBin({ env, postgresVersions, users }: Pick<Places, 'env' | 'postgresVersions' | 'users'> = PLACES): string | null {
  if (hidden('postgres', env)) return null;
  if (users !== null && !/^postgres:/m.test(readFileSync(users, 'utf8'))) return null;
  const folders = versionsIn(postgresVersions).map((version) => join(postgresVersions, version, 'bin'));
  const inFolder = inPath(env, 'initdb');
  if (inFolder !== null) folders.push(join(inFolder, '..'));
  return folders.find((folder) => ['initdb', 'pg_ctl', 'createdb'].every((program) => runs(join(folder, program)))) ?? null;
}

/** Path of `openssl`, which makes the certificates of tests; null when there is none. */
export function openssl({ env }: Pick<Places, 'env'> = PLACES): string | null {
  return hidden('openssl', env) ? null : inPath(env, 'openssl');
}

/** Path of `pgbouncer`; null when there is none. */
export function pgbouncer({ env, sbin }: Pick<Places, 'env' | 'sbin'> = PLACES): string | null {
  return hidden('pgbouncer', env) ? null : inPath({ PATH: `${env['PATH'] ?? ''}:${sbin}` }, 'pgbouncer');
}

/** Python with OpenAI's SDK of the required version; null when that has not been installed, or not to its end. */
export function pythonSdk({
  env,
  pythonSdk: folder,
  pythonRequirements,
}: Pick<Places, 'env' | 'pythonSdk' | 'pythonRequirements'> = PLACES): string | null {
  const program = join(folder, 'bin', 'python');
  if (hidden('python', env) || !runs(program)) return null;
  return isWhole({ folder, requirements: pythonRequirements }) ? program : null;
}

/** Programs of other releases of Redis by their names, as packages of Python bring them; null when these have not been installed. */
export function otherRedis({
  env,
  otherRedis: folder,
  otherRedisRequirements: requirements,
}: Pick<Places, 'env' | 'otherRedis' | 'otherRedisRequirements'> = PLACES): Readonly<Record<'Redis 6.2' | 'Valkey', string>> | null {
  if (hidden('redis', env) || hidden('other-redis', env) || !isWhole({ folder, requirements })) return null;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
  const program = (name: string) => files.find((file) => file.endsWith(`/${name}`) && runs(file));
  const [redis, valkey] = [program('redis-server'), program('valkey-server')];
  return redis === undefined || valkey === undefined ? null : { 'Redis 6.2': redis, Valkey: valkey };
}

/** Prometheus and its tool for rules; null unless both are there. */
export function prometheus({ env }: Pick<Places, 'env'> = PLACES): { readonly server: string; readonly promtool: string } | null {
  if (hidden('prometheus', env)) return null;
  const [server, promtool] = [inPath(env, 'prometheus'), inPath(env, 'promtool')];
  return server === null || promtool === null ? null : { server, promtool };
}

/** Path of `nginx`; null when there is none. */
export function nginx({ env, sbin }: Pick<Places, 'env' | 'sbin'> = PLACES): string | null {
  return hidden('nginx', env) ? null : inPath({ PATH: `${env['PATH'] ?? ''}:${sbin}` }, 'nginx');
}

function isWhole(place: PythonPlace): boolean {
  const stamp = stampOf(place);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(place.requirements, 'utf8');
}

function hidden(service: string, env: Places['env']): boolean {
  return (env['ESTAFET_TEST_HIDE'] ?? '').split(',').includes(service);
}

function inPath(env: Places['env'], program: string): string | null {
  const folders = (env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(runs) ?? null;
}

/** Newest first. */
function versionsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .sort((one, other) => Number(other) - Number(one));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
