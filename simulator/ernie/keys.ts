/**
 * The keys and applications this simulator knows. Every key is made up; the form is Qianfan's:
 * `bce-v3/ALTAK-…/<40 hex>` for API keys, `bce-v3/ALTAKSP-…` for monthly plans.
 */

export interface KeyRow {
  readonly name: string;
  readonly text: string;
  /** What it is for, in one line. */
  readonly what: string;
  /** Rate limits hold per cloud account and model, so keys of one account share them. */
  readonly account: string;
  /** The only models it may use, or null for all. */
  readonly models: readonly string[] | null;
  readonly overdue: boolean;
  /** Plan keys work on the plan path only, API keys everywhere else. */
  readonly plan: boolean;
  readonly limits: Limits;
}

/** Requests and tokens per minute; requests per second per application. */
export interface Limits {
  readonly rpm: number;
  readonly tpm: number;
  readonly qps: number;
}

const AMPLE: Limits = { rpm: 1_000_000, tpm: 1_000_000_000, qps: 100_000 };
/** What ERNIE 3.5 had in 2024: 300 RPM and 300K TPM. */
const OF_2024: Limits = { rpm: 300, tpm: 300_000, qps: 100_000 };
const TINY: Limits = { rpm: 3, tpm: 2_000, qps: 100_000 };

const SECRET = '5e1f0c3d2b4a69788796a5b4c3d2e1f001122334';
const key = (name: string, id: string, what: string, part: Partial<KeyRow> = {}): KeyRow => ({
  name,
  what,
  text: `bce-v3/${id}/${SECRET}`,
  account: name,
  models: null,
  overdue: false,
  plan: false,
  limits: AMPLE,
  ...part,
});

export const KEYS: readonly KeyRow[] = [
  key('good', 'ALTAK-SimGoodKeySimGoodKey0', 'works, ample limits'),
  key('small', 'ALTAK-SimSmallKeySimSmallKe', '300 requests and 300,000 tokens a minute, as in 2024', { limits: OF_2024 }),
  key('tiny', 'ALTAK-SimTinyKeySimTinyKey0', '3 requests and 2,000 tokens a minute', { limits: TINY }),
  key('tiny-twin', 'ALTAK-SimTwinKeySimTwinKey0', 'a second key of the account of `tiny`: shares its limits', {
    account: 'tiny',
    limits: TINY,
  }),
  key('one-model', 'ALTAK-SimOneModelSimOneMode', 'ernie-4.5-turbo-128k only', { models: ['ernie-4.5-turbo-128k'] }),
  key('overdue', 'ALTAK-SimOverdueSimOverdue0', '403 account_overdue', { overdue: true }),
  key('plan', 'ALTAKSP-SimPlanKeySimPlanKey', 'monthly plan: works on the plan paths only', { plan: true }),
];

export const GOOD_KEY = keyText('good');

/** Ids of v2 applications an `appid` header may name. Without the header the default application is booked. */
export const APPS: readonly string[] = ['app-SimDflt1', 'app-SimOther'];

export function keyText(name: string): string {
  const found = KEYS.find((row) => row.name === name);
  if (!found) throw new Error(`no simulated Ernie key is named ${name}`);
  return found.text;
}

/** Account of a credential; unknown text is an account of its own. */
export function accountOf(credential: string): string {
  return KEYS.find((row) => row.text === credential)?.account ?? credential;
}

/** Names of the keys that share an account's limits. */
export function keysOfAccount(account: string): readonly string[] {
  return KEYS.filter((row) => row.account === account).map((row) => row.name);
}
