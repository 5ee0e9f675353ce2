import { completionFaults } from './contract/completion.ts';
import { errorOf } from './contract/error.ts';
import { type Reply, wholeReply } from './contract/reply.ts';
import { type Dict, isDict, parsed } from './contract/shape.ts';
import { readStream } from './contract/stream.ts';
import type { Json } from './feature.ts';

/** What the relay answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The body, where it is a JSON object. */
  readonly json: Dict | null;
  /** The chat answer, whole or put together; null where none came. */
  readonly reply: Reply | null;
  /** The error object, also of a stream that ended with one. */
  readonly error: Dict | null;
  /** What breaks OpenAI's contract, whatever the feature. */
  readonly faults: readonly string[];
  readonly requestId: string | null;
  /** When to try again, as the SDKs read it. */
  readonly retryAfter: string | null;
  readonly shouldRetry: string | null;
}

/** Reads and judges an answer. @param asked the body sent; null for `GET` */
export function readAnswer(response: Response, text: string, asked: Json | null, isChat: boolean): Answer {
  const { status, headers } = response;
  const requestId = headers.get('x-request-id');
  const faults: string[] = requestId !== null && /^req_[0-9a-f]{32}$/.test(requestId) ? [] : ['there is no x-request-id'];
  const common = { status, text, requestId, retryAfter: headers.get('retry-after'), shouldRetry: headers.get('x-should-retry') };
  if (status === 200 && asked?.['stream'] === true) {
    if (headers.get('content-type') !== 'text/event-stream; charset=utf-8') faults.push('the stream is no text/event-stream');
    const options = asked['stream_options'];
    const reading = readStream(text, isDict(options) && options['include_usage'] === true);
    return { ...common, json: null, reply: reading.reply, error: reading.error, faults: [...faults, ...reading.faults] };
  }
  if (!/^application\/json/.test(headers.get('content-type') ?? '')) faults.push('the answer is no application/json');
  const body = parsed(text);
  const json = isDict(body) ? body : null;
  if (status >= 400) {
    const { error, faults: wrong } = errorOf(body);
    return { ...common, json, reply: null, error, faults: [...faults, ...wrong] };
  }
  if (!isChat) return { ...common, json, reply: null, error: null, faults };
  return { ...common, json, reply: json && wholeReply(json), error: null, faults: [...faults, ...completionFaults(body)] };
}
