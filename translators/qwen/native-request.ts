import type { ChatRequest } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';
import type { UpstreamMessage } from '../compatible/messages.ts';
import type { Receipt } from '../receipt.ts';
import type { Target, UpstreamPlan } from '../translator.ts';
import { carryRequest, type Wire } from './request.ts';

const TEXT = '/services/aigc/text-generation/generation';
const MULTIMODAL = '/services/aigc/multimodal-generation/generation';

/** DashScope takes seeds of 63 bits here; JSON keeps 53 of them. */
const NATIVE: Wire = { maxSeed: Number.MAX_SAFE_INTEGER, streamFields: false, modalities: false, sources: true };

const STREAM_HEADERS = { accept: 'text/event-stream', 'x-dashscope-sse': 'enable' };

/**
 * The request of compatible mode, taken apart: `input` holds the messages, `parameters` the rest. `result_format` and
 * `incremental_output` are always said: their defaults differ between models, and neither tools nor thinking take the older values.
 */
export function nativeRequest(request: ChatRequest, target: Target, receipt: Receipt): UpstreamPlan {
  const { draft, messages, stream } = carryRequest(request, target, receipt, NATIVE);
  const { model, ...fields } = draft.body;
  const multimodal = isMultimodal(draft, messages);
  return {
    path: multimodal ? MULTIMODAL : TEXT,
    body: {
      model,
      input: { messages: messages.map((message) => nativeMessage(message, multimodal)) },
      parameters: { ...fields, result_format: 'message', ...(stream ? { incremental_output: true } : {}) },
    },
    parametersIn: 'parameters',
    ...(stream ? { headers: STREAM_HEADERS } : {}),
    stream,
    emulation: draft.emulation,
  };
}

/**
 * Models that see or hear are served on the multimodal path even for plain text, all others on the text path; the wrong one is refused
 * with "url error". Of a model that nobody knows the content tells.
 */
function isMultimodal(draft: Draft, messages: readonly UpstreamMessage[]): boolean {
  if (draft.facts.vision === true || draft.facts.audioInput === true) return true;
  return messages.some(({ content }) => Array.isArray(content) && content.some((part: { type?: unknown }) => part.type !== 'text'));
}

/** Contents are lists of single-key parts on the multimodal path; on the text path strings, lists where a part carries a cache mark. */
function nativeMessage(message: UpstreamMessage, multimodal: boolean): UpstreamMessage {
  const { content } = message;
  if (Array.isArray(content)) return { ...message, content: content.map(nativePart) };
  return multimodal ? { ...message, content: [{ text: content }] } : message;
}

/** Without `type`: the key says what it is, marks and bounds stand beside it. */
function nativePart(part: Record<string, unknown>): Record<string, unknown> {
  const { type: _type, image_url: image, input_audio: audio, ...rest } = part;
  if (image !== undefined) return { image: (image as { url: string }).url, ...rest };
  if (audio !== undefined) return { audio: (audio as { data: string }).data, ...rest };
  return rest;
}
