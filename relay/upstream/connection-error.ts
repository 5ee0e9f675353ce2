import { type ErrorName, OpenAIError } from '../../openai/errors.ts';

/** undici's own; also of a call whose time is over while its connection is being made. */
export const CONNECT_TIMEOUT = 'UND_ERR_CONNECT_TIMEOUT';

/** Codes of the system and of undici, by what they mean to the caller. Anything else is a cut connection. */
const KINDS: Readonly<Record<string, ErrorName>> = {
  ECONNREFUSED: 'upstream_unreachable',
  ENOTFOUND: 'upstream_unreachable',
  EAI_AGAIN: 'upstream_unreachable',
  EHOSTUNREACH: 'upstream_unreachable',
  ENETUNREACH: 'upstream_unreachable',
  EADDRNOTAVAIL: 'upstream_unreachable',
  ERR_TLS_CERT_ALTNAME_INVALID: 'upstream_unreachable',
  CERT_HAS_EXPIRED: 'upstream_unreachable',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'upstream_unreachable',
  SELF_SIGNED_CERT_IN_CHAIN: 'upstream_unreachable',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'upstream_unreachable',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'upstream_unreachable',
  [CONNECT_TIMEOUT]: 'upstream_timeout',
  ETIMEDOUT: 'upstream_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'upstream_timeout',
  UND_ERR_BODY_TIMEOUT: 'upstream_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'upstream_invalid_response',
  UND_ERR_RESPONSE: 'upstream_invalid_response',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream_truncated',
};

const WORDS: Readonly<Partial<Record<ErrorName, string>>> = {
  upstream_unreachable: 'No connection to the backend could be made.',
  upstream_timeout: 'The connection to the backend could not be made in time.',
  upstream_invalid_response: "The backend's answer is not valid HTTP.",
  upstream_truncated: 'The backend closed the connection before its answer was complete.',
};

/** How far a call had come when its connection failed. */
export type Reached = 'unsent' | 'unanswered' | 'answered';

/** A failure of the connection, typed. Addresses and system texts stay in the cause. */
export function connectionError(error: Error, reached: Reached): OpenAIError {
  const code = codeOf(error);
  // undici's parser errors do not always carry a code.
  const unreadable = code.startsWith('HPE_') || error.name === 'HTTPParserError';
  const kind = kindOf(KINDS[code] ?? (unreadable ? 'upstream_invalid_response' : 'upstream_truncated'), code, reached);
  return new OpenAIError(kind, WORDS[kind] as string, {
    cause: error,
    fallback: true,
    upstreamCode: code || undefined,
    unanswered: reached !== 'answered' || undefined,
  });
}

/** What no connection was made for, by whatever code, has reached nobody; what was sent may have, also where there is no way to it any more. */
function kindOf(kind: ErrorName, code: string, reached: Reached): ErrorName {
  if (reached === 'unsent') return code === CONNECT_TIMEOUT ? kind : 'upstream_unreachable';
  return kind === 'upstream_unreachable' ? 'upstream_truncated' : kind;
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : '';
}
