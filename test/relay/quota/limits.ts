import { type Demand, type Limit, rateLaw, slotsLaw, type WindowLength, windowLaw } from '../../../relay/quota/limits.ts';
import type { ReserveRequest } from '../../../relay/quota/store.ts';

export const OWNER = 'team/default';
const MINUTE = 60_000;

export const rpm = (amount: number, burst = amount): Limit => ({
  name: 'team.rpm',
  bucket: 'team/rpm',
  measure: 'requests',
  law: rateLaw(amount, MINUTE, burst),
});
export const tpm = (amount: number, burst = amount): Limit => ({
  name: 'key.tpm',
  bucket: 'key/ci/tpm',
  measure: 'tokens',
  law: rateLaw(amount, MINUTE, burst),
});
export const rpd = (amount: number): Limit => ({
  name: 'key.rpd',
  bucket: 'key/ci/rpd',
  measure: 'requests',
  law: rateLaw(amount, 86_400_000),
});
export const slots = (amount: number): Limit => ({
  name: 'team.concurrency',
  bucket: 'team/concurrency',
  measure: 'concurrency',
  law: slotsLaw(amount),
});
export const budget = (amount: number, per: WindowLength = 'month', timeZone = 'UTC'): Limit => ({
  name: `team.budget.${per}.cny`,
  bucket: `team/budget.${per}.cny`,
  measure: 'nanoCny',
  law: windowLaw(amount, per, timeZone),
});

export const ask = (id: string, ...demands: [Limit, number][]): ReserveRequest => ({
  id,
  owner: OWNER,
  demands: demands.map(([limit, amount]): Demand => ({ limit, amount })),
  leaseMs: 30_000,
  about: `{"key":"ci","id":"${id}"}`,
});

export const used = (tokens = 0, nanoCny = 0, requests = 1) => ({ requests, tokens, nanoCny, nanoUsd: 0 });
