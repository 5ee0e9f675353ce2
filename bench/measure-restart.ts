import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { AnswerCheck } from './answer-check.ts';
import type { Child } from './children.ts';
import { table } from './figures.ts';
import { Callers } from './load.ts';
import { cannedStream, MODELS, requestBody } from './mock-answers.ts';
import type { Place } from './plan.ts';
import { keepablePorts } from './ports.ts';
import { type Machine, pinsOf } from './report.ts';
import { StreamCallers } from './stream-callers.ts';
import { StreamPattern } from './stream-check.ts';
import { startTarget } from './targets.ts';

export interface RestartPlan {
  /** So many are read at any moment, one after another by each caller. */
  readonly streams: number;
  readonly chunks: number;
  readonly slowMs: number;
  /** Processes of each relay; more than one need Redis. */
  readonly workers: number;
}

export const FULL_RESTART: RestartPlan = { streams: 1000, chunks: 20, slowMs: 1000, workers: 1 };
export const QUICK_RESTART: RestartPlan = { streams: 200, chunks: 10, slowMs: 500, workers: 1 };

/** One node told to end, and started anew. */
export interface NodeRestart {
  readonly how: 'told to end at once' | 'taken out first';
  readonly running: number;
  readonly exitCode: number | null;
  readonly drainMs: number;
  /** From the end of the last stream, as its caller saw it, to the end of the process. */
  readonly afterLastMs: number;
  /** From the start of the process to its first 200 at `/readyz`. */
  readonly readyMs: number;
}

export interface RestartFigures {
  readonly restarts: readonly NodeRestart[];
  /** Read to their end, every byte as it should be. */
  readonly whole: number;
  readonly faults: readonly string[];
  /** Sent to a node that was on its way out, and on to the other, by the way in which the node ended. */
  readonly turnedAway: Readonly<Record<NodeRestart['how'], number>>;
}

const LOOK_MS = 100;

/** A node as a load balancer sees it. */
class Node {
  readonly port: number;
  readonly callers: StreamCallers;
  child: Child;
  ready = true;
  /** Taken out by hand. */
  out = false;
  running = 0;
  lastEndMs = 0;

  constructor(child: Child, callers: StreamCallers) {
    this.child = child;
    this.port = Number(new URL(child.origin).port);
    this.callers = callers;
  }

  get used(): boolean {
    return this.ready && !this.out;
  }

  async look(): Promise<boolean> {
    try {
      const { statusCode, body } = await request(`http://127.0.0.1:${this.port}/readyz`, { headersTimeout: 5000 });
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }
}

/**
 * Two relays, restarted one after the other while callers read streams all the time. The first is told to end without a word to anybody; the
 * second is taken out of use first, as an orchestrator does. Callers use what `/readyz` says is ready, and go to the other node when one
 * refuses them: no more than any load balancer does.
 */
export async function measureRestart(plan: RestartPlan, place: Place): Promise<RestartFigures> {
  if (plan.workers > 1 && place.redisPort === null) throw new Error('workers need a Redis: install redis-server');
  const kind = place.redisPort === null ? 'relay' : 'relay-redis';
  const start = (port: number): Promise<Child> => startTarget(kind, place, { port, env: { WORKERS: String(plan.workers) } });
  const ports = await keepablePorts(2);
  const [first, second] = (await Promise.all(ports.map(start))) as [Child, Child];
  const pattern = await learn(first.origin, plan.chunks);
  const nodes = [first, second].map((child) => new Node(child, new StreamCallers(child.origin, pattern, plan.streams)));
  const [one, two] = nodes as [Node, Node];
  const looking = setInterval(() => {
    for (const node of nodes) void node.look().then((ready) => (node.ready = ready));
  }, LOOK_MS);
  const load = new StreamLoad(nodes, plan.streams, plan.chunks * plan.slowMs);
  try {
    await load.full();
    place.say(`${plan.streams} streams run, on ${one.running} and ${two.running}`);
    const restarts = [await restarted(one, 'told to end at once', start, load)];
    place.say('the first node is back');
    await load.full();
    restarts.push(await restarted(two, 'taken out first', start, load));
    place.say('the second node is back');
    await load.end();
    return { restarts, whole: load.whole, faults: [...load.faults], turnedAway: load.turnedAway };
  } finally {
    clearInterval(looking);
    for (const { callers, child } of nodes) {
      await callers.vanish();
      await child.stop();
    }
  }
}

class StreamLoad {
  readonly #nodes: readonly Node[];
  readonly #wanted: number;
  readonly #readers: Promise<void>[];
  #ending = false;
  #running = 0;
  #turn = 0;
  whole = 0;
  readonly faults = new Set<string>();
  readonly turnedAway = { 'told to end at once': 0, 'taken out first': 0 };
  /** How the node that ends now was told to. */
  how: NodeRestart['how'] = 'told to end at once';

