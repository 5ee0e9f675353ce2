import { AnswerCheck } from './answer-check.ts';
import type { Child } from './children.ts';
import { cpuOf } from './cpu.ts';
import { quantile } from './figures.ts';
import { Callers } from './load.ts';
import { cannedReply, cannedStream, MODELS, requestBody } from './mock-answers.ts';
import type { Place, Plan } from './plan.ts';
import { REDIS_TARGETS, startTarget, TARGETS, type Target } from './targets.ts';

/** Microseconds of CPU of one target, round by round. */
export interface CpuFigure {
  readonly name: string;
  readonly process: Target['process'];
  /** Asked as fast as it can answer. */
  readonly perRequest: number[];
  /** Asked at the plan's rate, as every other. */
  readonly perPaced: number[];
  readonly perChunk: number[];
  /** From request to whole answer in ms, asked at the plan's rate. */
  readonly p50: number[];
  readonly p99: number[];
}

export type CpuFigures = readonly CpuFigure[];

interface Measured extends CpuFigure {
  readonly child: Child;
  readonly callers: Callers;
  readonly whole: { readonly body: string; readonly check: AnswerCheck };
  readonly stream: { readonly body: string; readonly check: AnswerCheck };
}

/**
 * All targets run side by side, idle but for the one whose turn it is: A B C A B C, so that what changes on the machine in the
 * meantime meets them all. Before that each has answered as many requests as another; the first round warms up too, and is not counted.
 */
export async function measureCpu(
  plan: Plan,
  place: Place,
  microsPerTick: number,
  targets: readonly Target[] = place.redisPort === null ? TARGETS : [...TARGETS, ...REDIS_TARGETS],
): Promise<CpuFigures> {
  const processes = new Map<Target['process'], Child>();
  const measured: Measured[] = [];
  for (const target of targets) {
    const child = processes.get(target.process) ?? (await startTarget(target.process, place));
    processes.set(target.process, child);
    measured.push(prepare(target, child, plan));
  }
  place.say('warming up');
  for (const { callers, whole, stream } of measured) {
    await callers.run(whole.body, whole.check, (asked) => asked < plan.warmRequests);
    await callers.run(stream.body, stream.check, (asked) => asked < plan.connections * plan.streamsEach);
  }
  for (let round = 0; round <= plan.rounds; round++) {
    place.say(round === 0 ? 'round 0, not counted' : `round ${round} of ${plan.rounds}`);
    for (const target of measured) {
      try {
        const perRequest = await wholeRound(target, plan, microsPerTick);
        const paced = await pacedRound(target, plan, microsPerTick);
        const perChunk = await streamRound(target, plan, microsPerTick);
        if (round === 0) continue;
        target.perRequest.push(perRequest);
        target.perPaced.push(paced.micros);
        target.p50.push(quantile(paced.latencies, 0.5));
        target.p99.push(quantile(paced.latencies, 0.99));
        target.perChunk.push(perChunk);
      } catch (error) {
        throw new Error(`${target.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  }
  for (const { callers } of measured) await callers.close();
  for (const child of processes.values()) await child.stop();
  return measured.map(({ name, process, perRequest, perPaced, perChunk, p50, p99 }) => ({
    name,
    process,
    perRequest,
    perPaced,
    perChunk,
    p50,
    p99,
  }));
}

function prepare({ name, process, dialect }: Target, child: Child, plan: Plan): Measured {
  const model = MODELS[dialect];
  return {
    name,
    process,
    perRequest: [],
    perPaced: [],
    perChunk: [],
    p50: [],
    p99: [],
    child,
    callers: new Callers(child.origin, plan.connections),
    whole: { body: requestBody(model, 'whole'), check: new AnswerCheck('whole', cannedReply(dialect).content) },
    stream: { body: requestBody(model, 'stream'), check: new AnswerCheck('stream', cannedStream(dialect, plan.chunks).content) },
  };
}

async function wholeRound({ child, callers, whole }: Measured, plan: Plan, microsPerTick: number): Promise<number> {
  const before = cpuOf(child.pid, microsPerTick);
  const until = performance.now() + plan.wholeMs;
  const requests = await callers.run(whole.body, whole.check, () => performance.now() < until);
  return (cpuOf(child.pid, microsPerTick) - before) / requests;
}

async function pacedRound({ child, callers, whole }: Measured, plan: Plan, microsPerTick: number) {
  const before = cpuOf(child.pid, microsPerTick);
  const latencies = await callers.paced(whole.body, whole.check, plan.rate, plan.wholeMs);
  return { micros: (cpuOf(child.pid, microsPerTick) - before) / latencies.length, latencies };
}

/** What a stream costs to begin and end is in it too: a thousandth of a request per chunk. */
async function streamRound({ child, callers, stream }: Measured, plan: Plan, microsPerTick: number): Promise<number> {
  const before = cpuOf(child.pid, microsPerTick);
  const wanted = plan.connections * plan.streamsEach;
  const streams = await callers.run(stream.body, stream.check, (asked) => asked < wanted);
  return (cpuOf(child.pid, microsPerTick) - before) / (streams * plan.chunks);
}
