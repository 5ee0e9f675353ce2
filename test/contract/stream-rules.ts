/**
 * A whole chat stream as bytes, judged as OpenAI's servers send it: framing, each chunk, and the order of things over the stream.
 * Each rule was met by every recorded stream. SDKs depend on them unevenly (openai-python joins a repeated id to `call_1call_1`; openai-node's
 * helper throws without a finish reason), so a stream that "works" in one client proves little.
 */
import { checkHead, checkToolCalls, checkUsage, type Dict, isDict, unknownKeys } from './completion-rules.ts';
import { foldStream } from './fold-stream.ts';
import { validateChunk, validateError } from './schema-validators.ts';
import { parseStrictSse } from './strict-sse.ts';

const CHUNK_KEYS = [
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'service_tier',
  'system_fingerprint',
  'obfuscation',
  'moderation',
];
const CHOICE_KEYS = ['index', 'delta', 'logprobs', 'finish_reason'];
// OpenAI's own streams tell citations in the delta; the schema has them in the whole message only.
const DELTA_KEYS = ['role', 'content', 'refusal', 'annotations', 'tool_calls', 'function_call', 'reasoning_content'];
const CUT = ['length', 'content_filter'];

export interface StreamCheck {
  /** `chunk N: what` or `stream …`; empty when the stream is good. A good failed stream (error event last, no [DONE]) has none either. */
  problems: string[];
  /** Every chunk that parsed, in order, the error event not among them. */
  chunks: unknown[];
  /** The object inside `{"error": …}` if the stream ended with one. */
  error: Dict | null;
  done: boolean;
}

/** What has been seen of one choice. */
interface ChoiceState {
  finish: string | null;
  calls: Set<number>;
}

/** Judges the raw bytes of a stream. `includeUsage`: the request had `stream_options.include_usage`. */
export function checkStream(raw: Uint8Array | string, { includeUsage }: { includeUsage: boolean }): StreamCheck {
  const { events, problems } = parseStrictSse(raw);
  const chunks: unknown[] = [];
  let error: Dict | null = null;
  let done = false;
  for (const { data, block } of events) {
    if (error !== null)
      problems.push(data === '[DONE]' ? 'stream has [DONE] after an error' : `block ${block}: something follows the error`);
    if (data === '[DONE]') {
      done = true;
      continue;
    }
    const value = parseObject(data, `block ${block}`, problems);
    if (value === undefined) continue;
    if ('error' in value) {
      problems.push(...validateError(value).map((problem) => `error event: ${problem}`));
      error = isDict(value['error']) ? value['error'] : {};
    } else chunks.push(value);
  }
  if (!done && error === null) problems.push('stream has neither [DONE] nor an error');
  problems.push(...checkChunks(chunks.filter(isDict), includeUsage, error !== null));
  return { problems, chunks, error, done };
}

/** One complete JSON object; a lone surrogate means that a character was cut in two before it was escaped. */
function parseObject(data: string, where: string, problems: string[]): Dict | undefined {
  let torn = false;
  try {
    const value: unknown = JSON.parse(data, (_key, part: unknown) => {
      torn ||= typeof part === 'string' && !part.isWellFormed();
      return part;
    });
    if (torn) problems.push(`${where}: a string has half a surrogate pair`);
    if (isDict(value)) return value;
    problems.push(`${where}: data is not a JSON object`);
  } catch {
    problems.push(`${where}: data is not one complete JSON object`);
  }
  return undefined;
}

