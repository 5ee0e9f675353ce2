import type { Fault } from '../kernel/types.ts';
import { invalidInside, Refusal } from './errors.ts';

/** What the vendor says when a fault is in force. Wire faults are the kernel's. */

/** Faults only this vendor has. */
export const FAULT_NAMES = ['data-body', 'fragments', 'usage-always', 'no-blank-lines', 'event-status'] as const;

export const FRAGMENT_VARIANTS = ['empty-id', 'repeat-id', 'null-name', 'null-arguments', 'trailing'] as const;
/** How tool calls are cut into deltas: the usual way first, then the ways some models do it. */
export type FragmentVariant = (typeof FRAGMENT_VARIANTS)[number];

/** An error frame in the middle of a stream. */
export interface MidError {
  readonly after: number;
  readonly refusal: Refusal;
}

const LIMIT_CODES: Readonly<Record<string, string>> = {
  rpm: 'limit_requests',
  tpm: 'insufficient_quota',
  burst: 'limit_burst_rate',
  concurrency: 'Throttling.Concurrency',
};

const FIXED: Readonly<Record<string, string>> = {
  arrears: 'Arrearage',
  overload: 'ModelServingError',
  'dead-key': 'invalid_api_key',
  retired: 'Endpoint.AccessDenied',
  internal: 'internal_error',
  timeout: 'RequestTimeOut',
  'error-200': 'BailianGateway.Workspace.NotAuthorised',
};

/** Words the simulated moderation refuses. */
const FORBIDDEN = /sim-forbidden|模拟违禁词/i;

export interface RefusalContext {
  readonly inputLimit: number;
  readonly stream: boolean;
  /** `X-DashScope-Wait-Timeout` > 0: the server queues a burst instead of refusing it. */
  readonly waits: boolean;
}

/** The first fault that refuses the request before any answer. @throws RangeError on a value that means nothing */
export function refusalFrom(faults: readonly Fault[], context: RefusalContext): Refusal | null {
  for (const fault of faults) {
    const refusal = refusalOf(fault, context);
    if (refusal !== null) return refusal;
  }
  return null;
}

function refusalOf({ name, args }: Fault, context: RefusalContext): Refusal | null {
  if (name === 'rate-limit') {
    const kind = args['kind'] ?? 'rpm';
    const code = LIMIT_CODES[kind];
    if (code === undefined) throw new RangeError(`fault rate-limit: kind=${kind} is not one of ${Object.keys(LIMIT_CODES).join(', ')}`);
    return kind === 'burst' && context.waits ? null : new Refusal(code);
  }
  if (name === 'moderation') {
    if ((args['where'] ?? 'input') === 'input') return new Refusal('data_inspection_failed');
    return context.stream ? null : outputRefused();
  }
  if (name === 'context-length') return invalidInside(`Range of input length should be [1, ${context.inputLimit}]`);
  if (name === 'code') return new Refusal(args['value'] ?? '', { message: args['message'] });
  const code = FIXED[name];
  return code === undefined ? null : new Refusal(code);
}

/** Moderation by word list. */
export function moderate(texts: readonly string[]): Refusal | null {
  return texts.some((text) => FORBIDDEN.test(text)) ? new Refusal('data_inspection_failed') : null;
}

export function midErrorFrom(faults: readonly Fault[]): MidError | null {
  for (const { name, args } of faults) {
    if (name === 'mid-error') return { after: wholeNumber(args['after'] ?? '1'), refusal: new Refusal(args['code'] ?? 'internal_error') };
    if (name === 'moderation' && args['where'] === 'output') return { after: wholeNumber(args['after'] ?? '2'), refusal: outputRefused() };
  }
  return null;
}

export function fragmentVariant(faults: readonly Fault[]): FragmentVariant {
  const asked = faults.find((fault) => fault.name === 'fragments')?.args['variant'] ?? 'empty-id';
  const found = FRAGMENT_VARIANTS.find((variant) => variant === asked);
  if (found === undefined) throw new RangeError(`fault fragments: variant=${asked} is not one of ${FRAGMENT_VARIANTS.join(', ')}`);
  return found;
}

function outputRefused(): Refusal {
  return new Refusal('data_inspection_failed', { message: 'Output data may contain inappropriate content.', routed: true });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new RangeError(`fault: after=${text} is not a whole number`);
  return Number(text);
}
