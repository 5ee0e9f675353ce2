import { invalid, invalidInside, Refusal } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ChatModel } from './models.ts';

/** Largest base64 item, in bytes of its text (Qwen: multimodal limits). */
const MAX_DATA_URI = 10_485_760;

/** Text and number of images (and other media) of a message's content. @throws Refusal 400 */
export function readContent(content: unknown, role: string, model: ChatModel, strict: boolean): { text: string; images: number } {
  if (typeof content === 'string') return { text: content, images: 0 };
  if (!Array.isArray(content)) throw invalid('input content must be a string or a list of parts.');
  if (content.length === 0) throw invalid("[] is too short - 'content'");
  if (strict && !model.vision) throw invalidInside('input content must be a string.');
  let images = 0;
  const texts: string[] = [];
  for (const part of content as unknown[]) {
    if (!isObject(part)) throw badPart();
    if (part['type'] === 'text' && typeof part['text'] === 'string') texts.push(part['text']);
    else if (model.vision && role === 'user') images += countMedia(part);
    else throw badPart();
  }
  return { text: texts.join('\n'), images };
}

function countMedia(part: JsonObject): number {
  switch (part['type']) {
    case 'image_url':
    case 'video_url':
      checkUrl(isObject(part[part['type']]) ? (part[part['type']] as JsonObject)['url'] : undefined);
      return 1;
    case 'video': {
      const frames = part['video'];
      if (!Array.isArray(frames) || frames.length < 4)
        throw invalidInside('The video modality input does not meet the requirements: 4 frames or more.');
      frames.forEach(checkUrl);
      return frames.length;
    }
    case 'input_audio':
      // Unlike OpenAI's bare base64, the vendor wants a URL, if only a data: one.
      checkUrl(isObject(part['input_audio']) ? part['input_audio']['data'] : undefined);
      return 1;
    default:
      throw badPart();
  }
}

function checkUrl(url: unknown): void {
  if (typeof url !== 'string') throw badPart();
  if (/^https?:\/\/\S+$/.test(url)) return;
  if (!/^data:[^,]*;base64,[A-Za-z0-9+/_=-]+\s*$/.test(url)) {
    throw new Refusal('invalid_parameter_error', {
      message: '<400> InternalError.Algo.InvalidParameter: The provided URL does not appear to be valid. Ensure it is correctly formatted.',
      routed: true,
    });
  }
  if (url.length > MAX_DATA_URI) throw invalidInside(`Exceeded limit on max bytes per data-uri item : ${MAX_DATA_URI}`);
}

function badPart(): Refusal {
  return invalidInside('The provided messages input is invalid. The error info is [Unexpected item type in content]');
}
