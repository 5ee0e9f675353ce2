import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { AnswerCheck } from './answer-check.ts';
import { rssKibOf } from './cpu.ts';
import { Callers, holdStreams } from './load.ts';
import { STATS_PATH } from './mock.ts';
import { cannedReply, cannedStream, MODELS, requestBody } from './mock-answers.ts';
import type { Place, Plan } from './plan.ts';
import { startTarget, TARGETS, type Target } from './targets.ts';

/** One process with many streams open that say nothing, and what is left of them when all callers have gone. */
export interface MemoryFigure {
  readonly name: string;
  readonly process: Target['process'];
  /** KiB of resident memory per open stream, one figure per repeat. */
  readonly kibPerStream: number[];
  /** Streams that could be opened: the fewest of all repeats. */
  opened: number;
  /** Streams to the vendor still open after the callers had gone: the most of all repeats. */
  leftOpen: number;
}

export type MemoryFigures = readonly MemoryFigure[];

/** Requests and streams before the first reading, so that code and heap have their size. */
const WARM_REQUESTS = 2000;
/** How long memory is left to settle, and streams to be closed. */
const SETTLE_MS = 1000;
const GONE_MS = 5000;

export async function measureMemory(plan: Plan, place: Place): Promise<MemoryFigures> {
  const targets = TARGETS.filter(({ process }, index) => TARGETS.findIndex((other) => other.process === process) === index);
  const figures = targets.map(({ process, name }): MemoryFigure => {
    return { name: process === 'relay' ? 'relay' : name, process, kibPerStream: [], opened: plan.held, leftOpen: 0 };
  });
  for (let repeat = 1; repeat <= plan.memoryRepeats; repeat++) {
    place.say(`memory of ${plan.held} open streams, ${repeat} of ${plan.memoryRepeats}`);
    for (const [index, target] of targets.entries()) await measure(target, figures[index] as MemoryFigure, plan, place);
  }
  return figures;
}

async function measure(target: Target, figure: MemoryFigure, plan: Plan, place: Place): Promise<void> {
  const child = await startTarget(target.process, place);
  await warm(target, child.origin, plan);
  await sleep(SETTLE_MS);
  const before = rssKibOf(child.pid);
  const held = await holdStreams(child.origin, requestBody(MODELS[target.dialect], 'held'), plan.held);
  if (held.failure !== null) place.say(`${figure.name}: ${plan.held - held.open} streams could not be opened: ${held.failure}`);
  await sleep(SETTLE_MS);
  figure.kibPerStream.push((rssKibOf(child.pid) - before) / Math.max(1, held.open));
  figure.opened = Math.min(figure.opened, held.open);
  await held.vanish();
  figure.leftOpen = Math.max(figure.leftOpen, await leftOpen(place.mock));
  await child.stop();
}

async function warm({ dialect }: Target, origin: string, plan: Plan): Promise<void> {
  const callers = new Callers(origin, plan.connections);
  const model = MODELS[dialect];
  const whole = new AnswerCheck('whole', cannedReply(dialect).content);
  await callers.run(requestBody(model, 'whole'), whole, (asked) => asked < WARM_REQUESTS);
  const stream = new AnswerCheck('stream', cannedStream(dialect, plan.chunks).content);
  await callers.run(requestBody(model, 'stream'), stream, (asked) => asked < plan.connections);
  await callers.close();
}

/** Streams the mock still has open; asked until there are none or patience ends. */
async function leftOpen(mock: string): Promise<number> {
  for (const until = performance.now() + GONE_MS; ; await sleep(100)) {
    const { body } = await request(mock + STATS_PATH);
    const { open } = (await body.json()) as { open: number };
    if (open === 0 || performance.now() > until) return open;
  }
}
