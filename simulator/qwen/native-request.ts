import type { Incoming } from '../kernel/types.ts';
import type { Call } from './call.ts';
import { modelOf } from './chat.ts';
import { invalid, Refusal } from './errors.ts';
import { given, isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';
import { readBoolean } from './sampling.ts';

/** The two paths of text answers (Qwen: DashScope reference). */
export type NativePath = 'text' | 'multimodal';

/** A native request: its turn in the words of compatible mode, and the form its answer must have. */
export interface NativeRequest {
  /** As compatible mode would have it. */
  readonly body: JsonObject;
  readonly multimodal: boolean;
  readonly resultFormat: 'text' | 'message';
  readonly incremental: boolean;
}

/** A stream is asked for by a header; a field `stream` of the body means nothing. */
export const wantsStream = ({ headers }: Incoming): boolean =>
  headers['x-dashscope-sse'] === 'enable' || /\btext\/event-stream\b/.test(headers['accept'] ?? '');

/** @throws Refusal */
export function readNative({ incoming, body, kernel }: Call, path: NativePath): NativeRequest {
  if (incoming.headers['x-dashscope-async'] === 'enable')
    throw new Refusal('access_denied', { message: 'current user api does not support asynchronous calls.' });
  if (given(body, 'model') === undefined) throw new Refusal('BadRequest.EmptyModel');
  const model = modelOf(body['model']);
  if (model.path !== 'any' && model.path !== path) throw invalid('url error, please check url！');
  const input = given(body, 'input');
  if (!isObject(input)) throw new Refusal('BadRequest.EmptyInput');
  const parameters = given(body, 'parameters') ?? {};
  if (!isObject(parameters)) throw invalid('Input should be a valid dictionary: parameters');
  const multimodal = path === 'multimodal';
  const stream = wantsStream(incoming);
  const { result_format: _format, incremental_output: _incremental, stream: _stream, stream_options: _options, ...rest } = parameters;
  return {
    body: { ...rest, model: body['model'], messages: messagesOf(input, multimodal, kernel.strict === true), stream },
    multimodal,
    resultFormat: readResultFormat(parameters, model, multimodal),
    incremental: readBoolean(parameters, 'incremental_output') ?? false,
  };
}

/** What thinking and tools ask of the form of an answer. @throws Refusal 400 */
export function checkForm(form: NativeRequest, stream: boolean, thinking: boolean, tools: boolean): void {
  if (form.resultFormat === 'text' && thinking) throw invalid('The result_format parameter must be "message" when enable_thinking is true');
  if (form.resultFormat === 'text' && tools) throw invalid('The result_format parameter must be "message" when tools is not None');
  if (stream && thinking && !form.incremental)
    throw invalid('The incremental_output parameter must be "true" when enable_thinking is true');
}

function readResultFormat(parameters: JsonObject, model: ChatModel, multimodal: boolean): NativeRequest['resultFormat'] {
  const value = given(parameters, 'result_format') ?? (multimodal || model.messageByDefault ? 'message' : 'text');
  if (value !== 'text' && value !== 'message') throw invalid("Input should be 'text' or 'message': parameters.result_format");
  return multimodal ? 'message' : value;
}

function messagesOf(input: JsonObject, multimodal: boolean, strict: boolean): unknown {
  const { messages, prompt } = input;
  if (messages === undefined && typeof prompt === 'string') return [...historyOf(input['history']), { role: 'user', content: prompt }];
  if (messages === undefined) throw invalid('Either "prompt" or "messages" must exist and cannot both be none');
  if (!Array.isArray(messages)) throw invalid('Input should be a valid list: input.messages');
  return messages.map((message: unknown, index) => {
    if (!isObject(message)) return message;
    const { content } = message;
    const place = `input.messages.${index}.content`;
    if (!Array.isArray(content)) {
      if (multimodal && content !== undefined && content !== null && typeof content !== 'object')
        throw invalid(`Input should be a valid list: ${place}`);
      return message;
    }
    if (!multimodal && strict && !content.some((part) => isObject(part) && part['cache_control'] !== undefined))
      throw invalid(`Input should be a valid string: ${place}`);
    return { ...message, content: content.map((part: unknown) => openPart(part, place, multimodal)) };
  });
}

/** Turns before the prompt, in the oldest form. */
function historyOf(history: unknown): unknown[] {
  if (!Array.isArray(history)) return [];
  return history.flatMap((turn: unknown) =>
    isObject(turn)
      ? [
          { role: 'user', content: turn['user'] },
          { role: 'assistant', content: turn['bot'] },
        ]
      : [],
  );
}

/** A part whose key says what it is, in compatible mode's words. @throws Refusal 400 */
function openPart(part: unknown, place: string, multimodal: boolean): unknown {
  if (!isObject(part) || part['type'] !== undefined) throw invalid(`Input should be one of text, image, audio, video: ${place}`);
  const { text, image, audio, video } = part;
  const kinds = [text, image, audio, video].filter((value) => value !== undefined);
  if (kinds.length !== 1 || (!multimodal && text === undefined))
    throw invalid(`Input should be one of text, image, audio, video: ${place}`);
  if (image !== undefined) return { type: 'image_url', image_url: { url: image } };
  if (audio !== undefined) return { type: 'input_audio', input_audio: { data: audio } };
  if (video !== undefined) return Array.isArray(video) ? { type: 'video', video } : { type: 'video_url', video_url: { url: video } };
  return { type: 'text', text };
}
