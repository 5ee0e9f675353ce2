import { createHmac } from 'node:crypto';

/** Gives the `authorization` header of a backend. The key never leaves this folder but in that header. */
export type Credentials = (nowMs: number) => string;

export const bearer = (key: string): Credentials => {
  const header = `Bearer ${key}`;
  return () => header;
};

/** Zhipu's client uses these: a token of 210 s, made anew every 180 s. */
const TOKEN_LIFE_MS = 210_000;
const TOKEN_USE_MS = 180_000;

/**
 * Zhipu's signed token: HS256 over `{alg, sign_type}` and `{api_key, exp, timestamp}` in milliseconds, signed with the part of
 * the key behind its dot. Cached, so that a request costs no signature.
 * @throws Error when the key has not the form `id.secret`
 */
export function zhipuToken(key: string): Credentials {
  const [id, secret, ...rest] = key.split('.');
  if (id === undefined || id === '' || secret === undefined || secret === '' || rest.length > 0) {
    throw new Error('the key must have the form id.secret for auth: jwt');
  }
  let header = '';
  let madeAt = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    if (nowMs - madeAt >= TOKEN_USE_MS || nowMs < madeAt) {
      header = `Bearer ${sign(id, secret, nowMs)}`;
      madeAt = nowMs;
    }
    return header;
  };
}

function sign(id: string, secret: string, nowMs: number): string {
  const timestamp = Math.floor(nowMs);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256', sign_type: 'SIGN' })}.${encode({ api_key: id, exp: timestamp + TOKEN_LIFE_MS, timestamp })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
