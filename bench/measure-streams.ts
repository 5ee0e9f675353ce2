import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { AnswerCheck } from './answer-check.ts';
import { cpuOf } from './cpu.ts';
import { median, table } from './figures.ts';
import { liveMemory } from './live-memory.ts';
import { Callers } from './load.ts';
import { STATS_PATH } from './mock.ts';
import { cannedReply, cannedStream, MODELS, requestBody } from './mock-answers.ts';
import type { Place } from './plan.ts';
import { type Machine, pinsOf } from './report.ts';
import { filesOf, parseMostFiles, type Sample, sampleOf, slope } from './samples.ts';
import { type ReadStream, StreamCallers } from './stream-callers.ts';
import { StreamPattern } from './stream-check.ts';
import { startTarget } from './targets.ts';

export interface StreamsPlan {
  readonly streams: number;
  /** For how long they stay open. */
  readonly minutes: number;
  /** Between two chunks of a stream. */
  readonly slowMs: number;
}

export const FULL_STREAMS: StreamsPlan = { streams: 5000, minutes: 10, slowMs: 2000 };
export const QUICK_STREAMS: StreamsPlan = { ...FULL_STREAMS, minutes: 1 };

/** Chunks of each stream: so many that it lasts as long as the plan says. */
export const chunksOf = ({ minutes, slowMs }: StreamsPlan): number => Math.ceil((minutes * 60_000) / slowMs);

export interface StreamsFigures {
  readonly streams: number;
  readonly openMs: number;
  readonly heldMs: number;
  readonly chunks: number;
  /** KiB of resident memory for each stream: median of the first and of the last quarter of the time, and the most at any moment. */
  readonly kib: { readonly first: number; readonly last: number; readonly most: number; readonly pssLast: number };
  /** KiB that a collection leaves of each stream, heap and beside it: at the begin, at the end; and of each when all have ended. */
  readonly live: { readonly first: number; readonly last: number; readonly after: number };
  /** How memory went while all were open, in KiB for each stream and minute. */
  readonly growthKib: number;
  readonly cpu: { readonly share: number; readonly microsPerChunk: number };
  readonly files: { readonly before: number; readonly open: number; readonly after: number };
  readonly rssMib: { readonly before: number; readonly open: number; readonly after: number };
  /** Callers that left before the end, and how many of their streams the vendor still had open then, and for how long. */
  readonly vanished: { readonly callers: number; readonly leftOpen: number; readonly afterMs: number; readonly cpuMicros: number };
  readonly checked: number;
  readonly comments: number;
  readonly faults: readonly string[];
}

const SAMPLE_MS = 3000;
/** So many are opened at a time. */
const WAVE = 100;
/** Of the callers, so many go before their streams have ended, and at this part of the time. */
const VANISH = { part: 0.2, at: 0.9 } as const;
const GONE_MS = 30_000;
/** The relay keeps idle connections to vendors for a while. */
const SETTLE_MS = 90_000;
const WARM_REQUESTS = 2000;
/** Each stream is a connection in and one out; the rest is the process's own. */
const OWN_FILES = 200;

