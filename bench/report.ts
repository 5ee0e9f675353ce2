import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { median, pairedDifference, pairedRatio, table } from './figures.ts';
import type { CpuFigure, CpuFigures } from './measure-cpu.ts';
import type { MemoryFigures } from './measure-memory.ts';
import { CHUNK_BYTES, REPLY_BYTES, REQUEST_BYTES } from './mock-answers.ts';
import type { Plan } from './plan.ts';

/** Where the figures come from: without it they say little. */
export interface Machine {
  readonly at: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** `+` at the end: with changes that are not committed. */
  readonly commit: string;
  /** Null: nothing was pinned, and the figures are worth less. */
  readonly pinned: { readonly target: number; readonly load: number } | null;
}

export function machineOf(pinned: Machine['pinned']): Machine {
  const all = cpus();
  return {
    at: new Date().toISOString(),
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    commit: commit(),
    pinned,
  };
}

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    // Not a git tree, or no git: the figures stand all the same.
    return 'unknown';
  }
}

export const pinsOf = (pinned: Machine['pinned'], target: string, load: string): string =>
  pinned === null ? 'not pinned' : `${target} on core ${pinned.target}, ${load} on core ${pinned.load}`;

export function report(machine: Machine, plan: Plan, cpu: CpuFigures, memory: MemoryFigures): string {
  const pins = pinsOf(machine.pinned, 'target', 'mock and load');
  return `Estafet bench, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; ${pins}
software Node ${machine.node}, commit ${machine.commit}
load     ${plan.connections} connections; ${REQUEST_BYTES}-byte request, ${REPLY_BYTES}-byte reply; streams of ${plan.chunks} chunks of ${CHUNK_BYTES} bytes;
         ${plan.warmRequests} requests each to warm up, then ${plan.rounds} rounds, interleaved

CPU time of the process tree, median of the rounds (least to most); ratios are medians of the ratios of the rounds

${cpuTable(`µs/request, ${plan.rate} a second`, summaryOf(cpu, perPaced), 0)}

${cpuTable('µs/request, as fast as it can', summaryOf(cpu, perRequest), 0)}

${cpuTable('µs/chunk', summaryOf(cpu, perChunk), 1)}

${latencyTable(plan, latencyOf(cpu))}

${memoryTable(plan, memory)}
`;
}

/** One column of figures in one number each, and how many times as much as the bare proxies it is. */
export interface Summary {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly overExpress: number;
  readonly overNode: number;
  /** Null: no Redis was there. */
  readonly overRedis: number | null;
}

export function summaryOf(cpu: CpuFigures, of: (figure: CpuFigure) => readonly number[]): Summary[] {
  const base = (process: CpuFigure['process']): readonly number[] => cpu.filter((figure) => figure.process === process).flatMap(of);
  const [express, node, redis] = [base('express'), base('node'), base('express-redis')];
  return cpu.map((figure) => {
    const values = of(figure);
    return {
      name: figure.name,
      median: median(values),
      least: Math.min(...values),
      most: Math.max(...values),
      overExpress: pairedRatio(values, express),
      overNode: pairedRatio(values, node),
      overRedis: redis.length === 0 ? null : pairedRatio(values, redis),
    };
  });
}

export const perRequest = ({ perRequest: values }: CpuFigure): readonly number[] => values;
export const perPaced = ({ perPaced: values }: CpuFigure): readonly number[] => values;
export const perChunk = ({ perChunk: values }: CpuFigure): readonly number[] => values;

function cpuTable(unit: string, summaries: readonly Summary[], digits: number): string {
  const rows = summaries.map((one) => [
    one.name,
    one.median.toFixed(digits),
    `(${one.least.toFixed(digits)} to ${one.most.toFixed(digits)})`,
    one.overExpress.toFixed(2),
    one.overNode.toFixed(2),
    one.overRedis?.toFixed(2) ?? '-',
  ]);
  return table([['', unit, '', '÷ Express', '÷ Node', '÷ two EVALSHA'], ...rows]);
}

/** What callers wait, in ms, and how much of it the bare proxies do not make them wait. */
export interface Latency {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  readonly overNode: { readonly p50: number; readonly p99: number };
  readonly overExpress: { readonly p50: number; readonly p99: number };
}

export function latencyOf(cpu: CpuFigures): Latency[] {
  const of = (process: CpuFigure['process']) => cpu.find((figure) => figure.process === process);
  const over = (figure: CpuFigure, base: CpuFigure | undefined) => ({
    p50: pairedDifference(figure.p50, base?.p50 ?? []),
    p99: pairedDifference(figure.p99, base?.p99 ?? []),
  });
  return cpu.map((figure) => ({
    name: figure.name,
    p50: median(figure.p50),
    p99: median(figure.p99),
    overNode: over(figure, of('node')),
    overExpress: over(figure, of('express')),
  }));
}

function latencyTable(plan: Plan, latencies: readonly Latency[]): string {
  const added = ({ p50, p99 }: Latency['overNode']): string[] => [p50.toFixed(2), p99.toFixed(2)];
  const rows = latencies.map(({ name, p50, p99, overNode, overExpress }) => [
    name,
    p50.toFixed(2),
    p99.toFixed(2),
    ...added(overNode),
    ...added(overExpress),
  ]);
  const head = [`ms, ${plan.rate} a second`, 'p50', 'p99', 'p50 over Node', 'p99', 'p50 over Express', 'p99'];
  return table([head, ...rows]);
}

function memoryTable(plan: Plan, memory: MemoryFigures): string {
  const rows = memory.map(({ name, kibPerStream, opened, leftOpen }) => [
    name,
    median(kibPerStream).toFixed(0),
    String(opened),
    String(leftOpen),
  ]);
  return table([[`${plan.held} idle streams`, 'KiB/stream', 'opened', 'left open once the callers had gone'], ...rows]);
}
