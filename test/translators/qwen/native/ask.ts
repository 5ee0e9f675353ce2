/** Translates one request to Qwen's own protocol, and to compatible mode beside it. */
import { qwenNative } from '../../../../translators/qwen/native.ts';
import { type Asked, ask, type Situation } from '../ask.ts';

interface NativeBody {
  readonly model: string;
  readonly input: { readonly messages: readonly NativeMessage[] };
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface NativeMessage {
  readonly role: string;
  readonly content: string | readonly Readonly<Record<string, unknown>>[];
}

export interface AskedNative extends Omit<Asked, 'body'> {
  readonly body: NativeBody;
}

export const askNative = (request: Record<string, unknown>, situation: Situation = {}): AskedNative =>
  ask(request, { ...situation, translator: qwenNative }) as unknown as AskedNative;

/** A native body as compatible mode would have it: parameters at the top, messages in OpenAI's shape. Written against the documents, not the code. */
export function flattened({ body, path }: AskedNative): Record<string, unknown> {
  const { result_format: _format, incremental_output: _incremental, ...parameters } = body.parameters;
  return { model: body.model, ...parameters, messages: body.input.messages.map((message) => openAiMessage(message, path)) };
}

function openAiMessage(message: NativeMessage, path: string): Record<string, unknown> {
  const { content } = message;
  if (typeof content === 'string') return { ...message };
  const [only] = content;
  // One bare text is what a string becomes on the multimodal path.
  if (path.includes('multimodal') && content.length === 1 && only !== undefined && Object.keys(only).join() === 'text')
    return { ...message, content: only['text'] };
  return {
    ...message,
    content: content.map(({ text, image, audio, ...marks }) => {
      if (image !== undefined) return { type: 'image_url', image_url: { url: image }, ...marks };
      if (audio !== undefined) return { type: 'input_audio', input_audio: { data: audio }, ...marks };
      return { type: 'text', text, ...marks };
    }),
  };
}
