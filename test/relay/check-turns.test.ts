import { expect, test } from 'vitest';
import { CheckTurns } from '../../relay/emulation/check-turns.ts';
import { SlowSchemas } from '../../relay/emulation/slow-schemas.ts';

const item = (name: string) => ({ owner: name[0] ?? '', schema: name[1] ?? '', name });
const turnsOf = (...names: string[]) => {
  const turns = new CheckTurns<ReturnType<typeof item>>();
  const items = names.map(item);
  for (const each of items) turns.add(each);
  const rest = (): string[] => {
    const taken: string[] = [];
    for (let next = turns.take(); next !== null; next = turns.take()) taken.push(next.name);
    expect(turns.empty).toBe(true);
    return taken;
  };
  return { turns, items, rest };
};

test.each<[string, string[], string[]]>([
  ['one owner, one schema: as they came', ['ax1', 'ax2', 'ax3'], ['ax1', 'ax2', 'ax3']],
  ['owners take turns', ['ax1', 'ax2', 'ax3', 'bx1', 'bx2'], ['ax1', 'bx1', 'ax2', 'bx2', 'ax3']],
  ['and the schemas of an owner', ['ax1', 'ax2', 'ay1', 'bx1'], ['ax1', 'bx1', 'ay1', 'ax2']],
  ['none', [], []],
])('%s', (_name, added, taken) => {
  expect(turnsOf(...added).rest()).toEqual(taken);
});

test('who comes while another is served is next', () => {
  const { turns, rest } = turnsOf('ax1', 'ax2', 'ax3');
  turns.take();
  turns.add(item('bx1'));
  expect(rest()).toEqual(['ax2', 'bx1', 'ax3']);
});

test('removing one, a schema of all owners, and all', () => {
  const { turns, items, rest } = turnsOf('ax1', 'ax2', 'ay1', 'bx1', 'by1');
  const [first] = items;
  if (first === undefined) throw new Error('no item');
  expect([turns.remove(first), turns.remove(first)]).toEqual([true, false]);
  expect(turns.removeSchema('x').map(({ name }) => name)).toEqual(['ax2', 'bx1']);
  expect(rest()).toEqual(['ay1', 'by1']);
  turns.add(first);
  expect(turns.clear()).toEqual([first]);
  expect(rest()).toEqual([]);
});

test('slow schemas are remembered for a minute, and a bounded number of them', () => {
  let nowMs = 0;
  const slow = new SlowSchemas(() => nowMs);
  slow.add('x', 'why');
  nowMs = 59_999;
  expect([slow.why('x'), slow.why('y')]).toEqual(['why', null]);
  nowMs = 60_000;
  expect(slow.why('x')).toBeNull();
  slow.add('first', 'why');
  slow.add('second', 'why');
  slow.add('first', 'why');
  for (let index = 0; index < 999; index++) slow.add(`${index}`, 'why');
  expect([slow.why('first'), slow.why('second'), slow.why('998')]).toEqual(['why', null, 'why']);
});
