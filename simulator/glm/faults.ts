/**
 * Reads the faults in force for one request into what they mean for GLM. Neutral names (`rate-limit`, `arrears` …)
 * are the same for all simulated vendors; `code value=NNNN` reaches every documented code.
 * Faults of the wire (slow, cut …) are the kernel's and are skipped.
 */
import type { Fault } from '../kernel/types.ts';
import { ERRORS, type ErrorShape, PLAIN_SHAPE, Refusal } from './errors.ts';

/** `old`: 2024, `2025`: late 2025, `2026`: now. The bodies differ in a few keys (GLM 2.7). */
export type Profile = 'old' | '2025' | '2026';
export type ErrorForm = 'finish' | 'data' | 'event' | 'json' | 'close';
export type ToolArgs = 'dup-id' | 'last-on-finish' | 'no-call' | 'cut' | 'object';

export interface StreamFailure {
  /** Content frames sent before it happens. */
  readonly after: number;
  readonly form: ErrorForm;
  readonly refusal: Refusal;
  /** Whether `[DONE]` follows a `data` form. */
  readonly done: boolean;
}

export interface Wishes {
  readonly profile: Profile;
  /** Null: as the model's family does it. */
  readonly strict: boolean | null;
  /** The refusal to send instead of an answer. */
  readonly refusal: Refusal | null;
  /** HTTP 200 for that refusal. */
  readonly error200: boolean;
  readonly shape: ErrorShape;
  readonly streamFailure: StreamFailure | null;
  readonly finish: string | null;
  readonly toolArgs: ToolArgs | null;
  readonly servedModel: string | null;
  readonly concurrency: number | null;
  readonly modelList: boolean;
}

/** Names only this vendor knows. */
export const FAULT_NAMES = ['form', 'finish', 'tool-args', 'tool-choice', 'shape', 'profile', 'limits', 'models'] as const;

type Args = Readonly<Record<string, string>>;

const RATE_KINDS: Readonly<Record<string, string>> = {
  concurrency: '1302',
  rpm: '1303',
  tpm: '1303',
  burst: '1303',
  day: '1304',
  traffic: '1305',
  plan: '1308',
  week: '1310',
  'fair-use': '1313',
};
const OVERLOAD_KINDS: Readonly<Record<string, string>> = { traffic: '1305', model: '1312' };
const KEY_KINDS: Readonly<Record<string, string>> = { wrong: '1000', invalid: '1002', expired: '1003', unverified: '1004', locked: '1112' };
const RETIRED_KINDS: Readonly<Record<string, string>> = { model: '1211', api: '1221', plan: '1311' };
const INTERNAL_KINDS: Readonly<Record<string, string>> = { internal: '500', call: '1200', flow: '1230', network: '1234' };

/**
 * @param strictProfile whether the admin API switched this vendor to its strict profile
 * @throws FaultError when a fault's value means nothing here; the message names the allowed values
 */
export function readFaults(faults: readonly Fault[], region: string, strictProfile = false): Wishes {
  // The list puts the prompt's own faults first, so the first of a name wins.
  const get = (name: string): Args | undefined => faults.find((fault) => fault.name === name)?.args;
  const shapes = faults.filter((fault) => fault.name === 'shape').map(({ args }) => args);
  for (const { value } of shapes) oneOf('shape', value ?? '', ['number-code', 'envelope', 'flat', 'request-id', 'model']);
  const has = (value: string): boolean => shapes.some((args) => args['value'] === value);
  const error200 = get('error-200');
  const shape: ErrorShape = {
    numberCode: has('number-code'),
    envelope: has('envelope') || error200?.['kind'] === 'envelope',
    flat: has('flat'),
    requestId: has('request-id'),
  };
  if (error200?.['kind'] !== undefined) oneOf('error-200 kind', error200['kind'], ['error', 'envelope']);

  const refusal = refusalOf(faults, region);
  const streamFailure = streamFailureOf(get('mid-error'), get('form'), refusal, get('finish'));
  const shaped = error200 !== undefined || shape.numberCode || shape.envelope || shape.flat || shape.requestId;
  const limit = get('limits')?.['concurrency'];
  const profileName = get('profile')?.['value'];
  const profile = optional('profile', profileName, ['old', '2025', '2026', 'strict', 'lenient']);
  const toolChoice = optional('tool-choice', get('tool-choice')?.['value'], ['strict', 'lenient']);
  const manner = toolChoice ?? (profile === 'strict' || profile === 'lenient' ? profile : null);
  const moderation = get('moderation');

  return {
    profile: profile === 'old' || profile === '2025' ? profile : '2026',
    strict: manner === null ? strictProfile || null : manner === 'strict',
    // A shape needs an error to wear it: the plain internal one unless another fault named one.
    refusal: refusal ?? (shaped && !streamFailure ? new Refusal(error200?.['code'] ?? '500') : null),
    error200: error200 !== undefined || shape.envelope,
    shape: shaped ? shape : PLAIN_SHAPE,
    streamFailure,
    finish: get('finish')?.['value'] ?? (moderation?.['where'] === 'output' ? 'sensitive' : null),
    toolArgs: optional('tool-args', get('tool-args')?.['value'], ['dup-id', 'last-on-finish', 'no-call', 'cut', 'object']),
    servedModel: has('model') ? (shapes.find((args) => args['value'] === 'model')?.['to'] ?? 'glm-5.3') : null,
    concurrency: limit === undefined ? null : number('limits concurrency', limit),
    modelList: optional('models', get('models')?.['value'], ['list', 'none']) === 'list',
  };
}

