/**
 * Reads the faults in force for one request into what they mean for Qianfan. Neutral names (`rate-limit`,
 * `arrears` …) are the same for all simulated vendors; `code value=…` reaches every documented code.
 * Faults of the wire (slow, cut …) are not ours and are skipped.
 */

import type { Fault } from '../kernel/types.ts';
import { isShape, type Shape } from './envelope.ts';
import { type ErrorCode, isErrorCode, Refusal } from './errors.ts';
import type { Limits } from './keys.ts';

export type Profile = '2025' | '2026' | 'strict';
export type Variant = 'A' | 'B' | 'C';
export type UsagePlace = 'own' | 'finish' | 'every' | 'never';
export type Canned = 'cut' | 'canned' | 'stars';

export interface Safety {
  readonly flag: number;
  readonly asString: boolean;
  readonly banRound: number;
  readonly style: Canned;
}

export interface Wishes {
  readonly profile: Profile;
  /** The refusal to send instead of an answer. */
  readonly refusal: Refusal | null;
  readonly shape: Shape;
  /** HTML page of a gateway with this status, instead of anything else. */
  readonly gateway: number | null;
  readonly flat403: boolean;
  /** A JSON answer although a stream was asked for. */
  readonly jsonReply: boolean;
  readonly midError: { readonly after: number; readonly as: 'data' | 'bare' | 'close'; readonly code: ErrorCode } | null;
  readonly variant: Variant;
  /** `event: message` before the data line of every frame. */
  readonly eventLine: boolean;
  /** Text after `[DONE]` on its line. */
  readonly doneTail: string;
  readonly usage: UsagePlace | null;
  readonly object: string | null;
  readonly safety: Safety | null;
  readonly needClearHistory: boolean;
  readonly toolArgs: 'whole' | 'split';
  readonly toolIndex: boolean;
  readonly finish: string | null;
  readonly echo: string | null;
  readonly proseAfterJson: boolean;
  readonly rateHeaders: 'new' | 'old' | 'both' | 'none' | null;
  readonly limits: Partial<Limits>;
}

/** Names only this vendor knows; the neutral ones are in kernel/fault-names.ts. */
export const ERNIE_FAULTS: readonly string[] = [
  'profile',
  'shape',
  'gateway',
  'variant',
  'event-line',
  'done-tail',
  'usage',
  'object',
  'flag',
  'need-clear-history',
  'tool-args',
  'tool-index',
  'finish',
  'model-echo',
  'json-prose',
  'rate-headers',
  'limits',
];

const RATE_KINDS: Readonly<Record<string, ErrorCode>> = {
  rpm: 'rpm_rate_limit_exceeded',
  tpm: 'tpm_rate_limit_exceeded',
  'input-tpm': 'input_tpm_rate_limit_exceeded',
  'output-tpm': 'output_tpm_rate_limit_exceeded',
  qps: 'user_rate_limit_exceeded',
  // Limits the admin API can set that Qianfan has no code of their own for.
  burst: 'user_rate_limit_exceeded',
  concurrency: 'user_rate_limit_exceeded',
  cluster: 'cluster_rate_limit_exceeded',
  'cluster-rpm': 'cluster_rpm_rate_limit_exceeded',
  'cluster-tpm': 'cluster_tpm_rate_limit_exceeded',
  preemptible: 'preemptible_rate_limit_exceeded',
  batch: 'Offline_batch_reasoning_refused',
};

const UNSAFE_FIELDS: Readonly<Record<string, ErrorCode>> = {
  system: 'system_unsafe',
  user: 'user_setting_unsafe',
  functions: 'functions_unsafe',
  image: 'image_url_unsafe',
};

const INTERNAL_KINDS: Readonly<Record<string, ErrorCode>> = {
  internal: 'internal_error',
  dispatch: 'dispatch_internal_error',
  image: 'image_generation_interal_error',
};

/**
 * `strict` is the admin API's switch; a `profile` fault wins over it.
 * @throws RangeError when a fault's value means nothing here; the message names the allowed values
 */
