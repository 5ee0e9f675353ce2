import { expect, test } from 'vitest';
import type { ConfigResult } from '../../../config/load.ts';
import { FileWatch } from '../../../server/reload/file-watch.ts';
import { type Reloaded, Reloader } from '../../../server/reload/reloader.ts';
import { configOf } from '../../http/desk.ts';

const config = configOf("backends: { q: { vendor: qwen, apiKey: 'env:K' } }\nmodels: {}\nteams: {}\nkeys: []\n", { K: 'k' });
const GOOD: ConfigResult = { ok: true, config, warnings: [] };
const BAD: ConfigResult = { ok: false, problems: [{ file: 'f', path: 'keys', line: 2, column: 1, message: 'is wrong' }] };

function reloader(load: () => ConfigResult, apply: () => Promise<{ effect: 'other'; text: string }[]>) {
  const reported: Reloaded[] = [];
  return { reported, made: new Reloader({ load, apply, report: (reloaded) => void reported.push(reloaded) }) };
}

test.each<[string, () => ConfigResult, () => Promise<{ effect: 'other'; text: string }[]>, object]>([
  ['applied', () => GOOD, async () => [{ effect: 'other', text: 'x' }], { outcome: 'applied', changes: [{ effect: 'other', text: 'x' }] }],
  ['the same', () => GOOD, async () => [], { outcome: 'unchanged' }],
  ['a bad file', () => BAD, async () => expect.unreachable(), { outcome: 'refused', problems: ['f:2:1  keys: is wrong'] }],
  ['what cannot be applied', () => GOOD, () => Promise.reject(new Error('no database')), { outcome: 'refused', problems: ['no database'] }],
])('%s', async (_, load, apply, expected) => {
  const { made, reported } = reloader(load, apply);
  expect(await made.reload('signal')).toMatchObject({ cause: 'signal', ...expected });
  expect(reported).toEqual([expect.objectContaining(expected)]);
});

test('one at a time; what is asked for meanwhile is one time more, with the file as it is then', async () => {
  const gates: (() => void)[] = [];
  let loads = 0;
  const load = (): ConfigResult => {
    loads++;
    return GOOD;
  };
  const { made, reported } = reloader(load, () => new Promise((resolve) => gates.push(() => resolve([]))));
  const all = [made.reload('signal'), made.reload('file'), made.reload('signal')];
  expect(loads).toBe(1);
  gates[0]?.();
  await all[0];
  await expect.poll(() => loads).toBe(2);
  gates[1]?.();
  await Promise.all(all);
  expect(loads).toBe(2);
  expect(reported.map(({ cause }) => cause)).toEqual(['signal', 'file']);
});

test('files: a change is told once it has been still from one look to the next', async () => {
  const stamps = new Map<string, string | null>([
    ['a', '1'],
    ['b', '1'],
  ]);
  let files = ['a', 'b'];
  let told = 0;
  const watch = new FileWatch({
    files: () => files,
    onChange: () => void told++,
    stampOf: async (path) => stamps.get(path) ?? null,
  });
  const look = async (...changes: [string, string | null][]): Promise<number> => {
    for (const [path, stamp] of changes) stamps.set(path, stamp);
    told = 0;
    await watch.look();
    return told;
  };
  expect(await look()).toBe(0);
  expect(await look()).toBe(0);
  expect(await look(['a', '2'])).toBe(0);
  expect(await look(['a', '3'])).toBe(0);
  expect(await look()).toBe(1);
  expect(await look()).toBe(0);
  // Gone, and there again as it was: nothing to tell.
  expect(await look(['b', null])).toBe(0);
  expect(await look(['b', '1'])).toBe(0);
  expect(await look()).toBe(0);
  // Gone for good is a change; a file that a new configuration names has just been read.
  expect(await look(['b', null])).toBe(0);
  expect(await look()).toBe(1);
  files = ['a', 'c'];
  expect(await look(['c', '1'])).toBe(0);
  expect(await look()).toBe(0);
  expect(await look(['c', '2'])).toBe(0);
  expect(await look()).toBe(1);
  watch.close();
});
