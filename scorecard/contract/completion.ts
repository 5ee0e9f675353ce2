import { type Choice, type Reply, wholeReply } from './reply.ts';
import { type Dict, dicts, isCount, isDict, parsed, strangers } from './shape.ts';

/** OpenAI's contract of a chat answer, as its schema and its servers keep it; `reasoning_content` is what every vendor and SDK adds. */
const HEAD = ['id', 'object', 'created', 'model', 'choices', 'usage', 'service_tier', 'system_fingerprint', 'metadata', 'moderation'];
const MESSAGE = ['role', 'content', 'refusal', 'annotations', 'tool_calls', 'function_call', 'audio', 'reasoning_content'];
const REASONS = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];

/** What is wrong with a whole answer; empty when nothing is. */
export function completionFaults(body: unknown): string[] {
  if (!isDict(body)) return ['the answer is no JSON object'];
  const found = [...headFaults(body, 'chat.completion'), ...strangers(body, HEAD, 'the answer'), ...usageFaults(body['usage'])];
  const choices = dicts(body['choices']);
  if (choices.length === 0) found.push('there is no choice');
  for (const [position, choice] of choices.entries()) {
    const where = `choice ${position}`;
    if (choice['index'] !== position) found.push(`${where} has index ${String(choice['index'])}`);
    if (!('logprobs' in choice)) found.push(`${where} has no logprobs key`);
    const message = choice['message'];
    if (!isDict(message)) {
      found.push(`${where} has no message`);
      continue;
    }
    found.push(...strangers(message, MESSAGE, where));
    if (message['role'] !== 'assistant') found.push(`${where} is not the assistant's`);
    for (const key of ['content', 'refusal']) if (!(key in message)) found.push(`${where} has no ${key}`);
    if ('tool_calls' in message && dicts(message['tool_calls']).length === 0) found.push(`${where} has an empty list of tool calls`);
  }
  return [...found, ...replyFaults(wholeReply(body))];
}

export function headFaults(value: Dict, object: string): string[] {
  const found: string[] = [];
  if (typeof value['id'] !== 'string' || !/^chatcmpl-[\w-]+$/.test(value['id'])) found.push('the id is not chatcmpl-…');
  if (value['object'] !== object) found.push(`object is not ${object}`);
  if (!isCount(value['created']) || value['created'] > 1e11) found.push('created is no time in seconds');
  if (typeof value['model'] !== 'string' || value['model'] === '') found.push('model is empty');
  return found;
}

/** What holds of a choice in one piece, and of one put together. */
export function replyFaults({ choices }: Reply): string[] {
  return choices.flatMap((choice) => choiceFaults(choice).map((fault) => `choice ${choice.index}: ${fault}`));
}

function choiceFaults({ finish, content, calls, legacyCall }: Choice): string[] {
  const found: string[] = [];
  if (finish === null || !REASONS.includes(finish)) found.push(`finish_reason is ${String(finish)}`);
  if (calls.length > 0 && content !== null && content !== '') found.push('it has a text beside tool calls');
  if (calls.length > 0 && finish === 'stop') found.push('finish_reason is stop beside tool calls');
  if (calls.length === 0 && finish === 'tool_calls') found.push('finish_reason is tool_calls without any');
  if (calls.length === 0 && legacyCall === null && finish === 'stop' && content === null) found.push('it says nothing');
  const cut = finish === 'length' || finish === 'content_filter';
  for (const [place, { id, name, arguments: json }] of calls.entries()) {
    if (id === '' || calls.findIndex((call) => call.id === id) !== place) found.push(`call ${place} has no id of its own`);
    if (name === '') found.push(`call ${place} has no name`);
    if (!cut && parsed(json) === undefined) found.push(`call ${place} has arguments that are no JSON`);
  }
  return found;
}

const DETAILS = {
  prompt_tokens_details: ['cached_tokens', 'audio_tokens'],
  completion_tokens_details: ['reasoning_tokens', 'audio_tokens', 'accepted_prediction_tokens', 'rejected_prediction_tokens'],
};

export function usageFaults(usage: unknown): string[] {
  if (!isDict(usage)) return ['there is no usage'];
  const found: string[] = [];
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  if (!isCount(prompt) || !isCount(completion) || !isCount(total)) found.push('usage has a count that is no integer');
  else if (total !== prompt + completion) found.push(`usage: ${total} is not ${prompt} + ${completion}`);
  for (const [name, keys] of Object.entries(DETAILS)) {
    const details = usage[name];
    if (!isDict(details)) found.push(`usage has no ${name}`);
    else for (const key of keys) if (!isCount(details[key])) found.push(`usage has no ${name}.${key}`);
  }
  return found;
}
