import { type Demand, MOST_AMOUNT, MOST_RATE } from './limits.ts';
import type { ReserveRequest, Settlement } from './store.ts';

/** Longest lease: a node that lives renews far more often. */
const LONGEST_LEASE_MS = 86_400_000;
/** An auditor's: all lines are kept meanwhile. */
export const LONGEST_LISTENING_MS = 600_000;
const LONGEST_ABOUT = 4096;
const ID = /^[\w.:-]{1,128}$/;
const OWNER = /^(?:team|backend)\/[\w.-]{1,64}$/;
/**
 * No white space: a line of moves is split at it. `@` marks a window's start, `$` the engine's own fields. As long as the longest names
 * of a key and of a model are when escaped: 128 characters of 12 each.
 */
const BUCKET = /^[^\s@$]{1,3200}$/;

/**
 * Numbers and names are checked before they touch a quota: a bad one is a fault of the caller within the relay, never of the client.
 * @throws RangeError that names the field.
 */
export function checkReserve({ id, owner, demands, leaseMs, about }: ReserveRequest): void {
  checkIds(owner, [id]);
  checkAbout(about);
  checkLease(leaseMs);
  // A handful: to compare each with those before it costs less than a set.
  for (let place = 0; place < demands.length; place++) {
    checkDemand(demands[place]!);
    const { bucket } = demands[place]!.limit;
    for (let before = 0; before < place; before++) {
      if (demands[before]!.limit.bucket === bucket) throw new RangeError(`Two demands on one bucket: ${bucket}.`);
    }
  }
}

export function checkSettlement({ id, owner, actual, about }: Settlement): void {
  checkIds(owner, [id]);
  checkAbout(about);
  amount('actual.requests', actual.requests, MOST_RATE);
  amount('actual.tokens', actual.tokens, MOST_RATE);
  amount('actual.nanoCny', actual.nanoCny, MOST_AMOUNT);
  amount('actual.nanoUsd', actual.nanoUsd, MOST_AMOUNT);
}

export function checkLease(leaseMs: number): void {
  amount('leaseMs', leaseMs, LONGEST_LEASE_MS);
  if (leaseMs === 0) throw new RangeError('leaseMs must not be 0.');
}

export function checkListening(ms: number): void {
  amount('the time to listen', ms, LONGEST_LISTENING_MS);
}

export function checkIds(owner: string, ids: readonly string[]): void {
  if (!OWNER.test(owner)) throw new RangeError(`Not an owner of limits: ${JSON.stringify(owner)}.`);
  for (const id of ids) if (!ID.test(id)) throw new RangeError(`Not a reservation's id: ${JSON.stringify(id)}.`);
}

function checkAbout(about: string): void {
  if (about.length > LONGEST_ABOUT) throw new RangeError(`about must have at most ${LONGEST_ABOUT} characters, not ${about.length}.`);
}

function checkDemand({ limit: { bucket, law, measure }, amount: asked }: Demand): void {
  if (!BUCKET.test(bucket)) throw new RangeError(`Not a bucket's name: ${JSON.stringify(bucket)}.`);
  // A call gives its slot back by ending and its money by being cheaper: each measure has the laws that can do so.
  const fits =
    law.kind === 'slots' ? measure === 'concurrency' : measure !== 'concurrency' && (law.kind === 'window' || !measure.startsWith('nano'));
  if (!fits) throw new RangeError(`${measure} cannot be kept under the law ${law.kind}: ${bucket}.`);
  const most = law.kind === 'window' ? MOST_AMOUNT : MOST_RATE;
  if (!isAmount(asked, most)) amount(`the demand on ${bucket}`, asked, most);
}

const isAmount = (value: number, most: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= most;

function amount(what: string, value: number, most: number): void {
  if (isAmount(value, most)) return;
  throw new RangeError(`${what} must be a whole number from 0 to ${most}, not ${value}.`);
}
