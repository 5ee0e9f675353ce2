/** `POST /v1/embeddings`: validated, nulls removed, unknown fields kept for the receipt. */
export interface EmbeddingsRequest {
  readonly model: string;
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  readonly encoding_format?: 'float' | 'base64';
  readonly dimensions?: number;
  readonly user?: string;
  readonly [extra: string]: unknown;
}

/** The texts in order, one vector each; null when the input is tokens. */
export function textsOf({ input }: Pick<EmbeddingsRequest, 'input'>): readonly string[] | null {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'string' ? (input as readonly string[]) : null;
}