function checkChunks(chunks: readonly Dict[], includeUsage: boolean, failed: boolean): string[] {
  const found: string[] = [];
  const states = new Map<number, ChoiceState>();
  const first = chunks[0] ?? {};
  const usageChunks: number[] = [];
  for (const [position, chunk] of chunks.entries()) {
    const say = (problem: string): void => void found.push(`chunk ${position}: ${problem}`);
    for (const problem of [...validateChunk(chunk), ...checkHead(chunk), ...unknownKeys(chunk, CHUNK_KEYS, '')]) say(problem);
    for (const key of ['id', 'created', 'model']) {
      if (chunk[key] !== first[key]) say(`/${key} differs from the first chunk's`);
    }
    const choices = Array.isArray(chunk['choices']) ? chunk['choices'].filter(isDict) : [];
    if (choices.length > 1) say('more than one choice (they interleave, one a chunk)');
    for (const choice of choices) checkChoice(choice, states, say);
    const usage = chunk['usage'];
    if (isDict(usage)) {
      usageChunks.push(position);
      for (const problem of checkUsage(usage, '/usage')) say(problem);
      // The moderation chunk has usage and no choices too; it is the one chunk that may follow.
      if (choices.length > 0) say('usage in a chunk that has choices');
    } else if (choices.length === 0 && !('moderation' in chunk)) say('no choices and no usage');
    if (!includeUsage && 'usage' in chunk) say('usage without include_usage');
    if (includeUsage && !('usage' in chunk)) say('no usage key although include_usage');
  }
  const [usageAt] = usageChunks;
  if (usageChunks.length > 1) found.push(`stream has ${usageChunks.length} usage chunks`);
  if (usageAt !== undefined && chunks.slice(usageAt + 1).some((chunk) => !('moderation' in chunk)))
    found.push('stream has chunks after the usage chunk');
  if (failed) return found;
  if (includeUsage && usageAt === undefined) found.push('stream has no usage chunk although include_usage');
  if (states.size === 0) found.push('stream has no choice');
  for (const [index, { finish }] of states) if (finish === null) found.push(`stream has no finish chunk for choice ${index}`);
  return [...found, ...checkJoined(chunks)];
}

/** Rules on one choice of one chunk, given what came before of the same choice. */
function checkChoice(choice: Dict, states: Map<number, ChoiceState>, say: (problem: string) => void): void {
  const { index, delta, finish_reason: finish } = choice;
  for (const problem of unknownKeys(choice, CHOICE_KEYS, '/choices/0')) say(problem);
  if (typeof index !== 'number' || !isDict(delta)) return; // the schema has said so
  for (const problem of unknownKeys(delta, DELTA_KEYS, '/delta')) say(problem);
  let state = states.get(index);
  if (state === undefined) {
    state = { finish: null, calls: new Set() };
    states.set(index, state);
    if (delta['role'] !== 'assistant') say(`first chunk of choice ${index} has no role assistant`);
    if (delta['content'] !== '' && delta['content'] !== null) say(`first chunk of choice ${index} needs content "" or null`);
  } else {
    if ('role' in delta) say('role again');
    if (delta['content'] === null) say('content null after the first chunk');
  }
  if (state.finish !== null) say(`choice ${index} goes on after its finish chunk`);
  if (typeof finish === 'string') {
    if (Object.keys(delta).length > 0) say('finish chunk has a delta that is not empty');
    if (finish === 'tool_calls' && state.calls.size === 0) say('finish_reason tool_calls without a tool call');
    if (finish === 'stop' && state.calls.size > 0) say('finish_reason stop after tool calls');
    state.finish = finish;
  }
  if (!('tool_calls' in delta)) return;
  const calls = delta['tool_calls'];
  if (!Array.isArray(calls) || calls.length === 0) say('tool_calls is empty');
  else for (const call of calls.filter(isDict)) checkToolDelta(call, state, say);
}

function checkToolDelta(call: Dict, state: ChoiceState, say: (problem: string) => void): void {
  const { index, id, type, function: target } = call;
  if (typeof index !== 'number') {
    say('tool call without index');
    return;
  }
  const name = `tool call ${index}`;
  const body = isDict(target) ? target : {};
  if (typeof body['arguments'] !== 'string') say(`${name} has no arguments string`);
  for (const problem of unknownKeys(body, ['name', 'arguments'], '/function')) say(problem);
  for (const problem of unknownKeys(call, ['index', 'id', 'type', 'function'], '/tool_calls')) say(problem);
  if (state.calls.has(index)) {
    const again = [...['id', 'type'].filter((key) => key in call), ...('name' in body ? ['name'] : [])];
    if (again.length > 0) say(`${name} has ${again.join(', ')} again`);
    if (index !== state.calls.size - 1) say(`${name} goes on after the next one began`);
    return;
  }
  if (index !== state.calls.size) say(`${name} begins out of order`);
  state.calls.add(index);
  if (typeof id !== 'string' || id === '') say(`${name} begins without id`);
  if (type !== 'function') say(`${name} begins without type function`);
  if (typeof body['name'] !== 'string' || body['name'] === '') say(`${name} begins without name`);
  if (body['arguments'] !== '') say(`${name} begins with arguments other than ""`);
}

/** The calls put together: ids unique, arguments JSON unless the answer was cut. */
function checkJoined(chunks: readonly Dict[]): string[] {
  return foldStream(chunks).choices.flatMap(({ index, tool_calls: calls, finish_reason: finish }) =>
    checkToolCalls(calls ?? [], `choice ${index} joined: tool_calls`, !CUT.includes(finish ?? '')),
  );
}
