/** One authenticated request on its way through the vendor, and what all endpoints make of it. */

import type { Accounting, Handled, Incoming, Kernel, Reply } from '../kernel/types.ts';
import type { ReplyIds } from './envelope.ts';
import { MODEL_DENIED, Refusal } from './errors.ts';
import type { Wishes } from './faults.ts';
import type { JsonObject } from './json.ts';
import type { KeyRow } from './keys.ts';

export interface Call {
  readonly incoming: Incoming;
  readonly kernel: Kernel;
  readonly key: KeyRow;
  readonly wishes: Wishes;
  readonly body: JsonObject;
  readonly ids: ReplyIds;
  /** Monthly plan path: plan keys and plan models only. */
  readonly plan: boolean;
}

/** `as-` and ten base-36 digits, derived from the request's number so that runs repeat. */
export function answerId(incoming: Incoming, kernel: Kernel): string {
  return `as-${BigInt(`0x${kernel.hex(incoming, 'answer', 16)}`)
    .toString(36)
    .padStart(10, '0')
    .slice(-10)}`;
}

export function createdSeconds(incoming: Incoming): number {
  return Math.floor(incoming.nowMs / 1000);
}

/**
 * The `model` field as typed.
 * @throws Refusal 400 `invalid_model` when it is missing or empty
 */
export function modelName(body: JsonObject): string {
  const name = body['model'];
  if (name === undefined || name === null || name === '') throw new Refusal('invalid_model');
  if (typeof name !== 'string') throw new Refusal('invalid_argument', 'parameter check failed, model must be a string');
  return name;
}

/** 401 `invalid_model`: unknown, not opened for the account, or outside the key's list. */
export function modelDenied(call: Call): Refusal {
  return new Refusal('invalid_model', MODEL_DENIED[call.wishes.profile === '2025' ? '2025' : '2026'], 401);
}

/** @throws Refusal 401 `invalid_model` when the key is limited to other models */
export function checkKeyModel(call: Call, id: string): void {
  if (call.key.models && !call.key.models.includes(id)) throw modelDenied(call);
}

export interface Spent {
  readonly model: string | null;
  readonly stream?: boolean;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly reasoningTokens?: number;
  readonly cachedTokens?: number;
  readonly errorCode?: string | null;
  readonly keyName: string | null;
}

export function handled(reply: Reply, spent: Spent): Handled {
  const accounting: Accounting = {
    stream: false,
    promptTokens: 0,
    completionTokens: 0,
    reasoningTokens: 0,
    cachedTokens: 0,
    errorCode: null,
    ...spent,
  };
  return { reply, accounting };
}
