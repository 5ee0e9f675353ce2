/**
 * How a refusal looks on the wire. Usually `{"error":{code,message,type},"id"}` with a true status, but five
 * other shapes have been recorded from Qianfan and its gateways, so a client must not rely on the usual one.
 */

import type { WholeReply } from '../kernel/types.ts';
import type { Refusal } from './errors.ts';

export const SHAPES = ['usual', 'flat', '200', 'flat-200', 'empty-headers', 'html'] as const;
export type Shape = (typeof SHAPES)[number];

export function isShape(value: string): value is Shape {
  return (SHAPES as readonly string[]).includes(value);
}

export interface ReplyIds {
  /** `as-…`, in bodies. */
  readonly id: string;
  /** Headers every answer carries, e.g. the echoed X-Request-Id. */
  readonly headers: Readonly<Record<string, string>>;
}

export function whole(status: number, body: unknown, headers: Readonly<Record<string, string>>): WholeReply {
  return { kind: 'whole', status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/**
 * Writes a refusal in one of the shapes:
 * - `usual`: status and envelope as documented.
 * - `flat`: `{"code","message"}` without the envelope, as `GET /models` does with 403.
 * - `200`: envelope without `type` and `id`, HTTP 200, as Baidu's own mock server does.
 * - `flat-200`: HTTP 200 with `{"code","msg"}`, as the rate limit help page shows.
 * - `empty-headers`: no body; code and text in `X-Bce-Error-*` headers, as for a rejected signature.
 * - `html`: a gateway's page; the status stays unless it is below 500.
 */
export function refuse(refusal: Refusal, ids: ReplyIds, shape: Shape): WholeReply {
  const { code, message, type, status } = refusal;
  switch (shape) {
    case 'usual':
      return whole(status, { error: { code, message, type }, id: ids.id }, ids.headers);
    case 'flat':
      return whole(status, { code, message, requestId: ids.id }, ids.headers);
    case '200':
      return whole(200, { error: { code, message } }, ids.headers);
    case 'flat-200':
      return whole(200, { code, msg: message }, ids.headers);
    case 'empty-headers':
      return {
        kind: 'whole',
        status,
        headers: { ...ids.headers, 'x-bce-error-code': code, 'x-bce-error-message': message },
        body: '',
      };
    case 'html':
      return gatewayPage(status >= 500 ? status : 502, ids);
  }
}

/** The flat 403 for key policies, wrong paths and unauthenticated `GET /models`. */
export function accessDenied(ids: ReplyIds): WholeReply {
  return whole(403, { code: 'AccessDenied', message: 'Access denied.', requestId: ids.id }, ids.headers);
}

const PAGE_TITLES: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

/** A gateway's own page, e.g. 504 when the model service did not answer in time. */
export function gatewayPage(status: number, ids: ReplyIds): WholeReply {
  const title = `${status} ${PAGE_TITLES[status] ?? 'Internal Server Error'}`;
  return {
    kind: 'whole',
    status,
    headers: { ...ids.headers, 'content-type': 'text/html' },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
  };
}
