import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { OpenAIError } from '../../openai/errors.ts';
import type { InFlight } from '../../relay/in-flight.ts';

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) } as const;

const tooLarge = (maxBytes: number): OpenAIError =>
  new OpenAIError('request_too_large', `The request body is larger than ${maxBytes} bytes.`);

/**
 * Reads a JSON body whole, within a bound that also holds for what a compressed body inflates to. A body that is refused is left
 * unread; `endAfterBody` deals with it.
 * @param inFlight may end the wait for a body that is slow to come
 * @throws OpenAIError `unsupported_content_type`, `request_too_large`, `invalid_json` (broken compression), or the error of the cut
 */
export async function readBody(request: IncomingMessage, maxBytes: number, inFlight: Pick<InFlight, 'cuttable'>): Promise<Buffer> {
  const type = request.headers['content-type'];
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new OpenAIError(
      'unsupported_content_type',
      `Unsupported content type: '${type.slice(0, 100)}'. This API method only accepts 'application/json' requests.`,
    );
  }
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && !Object.hasOwn(DECODERS, encoding)) {
    throw new OpenAIError(
      'unsupported_content_type',
      `Unsupported content encoding: '${encoding.slice(0, 100)}'. Use gzip, deflate, br or none.`,
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await gather(request, maxBytes, inFlight);
  if (encoding === 'identity') return bytes;
  try {
    return await DECODERS[encoding as keyof typeof DECODERS](bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes);
    throw new OpenAIError('invalid_json', `The body could not be decompressed as ${encoding}.`, { cause: error });
  }
}

function gather(request: IncomingMessage, maxBytes: number, inFlight: Pick<InFlight, 'cuttable'>): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  let size = 0;
  const refuse = (error: OpenAIError): void => {
    // What still comes is thrown away once the refusal has been sent.
    request.removeAllListeners('data');
    request.pause();
    reject(error);
  };
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) {
      refuse(tooLarge(maxBytes));
      return;
    }
    if (first === null) first = chunk;
    else (more ??= [first]).push(chunk);
  });
  let whole = false;
  request.on('end', () => {
    whole = true;
    resolve(more === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(more, size));
  });
  request.on('error', (error) => reject(closedEarly(error)));
  request.on('close', () => {
    if (!whole) reject(closedEarly());
  });
  return inFlight.cuttable(refuse, () => promise);
}

/** The caller left, or was too slow: nobody reads this answer, and it is no fault of ours. */
const closedEarly = (cause?: Error): OpenAIError =>
  new OpenAIError('invalid_json', 'The request was closed before its body had arrived.', { cause });
