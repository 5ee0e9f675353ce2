import type { Fault, Incoming, Kernel } from '../kernel/types.ts';
import { isObject, type JsonObject } from './json.ts';
import type { KeyRow } from './keys.ts';

/** One authenticated request with a JSON body. */
export interface Call {
  readonly incoming: Incoming;
  readonly kernel: Kernel;
  readonly key: KeyRow;
  readonly body: JsonObject;
  readonly requestId: string;
  readonly faults: readonly Fault[];
}

/** Where directives may stand: the last user message, the input of an embedding, or a query. Read before any check. */
export function promptTextOf(body: unknown): string {
  if (!isObject(body)) return '';
  const { input, query } = body;
  if (typeof query === 'string') return query;
  const messages = isObject(input) ? input['messages'] : body['messages'];
  if (isObject(input) && typeof input['prompt'] === 'string') return input['prompt'];
  if (typeof input === 'string') return input;
  if (Array.isArray(input)) return input.filter((item) => typeof item === 'string').join('\n');
  const last: unknown = Array.isArray(messages)
    ? messages.findLast((message) => isObject(message) && message['role'] === 'user')
    : undefined;
  const content = isObject(last) ? last['content'] : undefined;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('\n');
}
