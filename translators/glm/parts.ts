import type { ContentPart } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';
import type { UpstreamMessage } from '../compatible/messages.ts';

/** A user's picture, sound or file, as far as the model takes it. */
export function carryPart(draft: Draft, part: ContentPart, path: string): Record<string, unknown> | null {
  if (part.type === 'image_url' && draft.facts.vision !== false) {
    const { url, detail } = part.image_url;
    if (detail !== undefined && detail !== 'auto') draft.receipt.note(`${path}.image_url.detail`, 'dropped', 'the backend knows one size');
    return { type: 'image_url', image_url: { url: carryImage(draft, url, `${path}.image_url.url`) } };
  }
  if (part.type === 'input_audio' && draft.facts.audioInput === true) {
    return { type: 'input_audio', input_audio: { data: part.input_audio.data, format: part.input_audio.format } };
  }
  if (part.type === 'file' && draft.facts.rules.files && draft.target.region === 'intl') {
    const { file_id, file_data, filename } = part.file;
    return {
      type: 'file',
      file: {
        ...(file_id === undefined ? {} : { file_id }),
        ...(file_data === undefined ? {} : { file_data }),
        ...(filename === undefined ? {} : { filename }),
      },
    };
  }
  return null;
}

/** Older models refuse the `data:` prefix, and glm-4v-flash takes no picture but by URL. */
function carryImage(draft: Draft, url: string, path: string): string {
  const form = draft.facts.rules.images;
  if (form === 'any' || !/^data:/i.test(url)) return url;
  if (form === 'url') {
    draft.receipt.refuse(
      path,
      `Invalid '${path}': the backend's '${draft.target.model}' takes pictures by http(s) URL only.`,
      'unsupported_value',
    );
  }
  const comma = url.indexOf(',');
  if (!/;base64$/i.test(url.slice(0, Math.max(0, comma)))) {
    draft.receipt.refuse(path, `Invalid '${path}': the backend's '${draft.target.model}' takes base64 data only.`, 'unsupported_value');
  }
  draft.receipt.note(path, 'renamed', 'this model takes bare base64, without the data: prefix');
  return url.slice(comma + 1);
}

/** Models that take few pictures say so by an opaque 1210. */
export function checkImages(draft: Draft, messages: readonly UpstreamMessage[]): void {
  const most = draft.facts.rules.maxImages;
  if (most === null) return;
  const parts = messages.flatMap((message) => (Array.isArray(message['content']) ? (message['content'] as { type: string }[]) : []));
  const count = parts.filter((part) => part.type === 'image_url').length;
  if (count <= most) return;
  const what = `the backend's '${draft.target.model}' takes at most ${most} picture${most === 1 ? '' : 's'} a request, got ${count}`;
  draft.receipt.refuse('messages', `Invalid 'messages': ${what}.`, 'unsupported_value');
}
