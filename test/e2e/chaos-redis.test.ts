import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { REDIS } from '../relay/quota/redis-server.ts';
import { cleanUp } from '../server/process.ts';
import { booked, Ear, idsOf, vendorsAgainst } from './chaos-accounts.ts';
import { ask, KINDS, type Question, type Told, WEATHER } from './chaos-callers.ts';
import { FAULTS } from './chaos-faults.ts';
import { type ChaosNode, type ChaosPlace, chaosPlace, TEAMS } from './chaos-place.ts';
import { chance } from './soak.ts';

/**
 * Faults by chance, from a seed: of Redis, of the way to it, of vendors, callers and the configuration, also two at a time. Steps are taken
 * by the number of calls that have ended, never by a clock, so a slow machine sees the same. Afterwards every request is accounted for to
 * the token. `ESTAFET_CHAOS=seed,steps` runs another or a longer one (`ESTAFET_CHAOS=7,200`); a failure tells seed and steps.
 */
const RUNS = process.env['ESTAFET_CHAOS']?.split(',').map(Number) ?? null;
const SEEDS: readonly (readonly [seed: number, steps: number])[] =
  RUNS === null
    ? [
        [1, 8],
        [2, 8],
      ]
    : [[RUNS[0] ?? 1, RUNS[1] ?? 50]];
const CALLERS = 8;
/** Calls that end between two steps, and while a fault lasts. */
const BETWEEN = 12;
const OWNERS = [...TEAMS.map((team) => `team/${team}`), 'backend/qwen', 'backend/ernie'];
const SOON = { timeout: 30_000, interval: 50 };

let place: ChaosPlace | null = null;
afterEach(async () => {
  await place?.close();
  place = null;
  await cleanUp();
});

describe.each(REDIS)('two nodes on one %s', () => {
  test.each(SEEDS)(
    'chance of seed %i, %i steps: every request is accounted for, and nothing is left',
    { timeout: 3_600_000 },
    async (seed, steps) => {
      const here = await chaosPlace(chanceOf(seed, 1));
      place = here;
      const ear = new Ear(here.redis, OWNERS);
      await ear.listen();
      const { told, unreached, taken } = await weathered(here, ear, seed, steps);
      const context = `seed ${seed}, ${told.length} calls: ${taken.join(', ')}`;
      expect(unreached, context).toEqual([]);
      expect(
        told.filter(({ problems }) => problems.length > 0),
        context,
      ).toEqual([]);
      // Whatever was asked of vendors has ended there, and is in the books once.
      const calls = () => here.simulator.journal();
      await expect.poll(() => calls().filter(({ done, aborted }) => !done && !aborted).length, SOON).toBe(0);
      await expect.poll(() => ear.held(), { ...SOON, message: context }).toEqual([]);
      const answered = told.filter(({ id, result }) => id !== null && !['left', 'draining', 'overloaded'].includes(result));
      // A line follows its answer; of a caller that left only the vendor may know.
      const missing = async (): Promise<string[]> => {
        const there = await booked(here.books);
        const settled = new Set(here.records.map(({ id }) => id));
        const wanted = new Set([...answered.map(({ id }) => id as string), ...settled, ...idsOf(calls())]);
        const twice = here.records.length - settled.size;
        const unknown = [...there.values()].filter(({ id, surface }) => surface !== 'probe' && !settled.has(id));
        return [...[...wanted].filter((id) => !there.has(id)), ...unknown.map(({ id }) => id), ...(twice > 0 ? [`${twice} twice`] : [])];
      };
      await expect.poll(missing, { ...SOON, message: context }).toEqual([]);
      const lines = await booked(here.books);
      expect(
        answered.flatMap(({ id, result, tokens }) => {
          const line = lines.get(id as string);
          const right =
            result === 'done' ? line?.reason === 'done' && line.promptTokens + line.completionTokens === tokens : line !== undefined;
          return right ? [] : [{ id, result, tokens, line }];
        }),
        context,
      ).toEqual([]);
      expect(vendorsAgainst(lines, calls()), context).toEqual([]);
      // What Redis has settled is what the books say, of each request; and the levels are what all steps lead to.
      await ear.hear();
      expect(ear.against(lines), context).toEqual([]);
      expect(await ear.levels(), context).toEqual([]);
      expect(told.filter(({ result }) => result === 'done').length, context).toBeGreaterThan(steps);
    },
  );
});

/** Seeds that are neighbours begin alike otherwise. */
const chanceOf = (seed: number, part: number): (() => number) => chance(1_000_003 * seed + 7_919 * part);

interface Weathered {
  readonly told: readonly Told[];
  /** Questions to nodes that were there and did not answer. */
  readonly unreached: readonly string[];
  readonly taken: readonly string[];
}

/** Callers without end, and so many faults, one or two at a time. */
async function weathered(here: ChaosPlace, ear: Ear, seed: number, steps: number): Promise<Weathered> {
  const random = chanceOf(seed, 0);
  const told: Told[] = [];
  const unreached: string[] = [];
  const taken: string[] = [];
  let number = 0;
  let ending = false;
  const caller = async (own: () => number): Promise<void> => {
    const of = <T>(list: readonly T[]): T => list[Math.floor(own() * list.length)] as T;
    while (!ending) {
      const node = of(here.nodes.filter(({ leaving }) => !leaving));
      const { relay } = node;
      const question: Question = { team: of(TEAMS), kind: of(KINDS), weather: own() < 0.35 ? of(WEATHER) : '', number: number++ };
      const one = await ask(relay.url, question);
      // Unless its port was closed meanwhile.
      if (one.result === 'no answer' && relay === node.relay && !node.leaving) unreached.push(JSON.stringify(question));
      told.push(one);
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(chanceOf(seed, 2 + index))));
  const ended = async (count: number): Promise<void> => {
    const wanted = told.length + count;
    while (told.length < wanted) await sleep(5);
  };
  const running = new Map<string, Promise<void>>();
  const faults = Object.entries(FAULTS);
  for (let step = 0; step < steps; step++) {
    const [name, { run, empties = false }] = faults[Math.floor(random() * faults.length)] as (typeof faults)[number];
    const at = random() < 0.5 ? 0 : 1;
    taken.push(`${name} (${at})`);
    // Those of Redis itself come alone.
    const alone = name.startsWith('redis');
    if (alone || running.has(name) || running.size > 1) await Promise.all(running.values());
    if (empties) await ear.hear();
    const fault = run(here, here.nodes[at] as ChaosNode, () => ended(BETWEEN), random);
    running.set(
      name,
      fault.finally(() => running.delete(name)),
    );
    if (alone) await Promise.all(running.values());
    if (empties) await ear.listen();
    await ended(BETWEEN);
  }
  await Promise.all(running.values());
  await ended(BETWEEN);
  ending = true;
  await callers;
  return { told, unreached, taken };
}
