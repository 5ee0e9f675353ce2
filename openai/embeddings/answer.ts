import { endianness } from 'node:os';

const SWAP = endianness() === 'BE';

/** A vector as OpenAI's base64: float32, little-endian, standard alphabet with padding. */
export function base64Floats(vector: readonly number[]): string {
  const bytes = Buffer.from(Float32Array.from(vector).buffer);
  return (SWAP ? bytes.swap32() : bytes).toString('base64');
}

/**
 * The answer in the making: vectors come in any order and are written down at once in the form the caller asked for, so that no more is
 * held than the answer's own text.
 */
export class EmbeddingsAnswer {
  readonly #model: string;
  readonly #base64: boolean;
  readonly #entries: string[];

  /** @param count of vectors to come */
  constructor(model: string, count: number, encoding: 'float' | 'base64') {
    this.#model = model;
    this.#base64 = encoding === 'base64';
    this.#entries = new Array<string>(count);
  }

  put(index: number, vector: readonly number[]): void {
    const written = this.#base64 ? `"${base64Floats(vector)}"` : JSON.stringify(vector);
    this.#entries[index] = `{"object":"embedding","index":${index},"embedding":${written}}`;
  }

  /** Once every vector is there. */
  json(promptTokens: number): string {
    const usage = `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens}}`;
    return `{"object":"list","data":[${this.#entries.join(',')}],"model":${JSON.stringify(this.#model)},"usage":${usage}}`;
  }
}
