import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Backend } from '../../../config/config.ts';
import { OpenAIError } from '../../../openai/errors.ts';
import { BackendQueues, type Full } from '../../../relay/routing/backend-queues.ts';
import type { Waiting } from '../../../relay/routing/waiting.ts';
import { DeadlineWheel } from '../../../relay/upstream/deadlines.ts';
import { type Outcome, type Place, QueueModel } from './queue-model.ts';

const MAX = 3;
const FULL = new OpenAIError('backend_limit_requests', '', { limit: 'backend.concurrency', retryAfterMs: 1000 });
const PLACES = ['b', 'c'] as const;

/** Requests that use the queues as the relay does: ask, wait, ask again when they are woken; each try takes a moment. */
class Requests {
  nowMs = 0;
  readonly wheel = new DeadlineWheel(() => this.nowMs);
  readonly queues = new BackendQueues(this.wheel);
  readonly free: Record<Place, number>;
  readonly outcomes = new Map<number, Outcome>();
  readonly waiting = new Map<number, Waiting>();
  /** Who has been woken, and tries. */
  trying: number | null = null;
  readonly #left = new Set<number>();
  #settings = { max: MAX, waitMs: 0 };

  constructor(slots: number) {
    this.free = { b: slots, c: slots };
  }

  async ask(id: number, team: string, places: readonly Place[], waitMs: number, freed: Place | null): Promise<void> {
    this.#settings = { max: MAX, waitMs };
    const full: Full[] = [];
    for (const place of places) {
      const rooms = this.queues.rooms(place);
      if (this.queues.standing(this.#backend(place), null) === null && this.#take(place)) return this.#end(id, place);
      full.push({ backend: this.#backend(place), error: FULL, rooms });
    }
    if (freed !== null) this.settle(freed, true);
    const waiting = this.queues.join(team, full, Number.POSITIVE_INFINITY);
    if (waiting === null) return this.#end(id, 'told at once');
    this.waiting.set(id, waiting);
    for (;;) {
      const place = (await waiting.next()) as Place | null;
      if (this.#left.has(id) || place === null) return this.#end(id, this.#left.has(id) ? 'gone' : 'over');
      this.trying = id;
      const room = this.queues.standing(this.#backend(place), waiting) === null && this.#take(place);
      await Promise.resolve();
      this.trying = null;
      if (this.#left.has(id)) {
        if (room) this.settle(place, true);
        return this.#end(id, 'gone');
      }
      if (room) {
        waiting.leave();
        return this.#end(id, place);
      }
      waiting.refused(FULL);
    }
  }

  settle(place: Place, told: boolean): void {
    this.free[place]++;
    if (told) this.queues.room(place);
  }

  leave(id: number): void {
    this.#left.add(id);
    this.waiting.get(id)?.leave();
  }

  #backend(name: Place): Backend {
    return { name, queue: this.#settings } as Backend;
  }

  #take(place: Place): boolean {
    if (this.free[place] === 0) return false;
    this.free[place]--;
    return true;
  }

  #end(id: number, outcome: Outcome): void {
    if (this.outcomes.has(id)) throw new Error(`${id} has ended twice`);
    this.outcomes.set(id, outcome);
    this.waiting.delete(id);
  }
}

type Step = (model: QueueModel, real: Requests) => Promise<void>;

/** Everything that waits for nothing has happened by then. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const command = (name: string, step: Step): fc.AsyncCommand<QueueModel, Requests> => ({
  check: () => true,
  run: async (model, real) => {
    await step(model, real);
    await turn();
    expect(new Map([...real.outcomes].sort(([one], [other]) => one - other))).toEqual(
      new Map([...model.outcomes].sort(([one], [other]) => one - other)),
    );
    const lengths = Object.fromEntries([...real.queues.lengths()].map(({ backend, waiting }) => [backend, waiting]));
    expect(lengths).toEqual(Object.fromEntries(PLACES.flatMap((place) => (model.length(place) > 0 ? [[place, model.length(place)]] : []))));
    expect(real.free).toEqual(model.free);
  },
  toString: () => name,
});

const place = fc.constantFrom(...PLACES);
const commands = (places: fc.Arbitrary<readonly Place[]>, other: fc.Arbitrary<fc.AsyncCommand<QueueModel, Requests>>) => {
  const ask = fc.record({
    team: fc.constantFrom('t', 'u', 'v'),
    places,
    waitMs: fc.constantFrom(105, 405, 905),
    freed: fc.option(place, { freq: 3 }),
  });
  return fc.oneof(
    {
      weight: 5,
      arbitrary: ask.map(({ team, places, waitMs, freed }) =>
        command(`ask ${team} ${places} ${waitMs} ${freed}`, async (model, real) => {
          const id = model.waiting.length + model.outcomes.size;
          const isRefused = places.every((one) => model.length(one) > 0 || model.free[one] === 0);
          model.ask(id, team, places, waitMs, isRefused ? freed : null);
          void real.ask(id, team, places, waitMs, freed);
        }),
      ),
    },
    {
      weight: 3,
      arbitrary: place.map((one) =>
        command(`settle ${one}`, async (model, real) => {
          model.settle(one, true);
          real.settle(one, true);
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: place.map((one) =>
        command(`settle ${one} while the next there tries in vain`, async (model, real) => {
          const id = model.head(one);
          real.queues.room(one);
          for (let waits = 0; id !== null && real.trying !== id && waits < 10; waits++) await Promise.resolve();
          expect(real.trying).toBe(id);
          model.settle(one, true);
          real.settle(one, true);
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.nat(10).map((nth) =>
        command(`leave ${nth}`, async (model, real) => {
          const id = model.waiting[nth];
          if (id === undefined) return;
          model.leave(id);
          real.leave(id);
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(place, fc.boolean(), fc.boolean()).map(([one, freed, tries]) =>
        command(
          `the next at ${one} leaves when ${freed ? 'served' : 'woken in vain'}, ${tries ? 'while' : 'before'} it tries`,
          async (model, real) => {
            const id = model.head(one);
            model.headLeaves(one, freed);
            if (freed) real.settle(one, true);
            else real.queues.room(one);
            if (id === null) return;
            for (let waits = 0; tries && real.trying !== id && waits < 10; waits++) await Promise.resolve();
            if (tries) expect(real.trying).toBe(id);
            real.leave(id);
          },
        ),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(10, 100, 250, 500).map((ms) =>
        command(`${ms} ms`, async (model, real) => {
          for (let passed = 0; passed < ms; passed += 5) {
            model.tick(5);
            real.nowMs += 5;
            real.wheel.tick();
            await turn();
          }
        }),
      ),
    },
    { weight: 2, arbitrary: other },
  );
};

const ELSEWHERE = place.map((one) =>
  command(`elsewhere ${one}`, async (model, real) => {
    model.settle(one, false);
    real.settle(one, false);
  }),
);
const EITHER: fc.Arbitrary<readonly Place[]> = fc.constantFrom(['b'], ['c']);
const BOTH: fc.Arbitrary<readonly Place[]> = fc.constantFrom(['b'], ['c'], ['b', 'c'], ['c', 'b']);
const NOTHING = fc.constant(command('nothing', async () => undefined));

test.each([
  // Who looks at one backend while another is looked at is not the next there: with both, all slots come back here.
  ['one place for each, slots that come back elsewhere', EITHER, ELSEWHERE],
  ['some wait at two', BOTH, NOTHING],
] as const)(
  'as the model has it: %s',
  async (_, places, other) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.commands([commands(places, other)], { maxCommands: 60, size: 'max' }), async (slots, steps) => {
        const real = new Requests(slots);
        await fc.asyncModelRun(() => ({ model: new QueueModel(slots, MAX), real }), steps);
        // Whoever is left leaves, and nothing stays behind.
        for (const id of [...real.waiting.keys()]) real.leave(id);
        await turn();
        expect([...real.queues.lengths()]).toEqual([]);
        expect(real.wheel.size).toBe(0);
      }),
      { numRuns: 150 },
    );
  },
  60_000,
);
