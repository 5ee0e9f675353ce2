import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { booksReport, measureBooks } from './books.ts';
import { Children } from './children.ts';
import { microsPerTick, parseCores, pinAll } from './cpu.ts';
import { measureCpu } from './measure-cpu.ts';
import { measureMemory } from './measure-memory.ts';
import { FULL_RESTART, measureRestart, QUICK_RESTART, restartReport } from './measure-restart.ts';
import { chunksOf, FULL_STREAMS, measureStreams, QUICK_STREAMS, streamsReport } from './measure-streams.ts';
import { FULL, type Place, QUICK } from './plan.ts';
import { measureQuota } from './quota.ts';
import { startRedis } from './redis.ts';
import { latencyOf, type Machine, machineOf, perChunk, perPaced, perRequest, report, summaryOf } from './report.ts';
import { routingMicros, routingReport } from './routing.ts';
import { TARGETS } from './targets.ts';
import { measureTranslation } from './translate.ts';
import { measureWorkers, workersReport } from './workers.ts';

/** Two cores: the first for the target, the second for mock and load; null where that cannot be had. */
function cores(): { readonly target: number; readonly load: number } | null {
  const [target, load] = parseCores(readFileSync('/proc/self/status', 'latin1'));
  if (target === undefined || load === undefined) return null;
  // This process is the load, and the mock inherits from it. All threads: some are running already.
  return pinAll(process.pid, load) ? { target, load } : null;
}

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly build: boolean;
  /** A whole number from 1 that was given, or what stands instead. */
  readonly number: (name: 'rounds' | 'minutes' | 'streams' | 'workers', instead: number) => number;
  /** Progress, for a human. */
  readonly say: (line: string) => void;
}

type Part = (options: Options) => string | Promise<string>;

const PARTS: Readonly<Record<string, Part>> = {
  all: cpuAndMemory,
  books: async () => booksReport(machineOf(null), await measureBooks(process.env['DATABASE_URL'])),
  quota: ({ say }) => measureQuota(machineOf(cores()), microsPerTick(), say),
  restart,
  routing,
  streams,
  workers,
  translate: ({ say }) => measureTranslation(machineOf(null), say),
};

/**
 * What a request and a streamed chunk cost in CPU, and what an open stream costs in memory: the relay beside the least that Node and
 * Express can do, all in front of one mock. Prints figures and judges none of them; exit code 1 only when something could not be measured
 * or an answer was wrong.
 *
 *   npm run bench -- [--quick] [--json] [--rounds N] [--no-build]
 *   npm run bench -- books      what a request takes in the books: SQLite, and PostgreSQL where DATABASE_URL names one to fill
 *   npm run bench -- quota      reservations and settlements in a Redis of its own, against bare EVALSHA
 *   npm run bench -- restart    two relays restarted one after the other under streams: [--quick] [--json] [--streams N] [--workers N]
 *   npm run bench -- routing    choosing among three candidates, by each strategy, and its share of a request
 *   npm run bench -- streams    thousands of streams open at once, for minutes: [--quick] [--json] [--minutes N] [--streams N]
 *   npm run bench -- workers    two workers beside one process: [--quick] [--json] [--rounds N]
 *   npm run bench -- translate  translation by itself; exit code 1 also when a step is not linear
 */
async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: flag, json: flag, 'no-build': flag, rounds: text, minutes: text, streams: text, workers: text },
  });
  const [name = 'all', ...more] = positionals;
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (part === undefined || more.length > 0) throw new Error(`the parts that can be named are ${Object.keys(PARTS).join(', ')}`);
  const number: Options['number'] = (option, instead) => {
    const value = Number(values[option] ?? instead);
    if (!(Number.isInteger(value) && value > 0)) throw new Error(`--${option} must be a whole number from 1`);
    return value;
  };
  const say = (line: string): void => console.error(`bench: ${line}`);
  console.log(await part({ quick: values.quick, json: values.json, build: !values['no-build'], number, say }));
}

