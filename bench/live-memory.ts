import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from './plan.ts';

/** How a process is started that can be asked for what it needs. */
export interface LiveMemory {
  readonly nodeArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** KiB of the heap and beside it that are still needed after a collection. @throws Error when the process does not answer */
  kibOf(pid: number): Promise<number>;
}

const ANSWER_MS = 30_000;

export function liveMemory({ children }: Place): LiveMemory {
  const file = join(children.folder, 'live');
  return {
    nodeArgs: ['--expose-gc', '--import', new URL('./collect.ts', import.meta.url).pathname],
    env: { BENCH_LIVE: file },
    kibOf: async (pid) => {
      rmSync(file, { force: true });
      process.kill(pid, 'SIGUSR2');
      for (const until = performance.now() + ANSWER_MS; performance.now() < until; await sleep(20)) {
        const text = readIfThere(file);
        if (text.endsWith('\n')) return Number(text) / 1024;
      }
      throw new Error('the process does not say what memory it needs');
    },
  };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
