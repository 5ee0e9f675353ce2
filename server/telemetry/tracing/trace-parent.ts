/** A caller's span, as its header `traceparent` names it. */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** A header of today has 55 characters; later versions may append to it. */
const MOST = 512;

/** W3C Trace Context. Null for what is not exactly of its form: a broken header is none, never an error. */
export function traceParent(header: string | string[] | undefined): TraceParent | null {
  if (typeof header !== 'string' || header.length > MOST) return null;
  const match = FORM.exec(header);
  if (match === null) return null;
  const [, version, traceId, spanId, flags, rest] = match as unknown as [string, string, string, string, string, string | undefined];
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The header for a call. Nothing of the caller's `tracestate` goes along: what its systems note is no vendor's business. */
export const traceParentHeader = ({ traceId, spanId, sampled }: TraceParent): string => `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
