import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { childEnv } from '../child-env.ts';
import type { Held, Order } from './instruments.ts';

const SCRIPT = fileURLToPath(new URL('./mortal-relay.ts', import.meta.url));
const INSTRUMENTS = fileURLToPath(new URL('./instruments.ts', import.meta.url));

/** A relay in a process of its own, with instruments in it. */
export interface RelayNode {
  readonly url: string;
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it printed. */
  output(): string;
  /** What it printed on standard error. */
  fault(): string;
  /** After a collection. */
  held(): Promise<Held>;
  /** Moves its calendar this far from the true one; the time it believes it is then, in ms. */
  clock(aheadMs: number): Promise<number>;
  /** Open file descriptors. */
  files(): number;
  /** Sends the signal and waits for the end: exit code, or the signal's name. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string>;
}

export interface NodeOptions {
  readonly file: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A minute, as in service, unless told. */
  readonly leaseMs?: number;
  /** What it is started by, in front of Node: `unshare …`. */
  readonly by?: readonly string[];
}

/** The caller ends what it starts; what a failed test has left is ended with this process. */
export async function startNode({ file, cwd, env, leaseMs = 60_000, by = [] }: NodeOptions): Promise<RelayNode> {
  const own = ['--expose-gc', '--import', INSTRUMENTS, SCRIPT, file, String(leaseMs)];
  const [command = process.execPath, ...args] = [...by, process.execPath, ...own];
  const child = spawn(command, args, { cwd, env: { ...childEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let out = '';
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  const exited = once(child, 'exit');
  const leave = (): void => void child.kill('SIGKILL');
  process.on('exit', leave);
  child.once('exit', () => process.off('exit', leave));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (text) => {
      out += text;
      const match = /listens on (\S+)\n/.exec(out);
      if (match !== null) resolve(match[1] as string);
    });
    void exited.then(() => reject(new Error(`the relay did not start: ${said}`)));
  });
  const ask = async <T>(order: Order): Promise<T> => {
    const answer = once(child, 'message');
    child.send(order);
    return ((await answer) as [T])[0];
  };
  return {
    url,
    child,
    pid: child.pid as number,
    output: () => out,
    fault: () => said,
    held: () => ask({ say: 'held' }),
    clock: (aheadMs) => ask({ say: 'clock', aheadMs }),
    files: () => readdirSync(`/proc/${child.pid}/fd`).length,
    end: async (signal) => {
      child.kill(signal);
      const [code, by] = (await exited) as [number | null, string | null];
      return code ?? by ?? 'unknown';
    },
  };
}
