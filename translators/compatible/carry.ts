import type { Draft } from './draft.ts';
import { textOf } from './parts.ts';

/** Fields whose emulation is the same for every vendor. */

/** `stop`: sent as far as the vendor takes it, the rest cut by the relay. */
export function carryStop(draft: Draft): void {
  const { stopWords: most, stopChars } = draft.facts.rules;
  const { stop } = draft.request;
  if (stop === undefined) return;
  const words = stopWords(draft);
  if (words.length === 0) {
    draft.receipt.note('stop', 'dropped', 'an empty stop word stops nothing');
    return;
  }
  if (Array.isArray(stop) && words.length < stop.length) draft.receipt.note('stop', 'dropped', 'empty stop words stop nothing');
  const fits = words.every((word) => word.length <= (stopChars ?? Number.POSITIVE_INFINITY)) ? words.slice(0, most) : [];
  if (fits.length > 0) draft.body['stop'] = fits;
  if (fits.length === words.length) {
    if (typeof stop === 'string') draft.receipt.note('stop', 'renamed', 'the backend takes a list', { to: 'stop[]' });
    return;
  }
  draft.emulation.stop = words;
  draft.receipt.note(
    'stop',
    'emulated',
    `the backend takes ${most === 0 ? 'none' : `${most}${stopChars === null ? '' : ` of up to ${stopChars} characters`}`}: the relay cuts the answer`,
  );
}

function stopWords({ request: { stop = [] } }: Draft): string[] {
  return (typeof stop === 'string' ? [stop] : stop).filter((word) => word !== '');
}

/** Each emulated choice is a call of its own, paid for and counted by the vendor as one. */
const MAX_CALLS = 8;

/** `n`: sent up to what the vendor makes in one call, else that many calls. */
export function carryChoices(draft: Draft, native: number): void {
  const { n } = draft.request;
  if (n === undefined || n === 1) {
    if (n === 1 && native <= 1) draft.receipt.note('n', 'dropped', 'one choice is what the backend makes');
    else if (n === 1) draft.body['n'] = 1;
    return;
  }
  if (n <= native) {
    draft.body['n'] = n;
    return;
  }
  if (n > MAX_CALLS) draft.receipt.refuse('n', `Invalid 'n': at most ${MAX_CALLS} with this model, got ${n}.`, 'unsupported_value');
  draft.emulation.choices = n;
  draft.receipt.note(
    'n',
    'emulated',
    `the backend makes ${native > 1 ? `at most ${native} choices` : 'one choice'} a call: ${n} calls are made, the prompt is paid for each time`,
  );
}

/**
 * `stream_options`. The relay counts tokens by the usage chunk, so that one is asked for with every stream, where it must be asked for
 * at all (`asks`); the caller sees it only where the caller wants it.
 */
export function carryStreamOptions(draft: Draft, stream: boolean, asks: boolean): void {
  const { request, receipt, body } = draft;
  const options = request.stream_options;
  if (stream && asks) body['stream_options'] = { include_usage: true };
  if (request.stream !== true) {
    if (options !== undefined) receipt.note('stream_options', 'dropped', 'it says nothing without a stream');
    return;
  }
  if (!asks) {
    if (options !== undefined)
      receipt.note('stream_options', 'dropped', 'the backend always tells the usage: the relay passes it on as it was asked to');
  } else if (options?.include_usage !== true) {
    receipt.note('stream_options', 'defaulted', 'the relay counts tokens by it; the caller does not see it', { to: 'include_usage=true' });
  }
  for (const key of Object.keys(options ?? {})) {
    if (key === 'include_usage' || (key === 'include_obfuscation' && options?.include_obfuscation !== true)) continue;
    const reason =
      key === 'include_obfuscation' ? 'the relay does not pad chunks' : 'the relay streams as OpenAI does, and knows no such option';
    receipt.note(`stream_options.${key}`, 'dropped', reason);
  }
}

/** Token limits in one number: `max_completion_tokens` wins when both are sent. */
export function wantedMaxTokens(draft: Draft): { field: 'max_completion_tokens' | 'max_tokens'; value: number } | null {
  const { max_completion_tokens: total, max_tokens: old } = draft.request;
  if (total !== undefined) {
    if (old !== undefined) draft.receipt.note('max_tokens', 'dropped', 'max_completion_tokens was sent too and wins');
    return { field: 'max_completion_tokens', value: total };
  }
  return old === undefined ? null : { field: 'max_tokens', value: old };
}

/** A token limit within the vendor's bounds; noted under the caller's name of it. */
export function clampTokens(draft: Draft, field: string, value: number, min: number, max: number | null): number {
  const sent = Math.max(min, max === null ? value : Math.min(max, value));
  if (sent !== value) {
    draft.receipt.note(field, 'clamped', `the backend takes ${min} to ${max ?? 'any number'}`, { to: String(sent), alters: sent > value });
  }
  return sent;
}

/** The relay holds the answer to one JSON value, of this schema if there is one. */
export function holdToJson(draft: Draft, schema: Readonly<Record<string, unknown>> | null): void {
  draft.emulation.json = stopWords(draft).length === 0 ? { schema } : { schema, mayEndEarly: true };
}

/** `json_schema` where the vendor has JSON mode at most: an instruction, then the relay holds the answer to the schema. */
export function emulateJsonSchema(draft: Draft, jsonMode: boolean): void {
  const format = draft.request.response_format;
  if (format?.type !== 'json_schema') return;
  const schema = format.json_schema.schema ?? null;
  draft.receipt.note(
    'response_format',
    'emulated',
    'the backend has no JSON schema mode: it is told the schema, and the relay checks the answer',
    {
      to: jsonMode ? 'json_object' : 'instruction',
      alters: true,
    },
  );
  const named = `${format.json_schema.name}${format.json_schema.description === undefined ? '' : ` (${format.json_schema.description})`}`;
  draft.instructions.push(
    schema === null
      ? `Answer with one JSON object and nothing else: ${named}.`
      : `Answer with one JSON value and nothing else, no Markdown. It is ${named} and must be valid against this JSON schema:\n${JSON.stringify(schema)}`,
  );
  if (jsonMode) draft.body['response_format'] = { type: 'json_object' };
  holdToJson(draft, schema);
}

/** JSON mode for models without it: an instruction, and the relay takes off what stands around the JSON. */
export function emulateJsonObject(draft: Draft): void {
  draft.receipt.note(
    'response_format',
    'emulated',
    'the backend has no JSON mode for this model: it is told to, and the relay checks the answer',
    { alters: true },
  );
  draft.instructions.push('Answer with one JSON object and nothing else, no Markdown.');
  holdToJson(draft, null);
}

/** True when the word that JSON modes insist on stands in what the vendor will see. */
export function mentionsJson(draft: Draft): boolean {
  return (
    draft.request.messages.some((message) => /json/i.test(textOf(message.content))) || draft.instructions.some((text) => /json/i.test(text))
  );
}
