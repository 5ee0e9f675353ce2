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

/** Foreign text: bounded, printable, whole numbers. */
export function signalsOf(headers: Headers): VendorSignals {
  const id = REQUEST_ID.map((name) => one(headers[name])).find((value) => value !== '');
  const limits = Object.entries(headers).flatMap(([name, value]): [string, number][] => {
    const word = RATE_LIMIT.exec(name)?.[1];
    return word !== undefined && /^\d{1,15}$/.test(one(value)) ? [[word, Number(one(value))]] : [];
  });
  return {
    ...(id === undefined ? {} : { vendorRequestId: id.slice(0, MAX_ID).replace(/[^\x21-\x7e]/g, '?') }),
    ...(limits.length === 0 ? {} : { rateLimits: Object.fromEntries(limits) }),
  };
}

const one = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : (value?.[0] ?? ''));