/** Builds what is to be measured, and starts the processes around it; they end with `work`. */
async function withMock<T>(
  options: Options,
  mockArgs: readonly string[],
  work: (place: Place, machine: Machine, mockPid: number) => Promise<T>,
  pin = true,
): Promise<T> {
  if (options.build) execFileSync(process.execPath, ['tools/build.ts', '--if-stale'], { stdio: ['ignore', 2, 2] });
  const pinned = pin ? cores() : null;
  const children = new Children();
  try {
    const mock = await children.start(pinned?.load ?? null, ['bench/mock.ts', ...mockArgs]);
    const redis = await startRedis(pinned?.load ?? null, children.folder);
    if (redis === null) options.say('redis-server is not installed: limits in Redis are not measured');
    const place = { children, mock: mock.origin, core: pinned?.target ?? null, redisPort: redis?.port ?? null, say: options.say };
    const result = await work(place, machineOf(pinned), mock.pid);
    redis?.stop();
    return result;
  } finally {
    children.closeAll();
  }
}

function cpuAndMemory(options: Options): Promise<string> {
  const base = options.quick ? QUICK : FULL;
  const plan = { ...base, rounds: options.number('rounds', base.rounds) };
  return withMock(options, ['--chunks', String(plan.chunks)], async (place, machine) => {
    const cpu = await measureCpu(plan, place, microsPerTick());
    const memory = await measureMemory(plan, place);
    const micros = { perPaced: summaryOf(cpu, perPaced), perRequest: summaryOf(cpu, perRequest), perChunk: summaryOf(cpu, perChunk) };
    return options.json
      ? JSON.stringify({ machine, plan, micros, latency: latencyOf(cpu), cpu, memory }, null, 2)
      : report(machine, plan, cpu, memory);
  });
}

/** The choice by itself, beside one request of the whole relay. */
function routing(options: Options): Promise<string> {
  return withMock(options, ['--chunks', '1'], async (place, machine) => {
    const plan = { ...QUICK, chunks: 1, streamsEach: 1, rounds: options.number('rounds', QUICK.rounds) };
    const relay = TARGETS.filter(({ process }) => process === 'relay').slice(0, 1);
    const [figure] = await measureCpu(plan, place, microsPerTick(), relay);
    if (figure === undefined) throw new Error('there is no relay among the targets');
    return routingReport(machine, routingMicros(), figure.perRequest);
  });
}

function streams(options: Options): Promise<string> {
  const base = options.quick ? QUICK_STREAMS : FULL_STREAMS;
  const plan = { ...base, minutes: options.number('minutes', base.minutes), streams: options.number('streams', base.streams) };
  return withMock(options, ['--chunks', String(chunksOf(plan)), '--slow', String(plan.slowMs)], async (place, machine) => {
    const figures = await measureStreams(plan, place, microsPerTick());
    return options.json ? JSON.stringify({ machine, plan, figures }, null, 2) : streamsReport(machine, plan, figures);
  });
}

function restart(options: Options): Promise<string> {
  const base = options.quick ? QUICK_RESTART : FULL_RESTART;
  const plan = { ...base, streams: options.number('streams', base.streams), workers: options.number('workers', base.workers) };
  return withMock(options, ['--chunks', String(plan.chunks), '--slow', String(plan.slowMs)], async (place, machine) => {
    const figures = await measureRestart(plan, place);
    return options.json ? JSON.stringify({ machine, plan, figures }, null, 2) : restartReport(machine, plan, figures);
  });
}

function workers(options: Options): Promise<string> {
  const base = options.quick ? QUICK : FULL;
  const plan = { rounds: options.number('rounds', base.rounds), wholeMs: base.wholeMs, warmRequests: base.warmRequests };
  const measure = async (place: Place, machine: Machine, mockPid: number): Promise<string> => {
    const figures = await measureWorkers(plan, place, mockPid, microsPerTick());
    return options.json ? JSON.stringify({ machine, plan, figures }, null, 2) : workersReport(machine, plan, figures);
  };
  return withMock(options, [], measure, false);
}

main().catch((error: unknown) => {
  console.error('bench:', error instanceof Error ? error.message : error);
  // Whatever was left open: what is measured ends with this process.
  process.exit(1);
});
