/**
 * Short-term bearer tokens (`GET /v1/BCE-BEARER/token` of Baidu's IAM), signed for with an access key pair by the
 * `bce-auth-v1` scheme. Tokens carry their expiry, so the simulator remembers nothing.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Incoming, WholeReply } from '../kernel/types.ts';
import { type ReplyIds, whole } from './envelope.ts';

/** The one access key pair this simulator accepts. */
export const ACCESS_KEY = 'ALTAKSimAccessKey0000000000';
export const SECRET_KEY = '5e1f0c3d2b4a69788796a5b4c3d2e1f0';

const TOKEN_SECRET = 'simulated bearer';
const PREFIX = 'ALTAK-SimTemp';
const MIN_SECONDS = 300;
const MAX_SECONDS = 2_592_000;
const DEFAULT_SECONDS = 1_800;

/** A token in the form of a key; `expiresMs` (epoch) is part of its id. */
export function bearerToken(expiresMs: number): string {
  const id = PREFIX + expiresMs.toString(36).padStart(10, '0');
  return `bce-v3/${id}/${hmac(TOKEN_SECRET, id).slice(0, 40)}`;
}

/** Is this one of our tokens, and still good? */
export function isLiveBearer(text: string, nowMs: number): boolean {
  const match = /^bce-v3\/ALTAK-SimTemp([0-9a-z]{10})\/[0-9a-f]{40}$/.exec(text);
  if (!match) return false;
  const expiresMs = Number.parseInt(match[1] ?? '', 36);
  return text === bearerToken(expiresMs) && nowMs < expiresMs;
}

/** Answers the token call. A bad signature is told in headers, with an empty body, as Baidu does. */
export function issueBearer(incoming: Incoming, ids: ReplyIds): WholeReply {
  const fault = signatureFault(incoming);
  if (fault) {
    return {
      kind: 'whole',
      status: 403,
      headers: { ...ids.headers, 'x-bce-error-code': fault, 'x-bce-error-message': `Fail to authorize: ${fault}` },
      body: '',
    };
  }
  const seconds = Number(incoming.query.get('expireInSeconds') ?? DEFAULT_SECONDS);
  if (!Number.isInteger(seconds) || seconds < MIN_SECONDS || seconds > MAX_SECONDS) {
    const message = `expireInSeconds range is [${MIN_SECONDS}, ${MAX_SECONDS}]`;
    return whole(400, { code: 'InvalidParameter', message, requestId: ids.id }, ids.headers);
  }
  const expiresMs = incoming.nowMs + seconds * 1000;
  return whole(
    200,
    {
      userId: '5eed5eed5eed5eed5eed5eed5eed5eed',
      token: bearerToken(expiresMs),
      status: 'enable',
      createTime: new Date(incoming.nowMs).toISOString(),
      expireTime: new Date(expiresMs).toISOString(),
    },
    ids.headers,
  );
}

/** Null for a good signature, else the code Baidu puts into `X-Bce-Error-Code`. */
function signatureFault(incoming: Incoming): string | null {
  const parts = (incoming.headers['authorization'] ?? '').split('/');
  const [scheme, accessKey, timestamp, seconds, signed, signature] = parts;
  if (scheme !== 'bce-auth-v1' || parts.length !== 6 || !timestamp || !signed || !signature) return 'IamSignatureInvalid';
  if (accessKey !== ACCESS_KEY) return 'InvalidAccessKeyId';
  const startMs = Date.parse(timestamp);
  if (!(incoming.nowMs <= startMs + Number(seconds) * 1000)) return 'RequestExpired';
  const signingKey = hmac(SECRET_KEY, `bce-auth-v1/${accessKey}/${timestamp}/${seconds}`);
  // The key of the second step is the hex text of the first, not its bytes.
  const expected = hmac(signingKey, canonicalRequest(incoming, signed.split(';')));
  const left = Buffer.from(expected);
  const right = Buffer.from(signature);
  return left.length === right.length && timingSafeEqual(left, right) ? null : 'SignatureDoesNotMatch';
}

function canonicalRequest(incoming: Incoming, signed: readonly string[]): string {
  const query = [...incoming.query]
    .filter(([name]) => name.toLowerCase() !== 'authorization')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort();
  const headers = signed
    .map((name) => [name.toLowerCase(), (incoming.headers[name.toLowerCase()] ?? '').trim()] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${encode(name)}:${encode(value)}`)
    .sort();
  const path = incoming.path.split('/').map(encode).join('/');
  return [incoming.method, path, query.join('&'), headers.join('\n')].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}
