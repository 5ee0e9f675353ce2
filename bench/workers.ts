import { AnswerCheck } from './answer-check.ts';
import type { Child } from './children.ts';
import { cpuOf } from './cpu.ts';
import { median, pairedRatio, table } from './figures.ts';
import { Callers } from './load.ts';
import { cannedReply, MODELS, requestBody } from './mock-answers.ts';
import type { Place, Plan } from './plan.ts';
import type { Machine } from './report.ts';
import { startTarget } from './targets.ts';

/** One relay with so many workers, round by round. */
export interface WorkersFigure {
  readonly workers: number;
  /** From the start of the process to the line that it listens, in ms. */
  readonly startMs: number;
  readonly perSecond: number[];
  /** CPU of the relay's processes, in µs a request. */
  readonly micros: number[];
  /** Cores that the relay's processes used. */
  readonly cores: number[];
  /** Cores that callers and mock used: what they take the relay cannot have. */
  readonly loadCores: number[];
}

const COUNTS = [1, 2] as const;
/** Enough that no worker is ever idle for want of a request. */
const CONNECTIONS = 64;

/**
 * One worker beside two, asked as fast as they answer, with limits in Redis and everything on. Nothing is pinned: callers, mock, Redis and relay
 * share the cores, so that two workers reach twice the throughput of one only where there are cores to spare.
 */
export async function measureWorkers(
  plan: Pick<Plan, 'rounds' | 'wholeMs' | 'warmRequests'>,
  place: Place,
  mockPid: number,
  microsPerTick: number,
): Promise<WorkersFigure[]> {
  if (place.redisPort === null) throw new Error('workers need a Redis: install redis-server');
  const check = new AnswerCheck('whole', cannedReply('qwen').content);
  const body = requestBody(MODELS.qwen, 'whole');
  const relays: { figure: WorkersFigure; child: Child; callers: Callers }[] = [];
  for (const workers of COUNTS) {
    const begun = performance.now();
    const child = await startTarget('relay-redis', place, { label: `workers-${workers}`, env: { WORKERS: String(workers) } });
    const startMs = performance.now() - begun;
    const figure = { workers, startMs, perSecond: [], micros: [], cores: [], loadCores: [] };
    relays.push({ figure, child, callers: new Callers(child.origin, CONNECTIONS) });
  }
  for (let round = 0; round <= plan.rounds; round++) {
    place.say(round === 0 ? 'warming up' : `round ${round} of ${plan.rounds}`);
    for (const { figure, child, callers } of relays) {
      const load = (): number => cpuOf(mockPid, microsPerTick) + ownMicros();
      const [cpuBefore, loadBefore, begun] = [cpuOf(child.pid, microsPerTick), load(), performance.now()];
      const until = begun + plan.wholeMs;
      // Each process compiles for itself: warmed for the same time, two would each be half as warm as one.
      const more = round === 0 ? (asked: number) => asked < plan.warmRequests * figure.workers : () => performance.now() < until;
      const requests = await callers.run(body, check, more);
      const micros = (performance.now() - begun) * 1000;
      const cpu = cpuOf(child.pid, microsPerTick) - cpuBefore;
      if (round === 0) continue;
      figure.perSecond.push((requests * 1e6) / micros);
      figure.micros.push(cpu / requests);
      figure.cores.push(cpu / micros);
      figure.loadCores.push((load() - loadBefore) / micros);
    }
  }
  for (const { child, callers } of relays) {
    await callers.close();
    await child.stop();
  }
  return relays.map(({ figure }) => figure);
}

function ownMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

export function workersReport(machine: Machine, plan: Pick<Plan, 'rounds' | 'wholeMs'>, figures: readonly WorkersFigure[]): string {
  const [one, two] = figures as readonly [WorkersFigure, WorkersFigure];
  const rows = figures.map(({ workers, startMs, perSecond, micros, cores, loadCores }) => [
    `${workers} ${workers === 1 ? 'process' : 'workers'}`,
    median(perSecond).toFixed(0),
    median(micros).toFixed(0),
    median(cores).toFixed(2),
    median(loadCores).toFixed(2),
    startMs.toFixed(0),
  ]);
  const ratio = pairedRatio(two.perSecond, one.perSecond);
  const perCpu = pairedRatio(one.micros, two.micros);
  const share = median(two.loadCores) / (median(two.loadCores) + median(two.cores));
  return `Estafet bench of workers, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; nothing is pinned
software Node ${machine.node}, commit ${machine.commit}
load     ${CONNECTIONS} connections, as fast as the answers come; ${plan.rounds} rounds of ${plan.wholeMs} ms, interleaved; limits in Redis; medians

${table([['', 'requests/s', 'µs/request', 'cores: relay', 'cores: callers and mock', 'start, ms'], ...rows])}

Throughput: two workers answered ${ratio.toFixed(2)} times as many requests as one process, free to use all ${machine.cores} cores; of the CPU counted beside them
callers and mock took ${(share * 100).toFixed(0)} % (Redis not counted), which the relay could not have.
CPU: for a second of it two workers answered ${perCpu.toFixed(2)} times as many requests as one process (1 is perfect). Where each has a core of its own, and nothing else is
short, that makes ${(two.workers * perCpu).toFixed(2)} times as many: a calculation, not a measurement.
`;
}
