import { randomFillSync } from 'node:crypto';

/**
 * Ids in OpenAI's shapes, unguessable. Random bytes are drawn 4 KiB at a time: one system call serves 256 ids.
 */
const pool = Buffer.allocUnsafe(4096);
let used = pool.length;

function hex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString('hex', used, used + bytes);
  used += bytes;
  return text;
}

/**
 * `req_` + 32 hex digits: the `x-request-id` of an answer. 12 digits of milliseconds since the epoch, then 80 random bits: ids of one time lie
 * together in an index of the books, which otherwise would write a page of the disk for each of them.
 */
export const requestId = (): string => `req_${Date.now().toString(16).padStart(12, '0')}${hex(10)}`;

/** `chatcmpl-` + 29 characters, one per answer and the same in all its chunks. */
export const completionId = (): string => `chatcmpl-${hex(15).slice(0, 29)}`;

/** `call_` + 24 characters, for tool calls that came without an id. */
export const toolCallId = (): string => `call_${hex(12)}`;

/** `rerank-` + 24 hex digits: the id of a rerank answer. */
export const rerankId = (): string => `rerank-${hex(12)}`;
