import type { RefusalName } from './refusals.ts';
import { VENDOR_CASES, type VendorCase } from './vendors.ts';

/** Each fault at each position, and what it means: to the caller, to the next candidate, to the breaker. */
export interface Row {
  /** As the simulator takes it: `name key=value …`. */
  readonly fault: string;
  readonly kind: RefusalName;
  /** What it means to an answer that comes whole, where that is something else. */
  readonly whole: RefusalName;
  /** The next candidate is asked. */
  readonly next: boolean;
}

/** Whose wire it is: each vendor's, and Qwen's own protocol besides. */
export interface FaultCase extends VendorCase {
  readonly name: string;
  readonly protocol: 'compatible' | 'native';
}

export const FAULT_CASES: readonly FaultCase[] = VENDOR_CASES.flatMap((entry) => {
  const compatible = { ...entry, name: entry.vendor, protocol: 'compatible' as const };
  return entry.vendor === 'qwen' ? [compatible, { ...entry, name: 'qwen, native', protocol: 'native' as const }] : [compatible];
});

type ByVendor<T> = Readonly<Record<VendorCase['vendor'], T>>;

const row = (fault: string, kind: RefusalName, more: Partial<Row> = {}): Row => ({ fault, kind, whole: kind, next: true, ...more });

export const beforeHeaders = ({ vendor }: FaultCase): Row[] => [
  row('reset', 'upstream_truncated'),
  row('silent', 'upstream_timeout'),
  row('html status=503', 'upstream_overloaded'),
  row('html status=200', 'upstream_invalid_response'),
  row('rate-limit', 'limit_requests'),
  // Zhipu has one code for requests and tokens.
  row('rate-limit kind=tpm', vendor === 'glm' ? 'limit_requests' : 'limit_tokens'),
  row('rate-limit kind=concurrency', 'limit_requests'),
  row('overload', 'upstream_overloaded'),
  row('internal', 'upstream_overloaded'),
  // Zhipu's word for it is a failure of its network.
  row('timeout', vendor === 'glm' ? 'upstream_overloaded' : 'upstream_timeout'),
  row('dead-key', 'upstream_auth'),
  row('arrears', 'upstream_out_of_credit'),
  row('retired', 'upstream_model_unavailable'),
  row('context-length', 'context_length_exceeded'),
  row('moderation', 'content_filter', { next: false }),
  row('error-200', vendor === 'qwen' ? 'upstream_auth' : 'upstream_overloaded'),
  ...WRONG[vendor],
];

/** A parameter is wrong: to every backend, or only to a model that cannot do what it asks for. */
const WRONG: ByVendor<readonly Row[]> = {
  qwen: [
    row('code value=invalid_parameter_error', 'invalid_request', { next: false }),
    row('code value=InvalidParameter.NotSupportEnableThinking', 'invalid_value'),
  ],
  ernie: [row('code value=invalid_argument', 'invalid_value', { next: false })],
  glm: [row('code value=1214', 'invalid_value', { next: false })],
};

export const AFTER_HEADERS: Row[] = [row('cut bytes=0', 'upstream_truncated'), row('cut bytes=20', 'upstream_truncated')];

/** What breaks the wire within a stream, after so many pieces of the answer; 0: after the role. */
export const brokenAfter = (after: number): Row[] => [
  row(`cut after=${after}`, 'upstream_truncated'),
  row(`end after=${after}`, 'upstream_truncated', { whole: 'upstream_invalid_response' }),
  row(`garbage after=${after}`, 'upstream_invalid_response'),
  row(`half-frame after=${after}`, 'upstream_truncated'),
  row(`stall after=${after}`, 'upstream_timeout'),
];

/** What a vendor says within a stream. */
export const saidAfter = (after: number, { vendor }: FaultCase): Row[] =>
  SAID.map(([kind, codes]) => row(`mid-error after=${after} code=${codes[vendor]}`, kind, { next: kind !== 'content_filter' }));

const SAID: readonly (readonly [RefusalName, ByVendor<string>])[] = [
  ['upstream_overloaded', { qwen: 'internal_error', ernie: 'internal_error', glm: '1234' }],
  ['limit_requests', { qwen: 'limit_requests', ernie: 'rpm_rate_limit_exceeded', glm: '1302' }],
  ['upstream_auth', { qwen: 'invalid_api_key', ernie: 'invalid_iam_token', glm: '1000' }],
  ['upstream_out_of_credit', { qwen: 'Arrearage', ernie: 'account_overdue', glm: '1113' }],
  ['upstream_model_unavailable', { qwen: 'model_not_found', ernie: 'model_offline', glm: '1211' }],
  ['content_filter', { qwen: 'data_inspection_failed', ernie: 'system_unsafe', glm: '1301' }],
];

/** Only a short patience tells them from a slow answer. */
export const isSilence = ({ fault }: Pick<Row, 'fault'>): boolean => /^(silent|stall)\b/.test(fault);

/** As attempts of the books name it. */
export const errorName = (kind: RefusalName): string => (kind.startsWith('limit_') ? `upstream_rate_${kind}` : kind);

/** `name key=value …` as the simulator takes it. */
export function orderOf(fault: string): { name: string; args: Record<string, string> } {
  const [name = '', ...args] = fault.split(' ');
  return { name, args: Object.fromEntries(args.map((arg) => arg.split('='))) };
}
