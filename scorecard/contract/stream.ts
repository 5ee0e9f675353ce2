import { headFaults, replyFaults, usageFaults } from './completion.ts';
import { type Reply, streamedReply } from './reply.ts';
import { type Dict, dicts, isDict, parsed } from './shape.ts';

/** A stream read to its end and judged: framing to the byte, each chunk, and the order of things. */
export interface StreamReading {
  readonly faults: readonly string[];
  readonly reply: Reply;
  /** The error it ended with, if it did. */
  readonly error: Dict | null;
  readonly done: boolean;
}

/** @param wantsUsage the request had `stream_options.include_usage` */
export function readStream(text: string, wantsUsage: boolean): StreamReading {
  const faults: string[] = [];
  const chunks: Dict[] = [];
  let error: Dict | null = null;
  let done = false;
  if (text.includes('\r')) faults.push('the stream has a carriage return');
  if (!text.endsWith('\n\n')) faults.push('the stream does not end with a blank line');
  for (const block of text.split('\n\n').filter((part) => part !== '' && !part.startsWith(': '))) {
    if (!block.startsWith('data: ') || block.includes('\n')) faults.push('an event is not one "data: " line');
    if (done || error !== null) faults.push('something follows the end of the stream');
    const data = block.slice('data: '.length);
    if (data === '[DONE]') {
      done = true;
      continue;
    }
    const value = parsed(data);
    if (!isDict(value)) faults.push('an event is no JSON object');
    else if ('error' in value) error = isDict(value['error']) ? value['error'] : {};
    else chunks.push(value);
  }
  if (!done && error === null) faults.push('the stream has neither [DONE] nor an error');
  faults.push(...chunkFaults(chunks, wantsUsage && error === null));
  const reply = streamedReply(chunks);
  if (error === null) faults.push(...replyFaults(reply));
  return { faults, reply, error, done };
}

function chunkFaults(chunks: readonly Dict[], wantsUsage: boolean): string[] {
  const found = new Set<string>();
  const begun = new Set<number>();
  const ended = new Set<number>();
  const first = chunks[0];
  let usages = 0;
  for (const chunk of chunks) {
    for (const fault of headFaults(chunk, 'chat.completion.chunk')) found.add(fault);
    for (const key of ['id', 'created', 'model']) if (chunk[key] !== first?.[key]) found.add(`${key} changes within the stream`);
    const choices = dicts(chunk['choices']);
    if (usages > 0) found.add('a chunk follows the usage');
    if (isDict(chunk['usage'])) {
      usages++;
      if (choices.length > 0) found.add('usage stands in a chunk with choices');
      for (const fault of usageFaults(chunk['usage'])) found.add(fault);
    } else if (choices.length === 0) found.add('a chunk has neither choices nor usage');
    for (const choice of choices) for (const fault of deltaFaults(choice, begun, ended)) found.add(fault);
  }
  if (wantsUsage && usages !== 1) found.add(`the stream has ${usages} usage chunks`);
  if (!wantsUsage && usages > 0) found.add('the stream has usage that nobody asked for');
  return [...found];
}

function deltaFaults(choice: Dict, begun: Set<number>, ended: Set<number>): string[] {
  const found: string[] = [];
  const index = Number(choice['index']);
  const delta = isDict(choice['delta']) ? choice['delta'] : {};
  if (!begun.has(index) && delta['role'] !== 'assistant') found.push('the first chunk of a choice has no role');
  if (begun.has(index) && 'role' in delta) found.push('the role comes again');
  if (ended.has(index)) found.push('a choice goes on after its end');
  begun.add(index);
  if (typeof choice['finish_reason'] === 'string') {
    if (Object.keys(delta).length > 0) found.push('the last chunk of a choice says something');
    ended.add(index);
  }
  for (const call of dicts(delta['tool_calls'])) {
    if (typeof call['index'] !== 'number') found.push('a piece of a call has no index');
    if ('id' in call && (call['id'] === '' || call['id'] === null)) found.push('a piece of a call has an empty id');
  }
  return found;
}