export function readFaults(faults: readonly Fault[], strict = false): Wishes {
  // The list puts the prompt's own faults first, so the first of a name wins.
  const get = (name: string): Readonly<Record<string, string>> | undefined => faults.find((fault) => fault.name === name)?.args;
  const value = (name: string): string | undefined => get(name)?.['value'];

  const shapeText = value('shape') ?? (get('error-200') ? '200' : 'usual');
  const flat403 = shapeText === 'flat' && !faults.some(isRefusing);
  const jsonReply = shapeText === 'json';
  if (!jsonReply && !isShape(shapeText)) throw unknown('shape', shapeText, 'flat, 200, flat-200, empty-headers, html or json');
  const shape: Shape = isShape(shapeText) ? shapeText : 'usual';
  const moderation = get('moderation');
  const mid = get('mid-error');

  return {
    profile: oneOf('profile', value('profile') ?? (strict ? 'strict' : '2026'), ['2025', '2026', 'strict']),
    refusal: refusalOf(faults, shape),
    shape,
    gateway: get('timeout') ? 504 : value('gateway') === undefined ? null : number('gateway', value('gateway')),
    flat403,
    jsonReply,
    midError: mid
      ? {
          after: number('mid-error after', mid['after'] ?? '1'),
          as: oneOf('mid-error as', mid['as'] ?? 'data', ['data', 'bare', 'close']),
          code: code(mid['code'] ?? 'internal_error'),
        }
      : null,
    variant: oneOf('variant', value('variant') ?? 'A', ['A', 'B', 'C']),
    eventLine: get('event-line') !== undefined,
    doneTail: get('done-tail')?.['text'] ?? (get('done-tail') ? ' ok' : ''),
    usage: optional('usage', value('usage'), ['own', 'finish', 'every', 'never']),
    object: value('object') ?? null,
    safety: safetyOf(get('flag'), moderation?.['where'] === 'output' ? moderation : undefined),
    needClearHistory: get('need-clear-history') !== undefined,
    toolArgs: oneOf('tool-args', value('tool-args') ?? 'whole', ['whole', 'split']),
    toolIndex: value('tool-index') !== 'missing',
    finish: value('finish') ?? null,
    echo: value('model-echo') ?? null,
    proseAfterJson: get('json-prose') !== undefined,
    rateHeaders: optional('rate-headers', value('rate-headers'), ['new', 'old', 'both', 'none']),
    limits: limitsOf(get('limits')),
  };
}

/** Does this fault by itself replace the answer by a refusal? */
function isRefusing(fault: Fault): boolean {
  return codeOf(fault) !== null;
}

/** The vendor's code for a fault that refuses; null for all others. */
function codeOf(fault: Fault): ErrorCode | null {
  const { name, args } = fault;
  switch (name) {
    case 'code':
      return code(args['value'] ?? '');
    case 'rate-limit':
      return pick('rate-limit kind', args['kind'] ?? 'rpm', RATE_KINDS);
    case 'arrears':
      return 'account_overdue';
    case 'moderation':
      return args['where'] === 'output' ? null : pick('moderation field', args['field'] ?? 'system', UNSAFE_FIELDS);
    case 'overload':
      return 'cluster_rate_limit_exceeded';
    case 'dead-key':
      return 'invalid_iam_token';
    case 'retired':
      return 'model_offline';
    case 'internal':
      return pick('internal kind', args['kind'] ?? 'internal', INTERNAL_KINDS);
    case 'context-length':
      return args['kind'] === 'characters' ? 'characters_too_long' : 'tokens_too_long';
    default:
      return null;
  }
}

function refusalOf(faults: readonly Fault[], shape: Shape): Refusal | null {
  for (const fault of faults) {
    const found = codeOf(fault);
    if (!found) continue;
    const status = fault.args['status'];
    return new Refusal(found, fault.args['message'], status === undefined ? undefined : number('status', status));
  }
  // A shape alone still needs an error to wear it: the one each shape was first seen with.
  if (shape === '200') return new Refusal('internal_error', 'high load');
  if (shape === 'flat-200') return new Refusal('rpm_rate_limit_exceeded');
  if (shape === 'empty-headers') return new Refusal('invalid_iam_token');
  if (shape === 'html') return new Refusal('internal_error', undefined, 502);
  return null;
}

function safetyOf(flag: Readonly<Record<string, string>> | undefined, output: Readonly<Record<string, string>> | undefined): Safety | null {
  const args = flag ?? output;
  if (!args) return null;
  return {
    flag: number('flag', flag ? (args['value'] ?? '0') : (args['flag'] ?? '3')),
    asString: args['as'] === 'string',
    banRound: number('flag round', args['round'] ?? '-1'),
    style: oneOf('flag style', args['style'] ?? 'canned', ['cut', 'canned', 'stars']),
  };
}

function limitsOf(args: Readonly<Record<string, string>> | undefined): Partial<Limits> {
  const entries = Object.entries(args ?? {}).filter(([name]) => name === 'rpm' || name === 'tpm' || name === 'qps');
  return Object.fromEntries(entries.map(([name, text]) => [name, number(`limits ${name}`, text)]));
}

function code(text: string): ErrorCode {
  if (!isErrorCode(text)) throw unknown('code', text, 'a code of the error table');
  return text;
}

function pick(what: string, text: string, table: Readonly<Record<string, ErrorCode>>): ErrorCode {
  const found = table[text];
  if (!found) throw unknown(what, text, Object.keys(table).join(', '));
  return found;
}

function oneOf<T extends string>(what: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === text);
  if (found === undefined) throw unknown(what, text, allowed.join(', '));
  return found;
}

function optional<T extends string>(what: string, text: string | undefined, allowed: readonly T[]): T | null {
  return text === undefined ? null : oneOf(what, text, allowed);
}

function number(what: string, text: string | undefined): number {
  const parsed = Number(text);
  if (text === undefined || text === '' || !Number.isInteger(parsed)) throw unknown(what, text ?? '', 'a whole number');
  return parsed;
}

function unknown(what: string, text: string, allowed: string): RangeError {
  return new RangeError(`the Ernie simulator does not know ${what} "${text}"; it takes ${allowed}`);
}