function refusalOf(faults: readonly Fault[], region: string): Refusal | null {
  for (const { name, args } of faults) {
    const found = codeOf(name, args, region);
    if (found === null) continue;
    const status = args['status'];
    const words = args['message'] === undefined ? null : { zh: args['message'], en: args['message'] };
    return new Refusal(found, words, status === undefined ? {} : { status: number('status', status) });
  }
  return null;
}

/** The vendor's code for a fault that refuses; null for all others. */
function codeOf(name: string, args: Args, region: string): string | null {
  switch (name) {
    case 'code':
      return known(args['value'] ?? '');
    case 'rate-limit':
      return pick('rate-limit kind', args['kind'] ?? 'concurrency', RATE_KINDS);
    case 'arrears':
      return '1113';
    case 'moderation':
      return oneOf('moderation where', args['where'] ?? 'input', ['input', 'output']) === 'input' ? '1301' : null;
    case 'overload':
      return pick('overload kind', args['kind'] ?? 'traffic', OVERLOAD_KINDS);
    case 'dead-key':
      return pick('dead-key kind', args['kind'] ?? 'wrong', KEY_KINDS);
    case 'retired': {
      const code = pick('retired kind', args['kind'] ?? 'model', RETIRED_KINDS);
      return code === '1211' && region === 'intl' ? '1214' : code;
    }
    case 'internal':
      return pick('internal kind', args['kind'] ?? 'internal', INTERNAL_KINDS);
    case 'timeout':
      return '1234';
    case 'context-length':
      return '1261';
    default:
      return null;
  }
}

/** `form` or `mid-error` moves an error into the 200 stream (GLM 4.4). */
function streamFailureOf(mid: Args | undefined, form: Args | undefined, refusal: Refusal | null, finish?: Args): StreamFailure | null {
  if (!mid && !form) return null;
  const code = mid?.['code'] ?? form?.['code'];
  const after = mid?.['after'] ?? form?.['after'];
  const forms = ['finish', 'data', 'event', 'json', 'close'] as const;
  return {
    // A refusal told in the stream is its first frame; a failure on the way comes after some text.
    after: after === undefined ? (mid ? 1 : 0) : number('after', after),
    form: oneOf('form', form?.['value'] ?? mid?.['form'] ?? (finish ? 'finish' : 'data'), forms),
    refusal: code === undefined ? (refusal ?? new Refusal('1234')) : new Refusal(known(code)),
    done: (form?.['done'] ?? mid?.['done']) === 'true',
  };
}

function known(code: string): string {
  if (ERRORS[code] === undefined) throw unknown('code', code, Object.keys(ERRORS).join(', '));
  return code;
}

function pick(what: string, text: string, table: Readonly<Record<string, string>>): string {
  const found = table[text];
  if (found === undefined) throw unknown(what, text, Object.keys(table).join(', '));
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

function number(what: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw unknown(what, text, 'a whole number');
  return Number(text);
}

function unknown(what: string, text: string, allowed: string): FaultError {
  return new FaultError(`the GLM simulator does not know ${what} "${text}"; it takes ${allowed}`);
}

/** A fault that cannot be followed. The request is answered 400 with this text, so that a typo in a test is seen. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}
