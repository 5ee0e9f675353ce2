import { expect, test } from 'vitest';
import { played } from './one-request.ts';
import type { StageOptions } from './stage.ts';

const ENTRY = 'strategy: order, totalDeadlineMs: 1000';
const nothing = () => undefined;
/** What the vendors of `a` and `b` make something else of. */
const more = { seed: 7, logit_bias: { '1': 1 } };
const receiptOf = async (options: StageOptions, act: Parameters<typeof played>[2] = nothing, request: object = more) =>
  (await played(false, { entry: ENTRY, ...options }, act, 500, request)).record.receipt;

const NO_ROOM = ', tpm: 1, retries: 0';
const OVERLOADED: StageOptions['parts'] = { a: [[100, 'overload']] };

test.each<[string, StageOptions, Parameters<typeof played>[2]]>([
  ['its time was over', { parts: OVERLOADED, reserveMs: { b: [1_200] } }, nothing],
  ['its limits left no room', { parts: OVERLOADED, backends: { b: NO_ROOM, c: NO_ROOM } }, nothing],
  ['its caller had left', { parts: OVERLOADED, reserveMs: { b: [1_000] } }, (_, leave) => leave()],
])('a call was made, and another was not, since %s: the receipt is of the one that was', async (_, options, act) => {
  const [ofA, ofB] = [
    await receiptOf({ parts: { a: [[100, 'wrong']] } }),
    await receiptOf({ parts: { a: [[100, 'overload']], b: [[100, 'wrong']] } }),
  ];
  expect(ofA).not.toEqual(ofB);
  expect(await receiptOf(options, act)).toEqual(ofA);
});

test.each<[string, StageOptions]>([
  ['time', { reserveMs: { a: [1_200] } }],
  ['limits', { backends: { a: NO_ROOM, b: NO_ROOM, c: NO_ROOM } }],
])('no call was made, for lack of %s: there is no receipt', async (_, options) => {
  expect(await receiptOf(options)).toBeNull();
});

test('no call was made, since no vendor could carry it: the receipt says of what', async () => {
  const receipt = await receiptOf({}, nothing, { n: 9 });
  expect(receipt?.changes).toMatchObject([{ field: 'n' }]);
});