/** Thousands of streams open at once on one relay, for minutes, each checked byte for byte. The mock must be started with this plan's chunks and pace. */
export async function measureStreams(plan: StreamsPlan, place: Place, tick: number): Promise<StreamsFigures> {
  const most = parseMostFiles(readFileSync('/proc/self/limits', 'latin1'));
  if (most < 2 * plan.streams + OWN_FILES) {
    throw new Error(
      `${plan.streams} streams need ${2 * plan.streams + OWN_FILES} file descriptors, and a process may have ${most}: ulimit -n`,
    );
  }
  const { say } = place;
  const live = liveMemory(place);
  const relay = await startTarget('relay', place, live);
  const pattern = await warm(relay.origin, chunksOf(plan));
  await settled(relay.pid, 0);
  const liveBefore = await live.kibOf(relay.pid);
  const before = sampleOf(relay.pid, tick);
  const body = requestBody(MODELS.qwen, 'slow');
  const leaving = Math.floor(plan.streams * VANISH.part);
  const staying = new StreamCallers(relay.origin, pattern, plan.streams - leaving);
  const vanishing = new StreamCallers(relay.origin, pattern, leaving);

  const begun = performance.now();
  const streams: ReadStream[] = [];
  while (streams.length < plan.streams) {
    const wave = Array.from({ length: Math.min(WAVE, plan.streams - streams.length) }, (_, index) =>
      (streams.length + index < leaving ? vanishing : staying).open(body),
    );
    streams.push(...wave);
    await Promise.all(wave.map(({ opened }) => opened));
  }
  const openMs = performance.now() - begun;
  say(`${plan.streams} streams are open after ${(openMs / 1000).toFixed(1)} s`);

  const liveFirst = await live.kibOf(relay.pid);
  const samples: Sample[] = [sampleOf(relay.pid, tick)];
  const eventsSeen = (): number => streams.reduce((sum, { check }) => sum + check.seen, 0);
  const eventsBefore = eventsSeen();
  const until = begun + plan.minutes * 60_000 * VANISH.at;
  while (performance.now() < until) {
    await sleep(Math.min(SAMPLE_MS, Math.max(1, until - performance.now())));
    samples.push(sampleOf(relay.pid, tick));
    if (samples.length % 20 === 0)
      say(`${((performance.now() - begun) / 60_000).toFixed(1)} min: ${kibEach(samples.at(-1) as Sample).toFixed(1)} KiB/stream`);
  }
  const eventsHeld = eventsSeen() - eventsBefore;
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];

  const liveLast = await live.kibOf(relay.pid);
  const cpuBefore = cpuOf(relay.pid, tick);
  const toldAt = performance.now();
  await vanishing.vanish();
  const leftAt = performance.now();
  say(`${leaving} callers are gone, which took ${(leftAt - toldAt).toFixed(0)} ms`);
  let leftOpen = await tooMany(place.mock, plan.streams - leaving);
  while (leftOpen > 0 && performance.now() - leftAt < GONE_MS) {
    await sleep(20);
    leftOpen = await tooMany(place.mock, plan.streams - leaving);
  }
  const afterMs = performance.now() - leftAt;
  const cpuGone = cpuOf(relay.pid, tick) - cpuBefore;
  const ends = await Promise.all(streams.slice(leaving).map(({ ended }) => ended));
  await staying.vanish();
  await settled(relay.pid, before.files);
  const liveAfter = await live.kibOf(relay.pid);
  const after = sampleOf(relay.pid, tick);
  await relay.stop();

  function kibEach({ rssKib }: Sample): number {
    return (rssKib - before.rssKib) / plan.streams;
  }
  const quarter = Math.ceil(samples.length / 4);
  const kibs = samples.map(kibEach);
  const heldMs = last.atMs - first.atMs;
  const cpuMicros = last.cpuMicros - first.cpuMicros;
  return {
    streams: plan.streams,
    openMs,
    heldMs,
    chunks: eventsHeld,
    kib: {
      first: median(kibs.slice(0, quarter)),
      last: median(kibs.slice(-quarter)),
      most: Math.max(...kibs),
      pssLast: median(samples.slice(-quarter).map(({ pssKib }) => (pssKib - before.pssKib) / plan.streams)),
    },
    live: {
      first: (liveFirst - liveBefore) / plan.streams,
      last: (liveLast - liveBefore) / plan.streams,
      after: (liveAfter - liveBefore) / plan.streams,
    },
    growthKib: slope(samples.map((sample) => ({ x: sample.atMs / 60_000, y: kibEach(sample) }))),
    cpu: { share: cpuMicros / 1000 / heldMs, microsPerChunk: cpuMicros / eventsHeld },
    files: { before: before.files, open: last.files, after: after.files },
    rssMib: { before: before.rssKib / 1024, open: last.rssKib / 1024, after: after.rssKib / 1024 },
    vanished: { callers: leaving, leftOpen, afterMs, cpuMicros: cpuGone / leaving },
    checked: ends.filter((fault) => fault === null).length,
    comments: streams.reduce((sum, { check }) => sum + check.comments, 0),
    faults: [...new Set(ends.filter((fault) => fault !== null))].slice(0, 10),
  };
}

