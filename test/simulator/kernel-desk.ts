import { once } from 'node:events';
import { connect } from 'node:net';
import type { Handled, Vendor } from '../../simulator/kernel/types.ts';

/** A vendor that says three frames, or a fixed JSON body, and nothing of its own. */
export const FRAMES = ['data: {"n":1}\n\n', 'data: {"n":"é🙂"}\n\n', 'data: {"n":3}\n\n'];
export const STREAM = `data: {"role":true}\n\n${FRAMES.join('')}data: {"finish":true}\n\ndata: [DONE]\n\n`;
export const WHOLE = JSON.stringify({ answer: 'naïve 🙂', list: [1, 2, 3] });

export const plain: Vendor = {
  name: 'qwen',
  regions: ['here', 'there'],
  basePath: '/v1',
  goodKey: 'sk-plain',
  faultNames: ['own-fault'],
  handle(incoming, kernel): Handled {
    const body = JSON.parse(incoming.rawBody.toString('utf8') || '{}') as { prompt?: string; stream?: boolean; boom?: boolean };
    const prompt = body.prompt ?? '';
    if (body.boom) throw new Error('a mistake in the vendor');
    const said = kernel.faults(incoming, prompt).find((fault) => fault.name === 'rate-limit');
    const accounting = {
      model: 'm',
      stream: body.stream === true,
      promptTokens: kernel.countTokens(prompt),
      completionTokens: 5,
      reasoningTokens: 0,
      cachedTokens: 0,
      errorCode: said === undefined ? null : `limit-${said.args['kind']}`,
      keyName: 'plain',
    };
    if (said !== undefined) return { reply: { kind: 'whole', status: 429, headers: {}, body: accounting.errorCode ?? '' }, accounting };
    if (!body.stream)
      return { reply: { kind: 'whole', status: 200, headers: { 'content-type': 'application/json' }, body: WHOLE }, accounting };
    const frames = [
      { wire: 'data: {"role":true}\n\n', content: false },
      ...FRAMES.map((wire) => ({ wire, content: true })),
      { wire: 'data: {"finish":true}\n\n', content: false },
      { wire: 'data: [DONE]\n\n', content: false },
    ];
    return { reply: { kind: 'stream', status: 200, headers: { 'content-type': 'text/event-stream' }, frames }, accounting };
  },
};

export interface Raw {
  readonly head: string;
  /** Body with the chunk framing taken off. */
  readonly body: Buffer;
  /** Body pieces as they were framed by HTTP. */
  readonly chunks: readonly Buffer[];
  readonly whole: boolean;
  readonly error: string | null;
}

/** Speaks HTTP by hand, so that the test sees every byte and how the socket ended. */
export async function raw(
  port: number,
  body: unknown,
  options: { accept?: string; path?: string; leaveAfterMs?: number } = {},
): Promise<Raw> {
  const text = JSON.stringify(body);
  const socket = connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  let error: string | null = null;
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', (reason: NodeJS.ErrnoException) => {
    error = reason.code ?? reason.message;
  });
  socket.write(
    `POST ${options.path ?? '/v1/x'} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-plain-1234567890\r\nconnection: close\r\n` +
      `${options.accept ? `accept-encoding: ${options.accept}\r\n` : ''}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  if (options.leaveAfterMs !== undefined) setTimeout(() => socket.destroy(), options.leaveAfterMs);
  await once(socket, 'close').catch(() => undefined);
  const all = Buffer.concat(parts);
  const split = all.indexOf('\r\n\r\n');
  const head = split < 0 ? '' : all.subarray(0, split).toString('latin1');
  return { head, error, ...(split < 0 ? { body: Buffer.alloc(0), chunks: [], whole: false } : unframe(head, all.subarray(split + 4))) };
}

function unframe(head: string, bytes: Buffer): { body: Buffer; chunks: Buffer[]; whole: boolean } {
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return { body: bytes, chunks: [bytes], whole: bytes.length === Number(length) };
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (size === 0) return { body: Buffer.concat(chunks), chunks, whole: true };
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return { body: Buffer.concat(chunks), chunks, whole: false };
}
