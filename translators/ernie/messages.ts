import type { ContentPart } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';
import { carryMessages, type UpstreamMessage } from '../compatible/messages.ts';

const EMPTY = '(empty)';
/** In bytes of UTF-8; Qianfan fetches nothing longer, and the relay fetches nothing at all. */
const MAX_IMAGE_URL = 1024;
/** Spaces and line ends only: refused in the last message. */
const BLANK = /^[ \n\r\f]+$/;

/** ERNIE of 2025 wanted user and assistant in turn, and nothing says that later ones do not. */
export function ernieMessages(draft: Draft): UpstreamMessage[] {
  const messages = carryMessages(draft, {
    part: carryPart,
    reasoning: draft.facts.rules.reasoningHistory,
    partial: false,
    names: true,
    joinNeighbours: true,
    userFirst: true,
    userLast: true,
    emptyText: EMPTY,
    plainParts: true,
    jsonArguments: true,
  });
  const last = messages.at(-1);
  if (typeof last?.['content'] === 'string' && BLANK.test(last['content'])) {
    draft.receipt.note('messages', 'defaulted', 'the backend takes no blank text in the last message', {
      to: JSON.stringify(EMPTY),
      alters: true,
    });
    last['content'] = EMPTY;
  }
  return messages;
}

function carryPart(draft: Draft, part: ContentPart, path: string): Record<string, unknown> | null {
  if (part.type !== 'image_url' || draft.facts.vision === false) return null;
  const { url, detail } = part.image_url;
  if (!/^data:/i.test(url) && new TextEncoder().encode(url).length > MAX_IMAGE_URL) {
    draft.receipt.refuse(
      `${path}.image_url.url`,
      `Invalid '${path}.image_url.url': the backend takes image URLs of up to ${MAX_IMAGE_URL} bytes. Send the image as a data URL.`,
      'unsupported_value',
    );
  }
  const image: Record<string, unknown> = { url };
  if (detail !== undefined) {
    if (!draft.facts.rules.imageDetail) {
      if (detail !== 'auto') draft.receipt.note(`${path}.image_url.detail`, 'dropped', 'the model has no such switch');
    } else if (detail === 'original') {
      draft.receipt.note(`${path}.image_url.detail`, 'clamped', 'the finest the backend knows', { to: 'high' });
      image['detail'] = 'high';
    } else image['detail'] = detail;
  }
  return { type: 'image_url', image_url: image };
}
