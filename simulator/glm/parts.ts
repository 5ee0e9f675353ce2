/** Content parts of user messages: text and pictures (GLM 2.5). */
import { BlockList, isIP } from 'node:net';
import { illegal, wrong } from './errors.ts';
import { isFields } from './fields.ts';
import type { ChatModel } from './models.ts';

const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
const FILE_PARTS = new Set(['video_url', 'file_url', 'file']);

const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(net, prefix);
}
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** @throws Refusal 1214 for a part the model does not take, 1210 for a picture that cannot be fetched or read */
export function readParts(parts: readonly unknown[], message: number, model: ChatModel, old: boolean): { text: string; images: number } {
  const text: string[] = [];
  let images = 0;
  for (const [index, part] of parts.entries()) {
    const where = `messages[${message}].content[${index}]`;
    const type = isFields(part) ? part['type'] : undefined;
    if (!isFields(part) || typeof type !== 'string') throw illegal(`${where}.type`, TYPE_ERROR);
    if (type === 'text') {
      if (typeof part['text'] !== 'string') throw illegal(`${where}.text`);
      text.push(part['text']);
    } else if (type === 'image_url' && model.maxImages > 0) {
      checkImage(part['image_url'], where, model, old);
      images += 1;
    } else if (FILE_PARTS.has(type) && model.maxImages > 1) {
      images += 1;
    } else throw illegal(`${where}.type`, TYPE_ERROR);
  }
  return { text: text.join('\n'), images };
}

const TYPE_ERROR = { zh: '类型错误', en: 'type error' };

function checkImage(image: unknown, where: string, model: ChatModel, old: boolean): void {
  const url = isFields(image) ? image['url'] : undefined;
  if (typeof url !== 'string' || url === '') throw illegal(`${where}.image_url.url`);
  if (/^https?:/i.test(url)) {
    if (!isPublic(url)) throw unreadable();
    return;
  }
  if (!model.base64Images) throw unreadable();
  const prefixed = /^data:image\/(?:png|jpe?g|gif|webp);base64,/i.exec(url);
  // The GLM-4V generation takes bare base64 and refuses the data: prefix.
  if (prefixed && old) throw unreadable();
  const data = prefixed ? url.slice(prefixed[0].length) : url;
  if (data.length % 4 === 1 || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) throw unreadable();
  if (data.length * 0.75 > MAX_IMAGE_BYTES) throw wrong('picture larger than 5 MB', '图片超过 5 MB');
}

function unreadable() {
  return wrong('picture format error or picture cannot be parsed', '图片输入格式或解析错误');
}

function isPublic(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const host = new URL(text).hostname.replace(/^\[|\]$/g, '');
  const version = isIP(host);
  if (version > 0) return !PRIVATE.check(host, version === 6 ? 'ipv6' : 'ipv4');
  return host.includes('.') && !/\.(?:local|internal|localhost)$/i.test(host);
}
