import { spawnSync } from 'node:child_process';
import { postgresBin, redisServer } from '../test/services.ts';

/**
 * What the tests need from the machine. Looks for it, installs what is missing where it may (as root, from the system's own packages), and
 * tells in one line each what stays missing and which tests are left out for it.
 */
interface Service {
  readonly name: string;
  readonly package: string;
  readonly left: string;
  find(): string | null;
  /** True: installed before any test run; false: on CI only, since it is large. */
  readonly small: boolean;
}

const SERVICES: readonly Service[] = [
  {
    name: 'redis-server',
    package: 'redis-server',
    left: 'the tests of limits kept in Redis',
    find: () => redisServer(),
    small: true,
  },
  {
    name: 'PostgreSQL',
    package: 'postgresql',
    left: 'the tests of books kept in PostgreSQL',
    find: () => postgresBin(),
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
    if ((service.small || ci) && install(service) && service.find() !== null) continue;
    missing.push(service.name);
    console.log(
      ci
        ? `${service.name} is missing, and CI leaves nothing out.`
        : `${service.name} is missing: ${service.left} are left out (apt-get install ${service.package}).`,
    );
  }
  return missing;
}

function install({ name, package: wanted }: Service): boolean {
  // Hidden on purpose, or not ours to install.
  if (process.env['ESTAFET_TEST_HIDE'] !== undefined || process.getuid?.() !== 0) return false;
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return false;
  console.log(`${name} is missing: installing the package ${wanted}.`);
  const apt = (timeout: number, ...args: string[]): boolean =>
    spawnSync('apt-get', args, { stdio: 'ignore', timeout, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0;
  return apt(UPDATE_MS, 'update', '-q') && apt(INSTALL_MS, 'install', '-y', '-q', '--no-install-recommends', wanted);
}