/** Brings code and heap to their size; what a stream looks like. */
async function warm(origin: string, chunks: number): Promise<StreamPattern> {
  const callers = new Callers(origin, 32);
  const { content } = cannedStream('qwen', chunks);
  const whole = new AnswerCheck('whole', cannedReply('qwen').content);
  await callers.run(requestBody(MODELS.qwen, 'whole'), whole, (asked) => asked < WARM_REQUESTS);
  const stream = new AnswerCheck('stream', content);
  await callers.run(requestBody(MODELS.qwen, 'stream'), stream, (asked) => asked < 64);
  await callers.close();
  return new StreamPattern(stream.first.toString('utf8'), content);
}

/** Waits until no more than this many files are open, or their number stands still, or patience ends. */
async function settled(pid: number, most: number): Promise<void> {
  let before = -1;
  for (let still = 0, until = performance.now() + SETTLE_MS; still < 10 && performance.now() < until; await sleep(1000)) {
    const files = filesOf(pid);
    if (files <= most) return;
    still = files === before ? still + 1 : 0;
    before = files;
  }
}

/** By how many the mock has more streams open than it should. */
async function tooMany(mock: string, most: number): Promise<number> {
  const { body } = await request(mock + STATS_PATH);
  return Math.max(0, ((await body.json()) as { open: number }).open - most);
}

export function streamsReport(machine: Machine, plan: StreamsPlan, figures: StreamsFigures): string {
  const { kib, files, rssMib, vanished, cpu } = figures;
  const rows: [string, string][] = [
    [`streams open at once, on one process`, String(figures.streams)],
    ['  opened within', `${(figures.openMs / 1000).toFixed(1)} s`],
    ['  all held open for', `${(figures.heldMs / 60_000).toFixed(1)} min`],
    ['  chunks meanwhile', String(figures.chunks)],
    ['KiB that each stream needs, at the begin', figures.live.first.toFixed(1)],
    ['  at the end', figures.live.last.toFixed(1)],
    ['  when all have ended', figures.live.after.toFixed(1)],
    ['KiB of resident memory for each, first quarter of the time', kib.first.toFixed(1)],
    ['  last quarter', kib.last.toFixed(1)],
    ['  last quarter, PSS', kib.pssLast.toFixed(1)],
    ['  the most', kib.most.toFixed(1)],
    ['  growth a minute', figures.growthKib.toFixed(2)],
    ['  the whole process shared out among them', ((rssMib.open * 1024) / figures.streams).toFixed(1)],
    ['CPU, part of one core', `${(cpu.share * 100).toFixed(1)} %`],
    ['  µs for each chunk', cpu.microsPerChunk.toFixed(0)],
    ['  µs a second for each open stream', ((cpu.share * 1e6) / figures.streams).toFixed(0)],
    ['resident MiB before, open, after', `${rssMib.before.toFixed(0)}, ${rssMib.open.toFixed(0)}, ${rssMib.after.toFixed(0)}`],
    ['file descriptors before, open, after', `${files.before}, ${files.open}, ${files.after}`],
    ['callers that vanished', String(vanished.callers)],
    [`  streams left open at the vendor after ${vanished.afterMs.toFixed(0)} ms`, String(vanished.leftOpen)],
    ['  µs of CPU for each that left', vanished.cpuMicros.toFixed(0)],
    ['streams read to their end, every byte as it should be', String(figures.checked)],
    ['  comments sent into silence', String(figures.comments)],
    ['  wrong', figures.faults.length === 0 ? '0' : figures.faults.join('; ')],
  ];
  return `Estafet bench of open streams, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; ${pinsOf(machine.pinned, 'relay', 'mock and load')}
software Node ${machine.node}, commit ${machine.commit}
load     ${plan.streams} streams, each a chunk every ${plan.slowMs} ms; keys, permits, limits in memory, books, log on; a sample every ${SAMPLE_MS} ms

${table(rows)}
`;
}
