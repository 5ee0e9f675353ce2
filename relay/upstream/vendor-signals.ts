/** What the head of a vendor's answer tells besides the answer: the name under which its support finds the call, and what is left of its limits. */
export interface VendorSignals {
  readonly vendorRequestId?: string;
  /** By the words of the headers, e.g. `limit-requests`, `remaining-input-tokens`: Qianfan sends them, DashScope and GLM do not. */
  readonly rateLimits?: Readonly<Record<string, number>>;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Baidu's own goes before the general one, which may be ours come back. */
const REQUEST_ID = ['x-baidu-request-id', 'x-dashscope-request-id', 'x-request-id', 'x-log-id'] as const;
const MAX_ID = 128;
const RATE_LIMIT = /^x-ratelimit-((?:limit|remaining)-(?:requests|tokens|input-tokens|output-tokens))$/;

/** Of most answers: the vendor told nothing. */
const NOTHING: VendorSignals = {};

/** Foreign text: bounded, printable, whole numbers. */
export function signalsOf(headers: Headers): VendorSignals {
  const id = requestIdIn(headers);
  const limits = rateLimitsIn(headers);
  if (id === '' && limits === null) return NOTHING;
  return {
    ...(id === '' ? {} : { vendorRequestId: id.slice(0, MAX_ID).replace(/[^\x21-\x7e]/g, '?') }),
    ...(limits === null ? {} : { rateLimits: limits }),
  };
}

function requestIdIn(headers: Headers): string {
  for (const name of REQUEST_ID) {
    const id = one(headers[name]);
    if (id !== '') return id;
  }
  return '';
}

function rateLimitsIn(headers: Headers): Record<string, number> | null {
  let limits: Record<string, number> | null = null;
  for (const name of Object.keys(headers)) {
    // Two of three vendors send none.
    const word = name.startsWith('x-ratelimit-') ? RATE_LIMIT.exec(name)?.[1] : undefined;
    if (word === undefined || !/^\d{1,15}$/.test(one(headers[name]))) continue;
    limits ??= {};
    limits[word] = Number(one(headers[name]));
  }
  return limits;
}

const one = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : (value?.[0] ?? ''));
