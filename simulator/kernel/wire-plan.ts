import { gzipSync } from 'node:zlib';
import type { Fault, Reply } from './types.ts';

/** How the bytes of an answer go out once the wire faults have been worked in. */
export interface WirePlan {
  /** `reset` and `silent` never send a byte. */
  readonly start: 'answer' | 'silent' | 'reset';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly writes: readonly Buffer[];
  /** After the last write: a proper end, a destroyed socket, or an open socket that says nothing more. */
  readonly finish: 'end' | 'destroy' | 'hold';
  readonly firstByteMs: number;
  readonly chunkMs: number;
  /** Each write is handed to the network by itself. */
  readonly flushEach: boolean;
}

interface Part {
  readonly wire: string;
  readonly content: boolean;
}

const HTML_PAGE = (status: number): string =>
  `<html>\r\n<head><title>${status} Bad Gateway</title></head>\r\n<body>\r\n<center><h1>${status} Bad Gateway</h1></center>\r\n<hr><center>gateway</center>\r\n</body>\r\n</html>\r\n`;

/** @throws RangeError when a number in a fault's arguments is not a whole number ≥ 0 */
export function planWire(reply: Reply, faults: readonly Fault[], acceptsGzip = true): WirePlan {
  const find = (name: string): Fault | undefined => faults.find((fault) => fault.name === name);
  const html = find('html');
  const answer: Reply = html === undefined ? reply : htmlReply(numberOf(html, 'status', 502));
  const slow = find('slow');
  const framed = answer.kind === 'stream' ? frameFaults(answer.frames, find) : wholeFaults(answer.body, find);

  let bytes: readonly Buffer[] = framed.parts.map((part) => Buffer.from(part.wire, 'utf8'));
  let { finish } = framed;
  const headers: Record<string, string> = { ...answer.headers };
  if (find('gzip') !== undefined && acceptsGzip) {
    bytes = [gzipSync(Buffer.concat(bytes))];
    headers['content-encoding'] = 'gzip';
  }
  const cutAt = find('cut')?.args['bytes'];
  const cut = find('cut');
  const whole = bytes.reduce((total, part) => total + part.length, 0);
  if (answer.kind === 'whole') headers['content-length'] = String(framed.contentLength ?? whole);
  if (cut !== undefined && cutAt !== undefined) {
    const limit = numberOf(cut, 'bytes', 0);
    if (limit < whole) {
      bytes = firstBytes(bytes, limit);
      finish = 'destroy';
    }
  }
  const split = find('split');
  if (split !== undefined) bytes = resplit(Buffer.concat(bytes), Math.max(1, numberOf(split, 'bytes', 1)));
  return {
    start: find('reset') !== undefined ? 'reset' : find('silent') !== undefined ? 'silent' : 'answer',
    status: answer.status,
    headers,
    writes: bytes,
    finish,
    firstByteMs: slow === undefined ? 0 : numberOf(slow, 'firstByteMs', 0),
    chunkMs: slow === undefined ? 0 : numberOf(slow, 'chunkMs', 0),
    flushEach: split !== undefined,
  };
}

type Find = (name: string) => Fault | undefined;

interface Framed {
  readonly parts: readonly Part[];
  readonly finish: WirePlan['finish'];
  /** Promised length, where it differs from what is sent. */
  readonly contentLength?: number;
}

function frameFaults(frames: readonly Part[], find: Find): Framed {
  let parts: readonly Part[] = frames;
  let finish: WirePlan['finish'] = 'end';
  if (find('no-done') !== undefined) parts = parts.filter((part) => !part.wire.includes('[DONE]'));
  const garbage = find('garbage');
  if (garbage !== undefined) parts = insertAfter(parts, numberOf(garbage, 'after', 1), 'data: {"choices":[{oops\n\n');
  const half = find('half-frame');
  if (half !== undefined) {
    const at = indexAfter(parts, numberOf(half, 'after', 1));
    const broken = parts[at]?.wire ?? '';
    parts = [...parts.slice(0, at), { wire: broken.slice(0, Math.ceil(broken.length / 2)), content: false }];
    finish = 'destroy';
  }
  for (const [name, ending] of [
    ['end', 'end'],
    ['cut', 'destroy'],
    ['stall', 'hold'],
  ] as const) {
    const fault = find(name);
    if (fault === undefined || (name === 'cut' && fault.args['after'] === undefined)) continue;
    parts = parts.slice(0, indexAfter(parts, numberOf(fault, 'after', 1)));
    finish = ending;
  }
  const comments = find('comments');
  if (comments !== undefined) {
    const wire = `${': keep-alive'.padEnd(numberOf(comments, 'bytes', 0), '.')}\n\n`;
    parts = parts.flatMap((part) => [{ wire, content: false }, part]);
  }
  if (find('no-space') !== undefined)
    parts = parts.map((part) => ({ ...part, wire: part.wire.replace(/^(data|event|id|retry): /gm, '$1:') }));
  if (find('crlf') !== undefined) parts = parts.map((part) => ({ ...part, wire: part.wire.replace(/\r?\n/g, '\r\n') }));
  return { parts, finish };
}

/** A whole answer has no frames: faults that count frames act on its middle instead. */
function wholeFaults(body: string, find: Find): Framed {
  const half = body.slice(0, Math.ceil(body.length / 2));
  const contentLength = Buffer.byteLength(body);
  if (find('garbage') !== undefined) return { parts: [{ wire: `${half}%%oops`, content: true }], finish: 'end' };
  if (find('stall') !== undefined) return { parts: [{ wire: half, content: true }], finish: 'hold', contentLength };
  const cut = find('cut');
  const cutsHalf = find('half-frame') !== undefined || (cut !== undefined && cut.args['bytes'] === undefined);
  if (cutsHalf) return { parts: [{ wire: half, content: true }], finish: 'destroy', contentLength };
  if (find('end') !== undefined) return { parts: [{ wire: half, content: true }], finish: 'end' };
  return { parts: [{ wire: body, content: true }], finish: 'end' };
}

function htmlReply(status: number): Reply {
  return { kind: 'whole', status, headers: { 'content-type': 'text/html', server: 'gateway' }, body: HTML_PAGE(status) };
}

/** Index of the first frame after the `count`th content frame. */
function indexAfter(parts: readonly Part[], count: number): number {
  let seen = 0;
  for (const [index, part] of parts.entries()) {
    if (seen >= count && (count > 0 || part.content)) return index;
    if (part.content) seen += 1;
  }
  return parts.length;
}

function insertAfter(parts: readonly Part[], count: number, wire: string): readonly Part[] {
  const at = indexAfter(parts, count);
  return [...parts.slice(0, at), { wire, content: false }, ...parts.slice(at)];
}

function firstBytes(bytes: readonly Buffer[], limit: number): readonly Buffer[] {
  const kept: Buffer[] = [];
  let left = limit;
  for (const part of bytes) {
    if (left <= 0) break;
    kept.push(part.subarray(0, left));
    left -= part.length;
  }
  return kept;
}

function resplit(bytes: Buffer, size: number): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return parts;
}

function numberOf(fault: Fault, name: string, otherwise: number): number {
  const text = fault.args[name];
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`fault ${fault.name}: ${name}=${text} is not a whole number`);
  return Number(text);
}
