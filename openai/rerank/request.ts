/**
 * `POST /v1/rerank`: OpenAI has no such path; this is the form that Jina, Cohere and the clients written for them agree on. Validated, nulls
 * removed, unknown fields kept for the receipt.
 */
export interface RerankRequest {
  readonly model: string;
  readonly query: string;
  readonly documents: readonly (string | { readonly text: string })[];
  /** How many of the best come back; absent: all. */
  readonly top_n?: number;
  readonly return_documents?: boolean;
  readonly [extra: string]: unknown;
}

export const documentText = (document: RerankRequest['documents'][number]): string =>
  typeof document === 'string' ? document : document.text;
