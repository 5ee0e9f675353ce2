import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TASKSET } from './cpu.ts';

export interface Child {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
  /** Tells it to end (SIGTERM) and waits until it has: its exit code, null when a signal ended it. */
  end(): Promise<number | null>;
}

/** A started process must say where it listens within this time. */
const START_MS = 20_000;
const LISTENS = /http:\/\/127\.0\.0\.1:\d+/;

/**
 * The processes of one bench and their folder. What they print goes into files there: a pipe would have to be read, at a cost that
 * depends on who reads it. `closeAll` leaves nothing behind, and runs on the way out of the process whatever happened.
 */
export class Children {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'estafet-bench-'));
  readonly #running = new Set<ChildProcess>();
  #started = 0;

  constructor() {
    process.on('exit', () => this.closeAll());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
  }

  /**
   * Runs a script with this Node and waits until it tells its address.
   * @param core where it is pinned; null: anywhere
   * @throws Error with the end of what it printed when it does not
   */
  async start(core: number | null, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Child> {
    const file = join(this.folder, `${++this.#started}.log`);
    const log = openSync(file, 'w');
    const pin = core === null ? [] : [TASKSET, '-c', String(core)];
    const [command, ...rest] = [...pin, process.execPath, ...args] as [string, ...string[]];
    const child = spawn(command, rest, {
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...env },
    });
    closeSync(log);
    this.#running.add(child);
    let failure: Error | null = null;
    child.on('error', (error) => {
      failure = error;
    });
    child.on('exit', () => this.#running.delete(child));
    for (const until = Date.now() + START_MS; Date.now() < until; await sleep(50)) {
      const origin = LISTENS.exec(readFileSync(file, 'utf8'))?.[0];
      if (origin !== undefined && child.pid !== undefined)
        return { origin, pid: child.pid, stop: () => stopped(child), end: () => ended(child) };
      if (failure !== null || child.exitCode !== null || child.signalCode !== null) break;
    }
    child.kill('SIGKILL');
    const end = readFileSync(file, 'utf8').slice(-2000);
    throw new Error(`${args.join(' ')} did not start: ${failure === null ? '' : String(failure)}\n${end}`);
  }

  closeAll(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    this.#running.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}
