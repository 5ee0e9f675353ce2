/**
 * Simulated GLM keys and the three ways to present one: `Bearer <id>.<secret>`, `Bearer <jwt>`, bare `<jwt>`.
 *
 * The JWT is HS256 over the raw secret with `api_key`, `exp` and `timestamp` in **milliseconds** (GLM 1.3). The size of the
 * tolerated clock window is not documented; this simulator takes ±5 minutes.
 */
import { createHmac } from 'node:crypto';
import type { VendorKey } from '../kernel/types.ts';
import { Refusal } from './errors.ts';

/**
 * `funded`: cash and a coding plan. `second`: like it, another account. `unfunded`: 1113 on paid models.
 * `plan`: coding plan only, 1113 on the pay-as-you-go base. `plan-expired`: 1309. `locked`: 1112. `busy`: one request at a time.
 */
export type KeyState = 'funded' | 'unfunded' | 'plan' | 'plan-expired' | 'locked' | 'busy';

export interface GlmKey {
  /** Name for journals and counters; never the key's text. */
  readonly name: string;
  readonly region: string;
  readonly id: string;
  readonly secret: string;
  readonly state: KeyState;
}

function key(region: string, label: string, state: KeyState): GlmKey {
  return { name: `glm-${region}-${label}`, region, id: `sim-glm-${region}-${label}`, secret: `secret-${region}-${label}`, state };
}

export const KEYS: readonly GlmKey[] = ['cn', 'intl'].flatMap((region) => [
  key(region, 'good', 'funded'),
  key(region, 'second', 'funded'),
  key(region, 'unfunded', 'unfunded'),
  key(region, 'plan', 'plan'),
  key(region, 'plan-expired', 'plan-expired'),
  key(region, 'locked', 'locked'),
  key(region, 'busy', 'busy'),
]);

/** What a client configures: `<id>.<secret>`. */
export function keyText(name: string): string {
  const found = KEYS.find((entry) => entry.name === name);
  if (!found) throw new Error(`No simulated GLM key is named ${name}`);
  return `${found.id}.${found.secret}`;
}

const WHAT: Readonly<Record<KeyState, string>> = {
  funded: 'works',
  unfunded: 'no cash: 1113 on paid models, free flash models work',
  plan: 'coding plan only: 1113 outside /api/coding',
  'plan-expired': '1309',
  locked: '1112',
  busy: 'one request at a time per model, then 1302',
};

export const VENDOR_KEYS: readonly VendorKey[] = KEYS.map(({ name, region, id, secret, state }) => ({
  key: `${id}.${secret}`,
  name,
  region,
  what: WHAT[state],
}));

/** The account behind a credential, so that the plain key and every JWT made from it share their limits. */
export function accountOf(credential: string): string {
  const [id = '', payload] = credential.split('.', 2);
  const named = KEYS.find((entry) => entry.id === id);
  if (named) return named.name;
  try {
    const apiKey = decode(payload ?? '')['api_key'];
    return KEYS.find((entry) => entry.id === apiKey)?.name ?? credential;
  } catch (error) {
    // Neither a key nor a JWT: it will be refused, and is an account of its own until then.
    if (error instanceof Refusal) return credential;
    throw error;
  }
}

const SKEW_MS = 5 * 60_000;

/**
 * Finds the key behind an Authorization header.
 * @throws Refusal 1001 no header · 1002 malformed · 1000 unknown, or a key of the other region · 1003 expired or skewed · 1004 bad signature
 */
export function authenticate(authorization: string | undefined, region: string, nowMs: number): GlmKey {
  const header = authorization?.trim() ?? '';
  if (header === '') throw new Refusal('1001');
  const [, bearer] = /^bearer\s+(\S+)$/i.exec(header) ?? [];
  const token = bearer ?? header;
  const parts = token.split('.');
  if (parts.some((part) => part === '')) throw new Refusal('1002');
  if (parts.length === 3) return jwtKey(parts as [string, string, string], region, nowMs);
  // A plain key is taken with the Bearer word only; the bare form exists for JWTs.
  if (parts.length !== 2 || bearer === undefined) throw new Refusal('1002');
  const found = lookUp(parts[0]!, region);
  if (found.secret !== parts[1]) throw new Refusal('1000');
  return found;
}

function lookUp(id: string, region: string): GlmKey {
  const found = KEYS.find((entry) => entry.id === id && entry.region === region);
  if (!found) throw new Refusal('1000');
  return found;
}

function jwtKey([head, body, signature]: [string, string, string], region: string, nowMs: number): GlmKey {
  const header = decode(head);
  const payload = decode(body);
  if (header['alg'] !== 'HS256' || typeof payload['api_key'] !== 'string') throw new Refusal('1002');
  const { exp, timestamp } = payload;
  if (typeof exp !== 'number' || typeof timestamp !== 'number') throw new Refusal('1002');
  const found = lookUp(payload['api_key'], region);
  const expected = createHmac('sha256', found.secret).update(`${head}.${body}`).digest('base64url');
  if (expected !== signature) throw new Refusal('1004');
  if (exp <= nowMs || Math.abs(timestamp - nowMs) > SKEW_MS) throw new Refusal('1003');
  return found;
}

function decode(part: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    throw new Refusal('1002');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal('1002');
  return value as Record<string, unknown>;
}

/**
 * Refuses an account that may not call this model on this base.
 * @throws Refusal 1112, 1309 or 1113
 */
export function checkAccount(account: GlmKey, use: { readonly free: boolean; readonly coding: boolean }): void {
  if (account.state === 'locked') throw new Refusal('1112');
  if (account.state === 'plan-expired') throw new Refusal('1309');
  if (use.free) return;
  if (account.state === 'unfunded') throw new Refusal('1113');
  // A plan key on the pay-as-you-go base finds no cash (GLM 1.2).
  if (account.state === 'plan' && !use.coding) throw new Refusal('1113');
}
