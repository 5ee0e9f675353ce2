import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The simulator is a product of its own and a process of its own: nothing of it is loaded into the relay. */
const MAIN = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../simulator/main.ts' : '../simulator/main.js', import.meta.url));

/** `estafet simulate …`: hands over terminal and signals, and exits as the simulator does. */
export function simulate(args: readonly string[]): void {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: 'inherit',
    env: { ...process.env, SIMULATOR_COMMAND: 'estafet simulate' },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
}

export interface SimulatedVendor {
  readonly baseUrl: string;
  /** Protocols besides the one of `baseUrl`. */
  readonly protocolUrls?: Readonly<Record<string, string>>;
  readonly key: string;
}

export interface StartedSimulator {
  readonly admin: string;
  readonly vendors: Readonly<Record<string, SimulatedVendor>>;
  readonly child: ChildProcess;
}

/**
 * Starts the simulator on free ports, bound to the life of this process: it ends when we do, whatever ends us.
 * @throws Error when it does not come up
 */
export function startSimulator(): Promise<StartedSimulator> {
  const child = spawn(process.execPath, [MAIN, '--port', '0'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the simulator did not start within 20 s')), 20_000);
    child.once('exit', (code) => reject(new Error(`the simulator ended at once (exit code ${code})`)));
    child.once('error', reject);
    child.on('message', (message) => {
      const ready = message as { ready?: boolean } & Omit<StartedSimulator, 'child'>;
      if (ready.ready !== true) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve({ admin: ready.admin, vendors: ready.vendors, child });
    });
  });
}
