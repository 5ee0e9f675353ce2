import { table } from './figures.ts';
import { type Machine, pinsOf } from './report.ts';
import { WORKS, type Work } from './translate-work.ts';

/** Sizes a step is measured at: what it costs per message or chunk must be about the same. */
export const SMALL = 100;
export const LARGE = 1000;
/** What the table tells: a long request, a long answer. */
const TOLD = { message: 200, chunk: 1000 } as const;

/** A step of linear cost stays near 1, a quadratic one tends to `LARGE / SMALL`. */
export const MOST_GROWTH = 4;

const ROUNDS = 15;
/** A single round lasts at least this long, in ms, so that the clock's grain does not show. */
const ROUND_MS = 4;

/**
 * The least that doing the work once has cost in the rounds, in µs: what disturbs a round only ever adds.
 * @param now a clock in ms
 */
export function leastMicros(work: () => void, rounds: number, roundMs: number, now: () => number = () => performance.now()): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = now();
    let times = 0;
    let spent = 0;
    do {
      work();
      times++;
      spent = now() - start;
    } while (spent < roundMs);
    least = Math.min(least, (spent * 1000) / times);
  }
  return least;
}

/** What one message or chunk costs more in a large request or stream than in a small one; 1 = the same. */
export function growthOf(work: Work, rounds = ROUNDS, roundMs = ROUND_MS): number {
  const [small, large] = [work.at(SMALL), work.at(LARGE)];
  // Both are warm before either is timed.
  leastMicros(small, 3, roundMs);
  leastMicros(large, 3, roundMs);
  return leastMicros(large, rounds, roundMs) / LARGE / (leastMicros(small, rounds, roundMs) / SMALL);
}

/** What translation costs by itself, without network: a 200-message request and a 1,000-chunk stream. @throws Error when a step's cost grows faster than its input */
export function measureTranslation(machine: Machine, say: (line: string) => void): string {
  const rows = WORKS.map((work): readonly string[] => {
    say(work.name);
    const size = TOLD[work.unit];
    const growth = growthOf(work);
    if (growth > MOST_GROWTH) {
      throw new Error(`${work.name}: a ${work.unit} of ${LARGE} costs ${growth.toFixed(1)} times as much as one of ${SMALL}.`);
    }
    const micros = leastMicros(work.at(size), ROUNDS, ROUND_MS);
    return [work.name, `${size} ${work.unit}s`, micros.toFixed(0), (micros / size).toFixed(2), growth.toFixed(2)];
  });
  return `Estafet bench of translation, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; ${pinsOf(machine.pinned, 'target', 'nothing')}
software Node ${machine.node}, commit ${machine.commit}
growth   what a message or chunk costs in ${LARGE}, over what it costs in ${SMALL}; more than ${MOST_GROWTH} is an error

${table([['', 'size', 'µs', 'µs each', 'growth'], ...rows])}
`;
}
