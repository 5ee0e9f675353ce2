import { OpenAIError } from '../../openai/errors.ts';
import type { UpstreamFailure } from '../../translators/translator.ts';

/** Bounds of what is gathered before it can be read: a whole answer, and a refusal. */
const MAX_WHOLE_BYTES = 32 * 1024 * 1024;
const MAX_FAILURE_BYTES = 64 * 1024;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** An answer that is read as a whole: gathered within bounds, then either JSON or a refusal. */
export class AnswerBody {
  readonly #status: number;
  readonly #headers: Headers;
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** @throws OpenAIError for a compressed body, which nobody asked for */
  constructor(status: number, headers: Headers) {
    this.#status = status;
    this.#headers = headers;
    const encoding = one(headers['content-encoding']);
    if (encoding !== '' && encoding !== 'identity') {
      throw new OpenAIError('upstream_invalid_response', "The backend's answer is compressed, although it was asked not to be.", {
        fallback: true,
      });
    }
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  /** False once a refusal is as long as anybody reads. @throws OpenAIError when an answer is longer than the relay accepts */
  push(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > (this.ok ? MAX_WHOLE_BYTES : MAX_FAILURE_BYTES)) {
      if (!this.ok) return false;
      throw new OpenAIError('upstream_invalid_response', "The backend's answer is larger than the relay accepts.", { fallback: true });
    }
    this.#chunks.push(chunk);
    return true;
  }

  /** @throws OpenAIError when it is none */
  json(): unknown {
    try {
      return JSON.parse(this.#text());
    } catch (error) {
      throw new OpenAIError('upstream_invalid_response', "The backend's answer is not JSON.", { cause: error, fallback: true });
    }
  }

  refusal(): UpstreamFailure {
    const headers: Record<string, string | undefined> = {};
    for (const [name, value] of Object.entries(this.#headers)) headers[name] = one(value);
    return { status: this.#status, headers, body: this.#text() };
  }

  #text(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8');
    this.#chunks = [];
    return text;
  }
}

const one = (value: string | string[] | undefined): string => (typeof value === 'string' ? value : (value?.[0] ?? ''));
