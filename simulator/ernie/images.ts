/**
 * What Qianfan says about pictures and videos in a message: URL at most 1,024 bytes or a data URI, picture at most
 * 10 MB with every side in 5…6000 px. A bad picture is 400 `invalid_image_url`.
 */

import { Refusal } from './errors.ts';

const MAX_URL_BYTES = 1_024;
const MAX_IMAGE_BYTES = 10 * 1024 * 1024;
const MIN_SIDE = 5;
const MAX_SIDE = 6_000;

/** @throws Refusal `invalid_image_url` */
export function checkImageUrl(url: unknown): void {
  if (typeof url !== 'string' || url === '') throw bad('the url of the image is empty');
  if (url.startsWith('data:')) {
    checkImageBytes(dataBytes(url, /^data:image\/[a-z0-9.+-]+;base64,/i));
    return;
  }
  checkWebUrl(url);
}

/** Videos take the same URL rules, and up to `maxMegabytes` as a data URI. */
export function checkVideoUrl(url: unknown, maxMegabytes: number): void {
  if (typeof url !== 'string' || url === '') throw bad('the url of the video is empty');
  if (url.startsWith('data:')) {
    const bytes = dataBytes(url, /^data:video\/[a-z0-9.+-]+;base64,/i);
    if (bytes.length > maxMegabytes * 1024 * 1024) throw bad(`the video is larger than ${maxMegabytes} MB`);
    return;
  }
  checkWebUrl(url);
}

function checkWebUrl(text: string): void {
  if (Buffer.byteLength(text) > MAX_URL_BYTES) throw bad(`the url is longer than ${MAX_URL_BYTES} bytes`);
  if (!URL.canParse(text)) throw bad('the url is invalid');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw bad('the url is invalid');
  // The vendor fetches from its own network: what only the caller can reach does not exist there.
  if (isUnreachable(url.hostname)) throw bad('download image failed');
}

function isUnreachable(host: string): boolean {
  return (
    host === 'localhost' ||
    host.startsWith('[') ||
    /\.(invalid|local|localhost|internal)$/.test(host) ||
    /^(10|127|0)\./.test(host) ||
    /^192\.168\./.test(host) ||
    /^169\.254\./.test(host) ||
    /^172\.(1[6-9]|2\d|3[01])\./.test(host)
  );
}

function dataBytes(url: string, head: RegExp): Buffer {
  const match = head.exec(url);
  const text = match ? url.slice(match[0].length) : '';
  if (text === '' || !/^[A-Za-z0-9+/\r\n]+={0,2}$/.test(text)) throw bad('the base64 data is invalid');
  return Buffer.from(text, 'base64');
}

function checkImageBytes(bytes: Buffer): void {
  if (bytes.length > MAX_IMAGE_BYTES) throw bad('the image is larger than 10 MB');
  const size = imageSize(bytes);
  if (!size) throw bad('the image format is not supported');
  const short = Math.min(size.width, size.height);
  const long = Math.max(size.width, size.height);
  // A side of exactly 6000 is outside: the document says "less than".
  if (short < MIN_SIDE || long >= MAX_SIDE) throw bad(`the image size ${size.width}x${size.height} is out of range`);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Width and height (pixels) of PNG, GIF, BMP, JPEG and WebP; null for anything else. */
export function imageSize(bytes: Buffer): Size | null {
  if (bytes.length >= 24 && bytes.toString('latin1', 1, 4) === 'PNG') {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (bytes.length >= 10 && bytes.toString('latin1', 0, 4) === 'GIF8') {
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  }
  if (bytes.length >= 26 && bytes.toString('latin1', 0, 2) === 'BM') {
    return { width: bytes.readInt32LE(18), height: Math.abs(bytes.readInt32LE(22)) };
  }
  if (bytes.length >= 30 && bytes.toString('latin1', 8, 12) === 'WEBP') return webpSize(bytes);
  return bytes.length >= 4 && bytes.readUInt16BE(0) === 0xffd8 ? jpegSize(bytes) : null;
}

/** Walks the JPEG segments up to the frame header (SOF0–SOF15 without the three tables in between). */
function jpegSize(bytes: Buffer): Size | null {
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

function webpSize(bytes: Buffer): Size | null {
  const kind = bytes.toString('latin1', 12, 16);
  if (kind === 'VP8X') return { width: 1 + bytes.readUIntLE(24, 3), height: 1 + bytes.readUIntLE(27, 3) };
  if (kind === 'VP8 ') return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (kind !== 'VP8L') return null;
  const bits = bytes.readUInt32LE(21);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}

function bad(reason: string): Refusal {
  return new Refusal('invalid_image_url', reason);
}
