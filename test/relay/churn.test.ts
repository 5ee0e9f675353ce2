import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOWHERE, type Placed, PlacedSet } from '../../relay/placed-set.ts';
import { RenewedMap } from '../../relay/renewed-map.ts';

interface Member extends Placed {
  readonly name: number;
}

const member = (name: number): Member => ({ place: NOWHERE, name });

function namesOf(set: PlacedSet<Member>): number[] {
  const names: number[] = [];
  set.forEach(({ name }) => {
    names.push(name);
  });
  return names;
}

describe('PlacedSet', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'delete'), fc.integer({ min: 0, max: 40 })), { maxLength: 400 });

  test('is a Set: members, size, order, and what each step answers', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const members = Array.from({ length: 41 }, (_, name) => member(name));
        const [placed, model] = [new PlacedSet<Member>(), new Set<number>()];
        for (const [step, name] of given) {
          if (step === 'delete') expect(placed.delete(members[name]!)).toBe(model.delete(name));
          else {
            placed.add(members[name]!);
            model.add(name);
          }
          expect(placed.size).toBe(model.size);
        }
        expect(namesOf(placed)).toEqual([...model]);
      }),
    );
  });

  test('a walk meets what is added meanwhile, and not what is deleted meanwhile', () => {
    const set = new PlacedSet<Member>();
    const members = Array.from({ length: 100 }, (_, name) => member(name));
    for (const each of members.slice(0, 99)) set.add(each);
    const met: number[] = [];
    set.forEach(({ name }) => {
      met.push(name);
      if (name === 10) for (const each of members.slice(0, 98)) set.delete(each);
      if (name === 98) set.add(members[99]!);
    });
    expect(met).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 98, 99]);
    expect(namesOf(set)).toEqual([98, 99]);
  });

  test('a walk that throws is over: places are closed up again', () => {
    const set = new PlacedSet<Member>();
    const members = Array.from({ length: 50 }, (_, name) => member(name));
    for (const each of members) set.add(each);
    const broken = () => {
      throw new Error('broken');
    };
    expect(() => set.forEach(broken)).toThrow('broken');
    for (const each of members.slice(0, 49)) set.delete(each);
    expect(members[49]!.place).toBeLessThan(20);
  });

  test('a member of another set is none of its own', () => {
    const [one, other] = [new PlacedSet<Member>(), new PlacedSet<Member>()];
    const [first, second] = [member(1), member(2)];
    one.add(first);
    other.add(second);
    expect(other.delete(first)).toBe(false);
    expect(namesOf(one)).toEqual([1]);
    expect(namesOf(other)).toEqual([2]);
  });
});

describe('RenewedMap', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('set', 'delete'), fc.integer({ min: 0, max: 20 })), { maxLength: 400 });

  test('is a Map: entries, size, order, and what each step answers', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const [renewed, model] = [new RenewedMap<number, number>(), new Map<number, number>()];
        for (const [place, [step, key]] of given.entries()) {
          if (step === 'delete') expect(renewed.delete(key)).toBe(model.delete(key));
          else {
            renewed.set(key, place);
            model.set(key, place);
          }
          expect(renewed.size).toBe(model.size);
          expect([renewed.has(key), renewed.get(key)]).toEqual([model.has(key), model.get(key)]);
        }
        expect([...renewed.keys()]).toEqual([...model.keys()]);
        expect([...renewed.values()]).toEqual([...model.values()]);
        expect([...renewed.entries()]).toEqual([...model.entries()]);
      }),
    );
  });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;

const STAY = 32;
/** Few, so that no full collection comes between. */
const PASS = 3_000;

/** Megabytes left by a scavenge after members of a kilobyte have come and gone, from a table that is old: some five if each of them is left. */
function leftBy(churn: (add: (cargo: unknown[]) => void) => void): number {
  const mebibytes = () => process.memoryUsage().heapUsed / 2 ** 20;
  let base = 0;
  let added = 0;
  churn((cargo) => {
    cargo.push(...Array.from({ length: 60 }, (_, at) => ({ at })));
    if (++added !== STAY) return;
    collect();
    collect();
    base = mebibytes();
  });
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  return mebibytes() - base;
}

describe('what has come and gone is collected young', () => {
  test('PlacedSet', () => {
    const set = new PlacedSet<Placed & { cargo: unknown[] }>();
    const ring: (Placed & { cargo: unknown[] })[] = [];
    const left = leftBy((added) => {
      for (let pass = 0; pass < PASS; pass++) {
        const each = { place: NOWHERE, cargo: [] };
        const leaves = ring[pass % STAY];
        if (leaves !== undefined) set.delete(leaves);
        set.add(each);
        ring[pass % STAY] = each;
        added(each.cargo);
      }
    });
    expect(set.size).toBe(STAY);
    expect(left).toBeLessThan(1);
  });

  const passThrough = (map: RenewedMap<number, unknown[]> | Map<number, unknown[]>): number => {
    const left = leftBy((added) => {
      for (let pass = 0; pass < PASS; pass++) {
        const cargo: unknown[] = [];
        map.delete(pass - STAY);
        map.set(pass, cargo);
        added(cargo);
      }
    });
    expect(map.size).toBe(STAY);
    return left;
  };

  test('RenewedMap', () => {
    expect(passThrough(new RenewedMap())).toBeLessThan(1);
  });

  /** When this fails, V8 has mended it, and the two classes are not needed any more. */
  test('V8’s own Map leaves them', () => {
    expect(passThrough(new Map())).toBeGreaterThan(3);
  });
});
