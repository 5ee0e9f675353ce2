import type { ContentPart } from '../../openai/chat/request.ts';
import type { Draft } from '../compatible/draft.ts';
import { picked } from '../compatible/parts.ts';

/** Keys beside `type` that DashScope documents on parts: the mark of its explicit prompt cache, and the bounds of an image. */
export const PART_KEYS: readonly string[] = ['cache_control', 'min_pixels', 'max_pixels'];

/** Images and, on models that hear, voices; null for what the model does not take. */
export function carryPart(draft: Draft, part: ContentPart, path: string): Record<string, unknown> | null {
  if (part.type === 'image_url' && draft.facts.vision !== false) {
    const { url, detail } = part.image_url;
    if (detail === 'high') draft.body['vl_high_resolution_images'] ??= true;
    if (detail !== undefined && detail !== 'auto') {
      const fate = detail === 'high' ? 'renamed' : 'dropped';
      draft.receipt.note(`${path}.image_url.detail`, fate, 'the backend has one switch for all images', {
        to: 'vl_high_resolution_images',
      });
    }
    return { type: 'image_url', image_url: { url }, ...picked(part, PART_KEYS) };
  }
  if (part.type === 'input_audio' && draft.facts.audioInput === true) {
    const { data, format } = part.input_audio;
    if (/^(data:|https?:)/i.test(data.slice(0, 8))) return { type: 'input_audio', input_audio: { data, format } };
    draft.receipt.note(`${path}.input_audio.data`, 'renamed', 'the backend takes a data URL', { to: 'data:audio/…' });
    return { type: 'input_audio', input_audio: { data: `data:audio/${format};base64,${data}`, format } };
  }
  return null;
}
