import { readdirSync, readFileSync } from 'node:fs';
import { cpuOf, rssKibOf } from './cpu.ts';

/** What a process holds at one moment. */
export interface Sample {
  /** Of this process's clock, in ms. */
  readonly atMs: number;
  readonly rssKib: number;
  /** Its share of memory that several processes map; as good as its own here. */
  readonly pssKib: number;
  readonly files: number;
  /** Used so far. */
  readonly cpuMicros: number;
}

/** `Pss` of `/proc/PID/smaps_rollup`, in KiB. @throws Error when there is none */
export function parsePssKib(text: string): number {
  const match = /^Pss:\s+(\d+) kB$/m.exec(text);
  if (match === null) throw new Error('no Pss in /proc/PID/smaps_rollup');
  return Number(match[1]);
}

export function sampleOf(pid: number, microsPerTick: number): Sample {
  return {
    atMs: performance.now(),
    rssKib: rssKibOf(pid),
    pssKib: parsePssKib(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')),
    files: filesOf(pid),
    cpuMicros: cpuOf(pid, microsPerTick),
  };
}

/** File descriptors that are open. */
export const filesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** The most file descriptors a process may have. @throws Error when the text is no `/proc/PID/limits` */
export function parseMostFiles(text: string): number {
  const match = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(text);
  if (match === null) throw new Error('no open files in /proc/PID/limits');
  return match[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match[1]);
}

/** The straight line through points by least squares: its rise for each unit of `x`. @throws RangeError for fewer than two places */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (of: 'x' | 'y'): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean('x'), mean('y')];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  if (!(spread > 0)) throw new RangeError('a line needs two places');
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
}
