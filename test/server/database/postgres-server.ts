import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';
import { postgresBin } from '../../services.ts';

const BIN = postgresBin();

/** A table of one row for tests that need a PostgreSQL, and of none where there is no program to start. */
export const POSTGRES: readonly string[] = BIN === null ? [] : ['PostgreSQL'];

/** A PostgreSQL of this test's own, on a free port of 127.0.0.1, in a temporary folder. */
export interface PostgresServer {
  readonly port: number;
  /** Where its Unix socket lies. */
  readonly folder: string;
  /** A new, empty database; its URL. */
  database(): string;
  start(): void;
  /** Cuts every connection at once. */
  stop(): void;
  /** SIGSTOP of the processes, so that it accepts connections and answers nothing; false: SIGCONT. */
  freeze(frozen: boolean): void;
  remove(): void;
}

/** @param settings as `postgresql.conf` has them; @param access lines of `pg_hba.conf`, in place of one that lets everybody in */
export async function postgresServer(
  settings: Readonly<Record<string, string>> = {},
  access: readonly string[] = [],
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'estafet-postgres-'));
  const data = join(folder, 'data');
  const port = await freePort();
  chmodSync(folder, 0o777);
  run('initdb', '-D', data, '-A', 'trust', '-U', 'estafet', '--no-sync', '--locale=C.UTF-8', '-E', 'UTF8');
  if (access.length > 0) writeFileSync(join(data, 'pg_hba.conf'), `${access.join('\n')}\n`);
  const more = Object.entries(settings).map(([name, value]) => ` -c ${name}=${value}`);
  const start = (): void => {
    run(
      'pg_ctl',
      '-D',
      data,
      '-w',
      '-s',
      '-l',
      join(folder, 'log'),
      '-o',
      `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off${more.join('')}`,
      'start',
    );
  };
  const stop = (): void => run('pg_ctl', '-D', data, '-w', '-s', '-m', 'immediate', 'stop');
  start();
  let made = 0;
  return {
    port,
    folder,
    start,
    stop,
    database: () => {
      const name = `books${++made}`;
      run('createdb', '-h', '127.0.0.1', '-p', String(port), '-U', 'estafet', name);
      return `postgres://estafet@127.0.0.1:${port}/${name}`;
    },
    freeze: (frozen) => {
      const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
      const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(postmaster)], { encoding: 'utf8' })
        .trim()
        .split(/\s+/);
      for (const pid of [postmaster, ...children.map(Number)]) process.kill(pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    remove: () => {
      if (existsSync(join(data, 'postmaster.pid'))) stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root: then it runs as the user its package makes. */
function run(program: string, ...args: readonly string[]): void {
  if (BIN === null) throw new Error('PostgreSQL is missing: apt-get install -y postgresql');
  const command = [join(BIN, program), ...args];
  const asRoot = process.getuid?.() === 0;
  const [file, ...rest] = asRoot ? ['su', 'postgres', '-c', command.map((part) => `'${part}'`).join(' ')] : command;
  const done = spawnSync(file as string, rest, { encoding: 'utf8', cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
  if (done.status !== 0) throw new Error(`${program} failed: ${done.stderr || done.error}`);
}
