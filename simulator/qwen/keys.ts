import type { VendorKey } from '../kernel/types.ts';
import { Refusal } from './errors.ts';

/** Regions with a shared host; the first is the default. Qwen: keys work in their own region only. */
export const REGIONS = ['cn-beijing', 'ap-southeast-1', 'us-east-1', 'cn-hongkong'] as const;

export interface KeyRow extends VendorKey {
  /** Keys of one account share its rate limits. */
  readonly account: string;
  /** Error row every call of this key ends in, at a pay-as-you-go address. */
  readonly refused: string | null;
  /** A key of the coding plan: works at the plan's address only. */
  readonly plan: boolean;
}

const row = (name: string, key: string, region: string, account: string, what: string, refused: string | null = null): KeyRow => ({
  name,
  key,
  region,
  account,
  what,
  refused,
  plan: key.startsWith('sk-sp-'),
});

export const KEYS: readonly KeyRow[] = [
  row('good-beijing', 'sk-good-beijing-5f3a9c2e7d1b4068', 'cn-beijing', 'beijing', 'works in Beijing'),
  row('good-beijing-2', 'sk-good-beijing-2-81c4e6a09b3d5f72', 'cn-beijing', 'beijing', 'a second key of the same account'),
  row('other-beijing', 'sk-other-beijing-92d7b1f04c6e8a35', 'cn-beijing', 'beijing-other', 'another account in Beijing'),
  row('good-singapore', 'sk-good-singapore-a1e5c9d37b2f4086', 'ap-southeast-1', 'singapore', 'works in Singapore'),
  row('good-us', 'sk-good-us-c3f7a1b59d2e4608', 'us-east-1', 'us', 'works in Virginia'),
  row('good-hongkong', 'sk-good-hongkong-d4b8e2f60a1c3957', 'cn-hongkong', 'hongkong', 'works in Hong Kong'),
  row('arrears', 'sk-arrears-e5c9f3a71b2d4068', 'cn-beijing', 'arrears', 'the account owes money', 'Arrearage'),
  row('free-used', 'sk-free-used-f6d0a4b82c3e5179', 'cn-beijing', 'free', 'free quota used up', 'AllocationQuota.FreeTierOnly'),
  row('unpurchased', 'sk-unpurchased-07e1b5c93d4f6280', 'cn-beijing', 'unpurchased', 'service not activated', 'AccessDenied.Unpurchased'),
  row('plan', 'sk-sp-plan-18f2c6d04e5a7391', 'cn-beijing', 'plan', 'a coding-plan key: 401 on a pay-as-you-go host', 'invalid_api_key'),
  row('wrong', 'sk-wrong-2903d7e15f6b84a2', 'cn-beijing', 'wrong', 'deleted, as is every key not in this list', 'invalid_api_key'),
];

/** The row of a credential in a region. @throws Refusal 401 */
function rowOf(authorization: string | undefined, region: string, refusal: string): KeyRow {
  if (authorization === undefined || authorization.trim() === '') throw new Refusal('no_api_key');
  const credential = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
  const found = KEYS.find((one) => one.key === credential);
  if (found === undefined || found.region !== region) throw new Refusal(refusal);
  return found;
}

/** The key of a call at a pay-as-you-go address. @throws Refusal 401, or what the key's account is refused with */
export function authenticate(authorization: string | undefined, region: string, use: 'call' | 'list' = 'call'): KeyRow {
  const found = rowOf(authorization, region, 'invalid_api_key');
  // An account in arrears still lists the models.
  const refused = use === 'list' && found.refused === 'Arrearage' ? null : found.refused;
  if (refused !== null) throw new Refusal(refused, { keyName: found.name });
  return found;
}

/** The key of a call at the coding plan's address, which takes no other keys. @throws Refusal 401 */
export function authenticatePlan(authorization: string | undefined, region: string): KeyRow {
  const found = rowOf(authorization, region, 'invalid_access_token');
  if (!found.plan) throw new Refusal('invalid_access_token');
  return found;
}

export function accountOf(credential: string): string {
  return KEYS.find((one) => one.key === credential)?.account ?? credential;
}
