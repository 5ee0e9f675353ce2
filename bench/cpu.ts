import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** One process in /proc. CPU in clock ticks: its own and that of its children that have ended. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/**
 * The text of `/proc/PID/stat`. The name in parentheses may hold spaces and parentheses, so fields are counted from the last one on.
 * @throws Error when it is no such text
 */
export function parseStat(text: string): ProcessStat {
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  // proc(5): state is field 3, parent 4, utime 14, stime 15, cutime 16, cstime 17.
  const [parent, ...times] = [4, 14, 15, 16, 17].map((field) => Number(fields[field - 3])) as [number, ...number[]];
  const stat = { pid: Number.parseInt(text, 10), parent, ticks: times.reduce((sum, value) => sum + value, 0) };
  if (close < 0 || !Object.values(stat).every(Number.isSafeInteger)) throw new Error(`not a line of /proc/PID/stat: ${text.slice(0, 80)}`);
  return stat;
}

/** `VmRSS` of `/proc/PID/status`, in KiB. @throws Error when there is none */
export function parseRssKib(text: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(text);
  if (match === null) throw new Error('no VmRSS in /proc/PID/status');
  return Number(match[1]);
}

/** The cores a process may use, from `Cpus_allowed_list` (`0-1,4`) of `/proc/PID/status`. */
export function parseCores(text: string): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(text)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [from, to] = range.split('-').map((part) => Number.parseInt(part, 10)) as [number, number?];
    if (!Number.isInteger(from)) return [];
    return Array.from({ length: (to ?? from) - from + 1 }, (_, index) => from + index);
  });
}

/** Ticks of a process and everything below it, however deep. */
export function treeTicks(root: number, processes: readonly ProcessStat[]): number {
  const family = new Set([root]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  return processes.reduce((sum, { pid, ticks }) => (family.has(pid) ? sum + ticks : sum), 0);
}

/** Microseconds of CPU that a process tree has used so far. Linux only. */
export function cpuOf(pid: number, microsPerTick: number): number {
  const processes: ProcessStat[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      processes.push(parseStat(readFileSync(`/proc/${entry}/stat`, 'latin1')));
    } catch (error) {
      // Processes end while the list is read; the one that is measured must not.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (Number(entry) === pid || (code !== 'ENOENT' && code !== 'ESRCH')) throw error;
    }
  }
  return treeTicks(pid, processes) * microsPerTick;
}

export const rssKibOf = (pid: number): number => parseRssKib(readFileSync(`/proc/${pid}/status`, 'latin1'));

/** @throws Error where `getconf` does not say */
export function microsPerTick(): number {
  const { stdout } = spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' });
  const ticks = Number.parseInt(stdout ?? '', 10);
  if (!(ticks > 0)) throw new Error('getconf CLK_TCK does not tell the ticks per second; the bench runs on Linux only');
  return 1_000_000 / ticks;
}

/** Of util-linux; not on every machine. */
export const TASKSET = 'taskset';

/** Pins all threads of a running process to one core; false where that cannot be done. */
export const pinAll = (pid: number, core: number): boolean => spawnSync(TASKSET, ['-a', '-cp', String(core), String(pid)]).status === 0;