  constructor(nodes: readonly Node[], streams: number, streamMs: number) {
    this.#nodes = nodes;
    this.#wanted = streams;
    // Spread over the length of a stream, so that at any moment some end and others begin.
    this.#readers = Array.from({ length: streams }, async (_, index) => {
      await sleep((index * streamMs) / streams);
      await this.#reader();
    });
  }

  /** Every caller reads a stream: but for those who are between two of them. */
  async full(): Promise<void> {
    while (this.#running < this.#wanted * 0.98) await sleep(5);
  }

  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#readers);
  }

  async #reader(): Promise<void> {
    const body = requestBody(MODELS.qwen, 'slow');
    while (!this.#ending) {
      const node = this.#choose();
      if (node === null) {
        await sleep(LOOK_MS);
        continue;
      }
      const stream = node.callers.open(body);
      try {
        await stream.opened;
      } catch {
        // Not begun: the other node is asked, as a load balancer would.
        this.turnedAway[this.how]++;
        node.ready = false;
        continue;
      }
      this.#running++;
      node.running++;
      const fault = await stream.ended;
      node.running--;
      node.lastEndMs = performance.now();
      this.#running--;
      if (fault === null) this.whole++;
      else this.faults.add(fault);
    }
  }

  #choose(): Node | null {
    const used = this.#nodes.filter((node) => node.used);
    return used[this.#turn++ % Math.max(1, used.length)] ?? null;
  }
}

async function restarted(
  node: Node,
  how: NodeRestart['how'],
  start: (port: number) => Promise<Child>,
  load: StreamLoad,
): Promise<NodeRestart> {
  load.how = how;
  node.out = how === 'taken out first';
  // Requests that were on their way to it arrive.
  if (node.out) await sleep(2 * LOOK_MS);
  const { running } = node;
  const toldAt = performance.now();
  const exitCode = await node.child.end();
  const endedAt = performance.now();
  const afterLastMs = endedAt - node.lastEndMs;
  node.child = await start(node.port);
  while (!(await node.look())) await sleep(5);
  const readyMs = performance.now() - endedAt;
  node.out = false;
  return { how, running, exitCode, drainMs: endedAt - toldAt, afterLastMs, readyMs };
}

async function learn(origin: string, chunks: number): Promise<StreamPattern> {
  const { content } = cannedStream('qwen', chunks);
  const check = new AnswerCheck('stream', content);
  const callers = new Callers(origin, 4);
  await callers.run(requestBody(MODELS.qwen, 'stream'), check, (asked) => asked < 4);
  await callers.close();
  return new StreamPattern(check.first.toString('utf8'), content);
}

export function restartReport(machine: Machine, plan: RestartPlan, { restarts, whole, faults, turnedAway }: RestartFigures): string {
  const rows = restarts.map(({ how, running, exitCode, drainMs, afterLastMs, readyMs }) => [
    how,
    String(running),
    String(exitCode),
    `${(drainMs / 1000).toFixed(1)} s`,
    `${afterLastMs.toFixed(0)} ms`,
    `${(readyMs / 1000).toFixed(1)} s`,
    String(turnedAway[how]),
  ]);
  return `Estafet bench of a rolling restart, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; ${pinsOf(machine.pinned, 'relays', 'mock and load')}
software Node ${machine.node}, commit ${machine.commit}
load     ${plan.streams} streams at any moment, of ${((plan.chunks * plan.slowMs) / 1000).toFixed(0)} s each, on two relays${plan.workers === 1 ? '' : ` of ${plan.workers} workers`}

${table([
  ['node', 'streams on it', 'exit code', 'drained in', 'ended after its last stream', 'ready again in', 'requests sent on to the other'],
  ...rows,
])}

${whole} streams were read to their end, every byte as it should be; ${faults.length === 0 ? 'none was cut, none was wrong' : `wrong: ${faults.join('; ')}`}
`;
}
