/** What every HTTP answer keeps to, whatever the route: the request id, the content type, the error envelope. */
import { isDict } from './completion-rules.ts';
import { validateError } from './schema-validators.ts';

const REQUEST_ID = /^req_[0-9a-f]{32}$/;
const CONTENT_TYPES = { json: /^application\/json(; charset=utf-8)?$/, stream: /^text\/event-stream; charset=utf-8$/ };

/** Response headers (fetch `Headers`, or a node/supertest object with lower-case names) of a JSON answer or a stream. */
export function checkHeaders(headers: Headers | { [name: string]: unknown }, kind: 'json' | 'stream'): string[] {
  const get = (name: string): unknown => (headers instanceof Headers ? headers.get(name) : headers[name]);
  const found: string[] = [];
  const id = get('x-request-id');
  if (typeof id !== 'string' || !REQUEST_ID.test(id)) found.push(`x-request-id ${JSON.stringify(id)} is not req_ + 32 hex`);
  const type = get('content-type');
  if (typeof type !== 'string' || !CONTENT_TYPES[kind].test(type)) found.push(`content-type ${JSON.stringify(type)} is wrong for ${kind}`);
  // A compressed event stream is buffered by the compressor: nothing arrives until it ends.
  if (kind === 'stream' && get('content-encoding') != null) found.push('content-encoding is set on a stream');
  return found;
}

/**
 * A whole error answer: a status of 4xx or 5xx, the envelope, a message. Give `asked` for the two answers whose text OpenAI fixes: 404 on
 * an unknown path and 405 on a wrong method.
 */
export function checkErrorResponse(status: number, body: unknown, asked?: { method: string; path: string }): string[] {
  const found = validateError(body);
  if (!Number.isInteger(status) || status < 400 || status > 599) found.push(`status ${status} is not an error`);
  const error = isDict(body) && isDict(body['error']) ? body['error'] : {};
  const message = typeof error['message'] === 'string' ? error['message'] : '';
  if (message.trim() === '') found.push('/error/message is empty');
  if (asked === undefined) return found;
  if (error['type'] !== 'invalid_request_error')
    found.push(`/error/type is ${JSON.stringify(error['type'])}, expected invalid_request_error`);
  const { method, path } = asked;
  if (status === 404 && message !== `Invalid URL (${method} ${path})`)
    found.push(`/error/message ${JSON.stringify(message)} is not Invalid URL (…)`);
  else if (status === 405 && !message.startsWith(`Not allowed to ${method} on ${path}`)) {
    found.push(`/error/message ${JSON.stringify(message)} is not Not allowed to …`);
  } else if (status !== 404 && status !== 405) found.push(`status ${status} is neither 404 nor 405`);
  return found;
}
