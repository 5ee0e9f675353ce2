import { OpenAIError } from '../../openai/errors.ts';
import type { UpstreamFailure } from '../../translators/translator.ts';

/** Bounds of what is gathered before it can be read: a whole answer, and a refusal. */
const MAX_WHOLE_BYTES = 32 * 1024 * 1024;
const MAX_FAILURE_BYTES = 64 * 1024;

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Reads a vendor's refusal. */
type Failure = (failure: UpstreamFailure) => OpenAIError;

/** An answer that is read as a whole: gathered within bounds, then either JSON or a refusal. */
export class AnswerBody {
  readonly #status: number;
  readonly #headers: AnswerHeaders;
  readonly #failure: Failure;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  /** @throws OpenAIError for a compressed body, which nobody asked for */
  constructor(status: number, headers: AnswerHeaders, failure: Failure) {
    this.#status = status;
    this.#headers = headers;
    this.#failure = failure;
    const encoding = one(headers['content-encoding']);
    if (encoding !== '' && encoding !== 'identity') {
      throw new OpenAIError('upstream_invalid_response', "The backend's answer is compressed, although it was asked not to be.", {
        fallback: true,
      });
    }
  }

  /** @throws OpenAIError when an answer is longer than the relay accepts, or a refusal as long as it reads */
  push(chunk: Buffer): void {
    const refused = !this.#ok;
    const most = refused ? MAX_FAILURE_BYTES : MAX_WHOLE_BYTES;
    const room = most - this.#bytes;
    this.#bytes += chunk.length;
    if (room >= chunk.length) {
      this.#chunks.push(chunk);
      return;
    }
    if (!refused) {
      throw new OpenAIError('upstream_invalid_response', "The backend's answer is larger than the relay accepts.", { fallback: true });
    }
    this.#chunks.push(chunk.subarray(0, room));
    throw this.#refusal(this.#text());
  }

  /** @throws OpenAIError for a refusal, and for what is no JSON */
  json(): unknown {
    const text = this.#text();
    if (!this.#ok) throw this.#refusal(text);
    try {
      return JSON.parse(text);
    } catch (error) {
      // Error frames of a stream that came without its content type; then anything that is no JSON at all.
      if (/^\s*(?:data|id|event):/.test(text)) throw this.#refusal(text.slice(0, MAX_FAILURE_BYTES));
      throw new OpenAIError('upstream_invalid_response', "The backend's answer is not JSON.", { cause: error, fallback: true });
    }
  }

  get #ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  #refusal(body: string): OpenAIError {
    const headers: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(this.#headers)) headers[name] = one(value);
    return this.#failure({ status: this.#status, headers, body });
  }

  #text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** The first value of a header; empty where there is none. */
export const one = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : (value?.[0] ?? ''));
