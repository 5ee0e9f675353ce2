/** `POST …/rerank` (GLM 3.4): scores documents by the words they share with the query. */
import type { Incoming, Kernel } from '../kernel/types.ts';
import { illegal, notReceived } from './errors.ts';
import { checkLength, checkTypes, type Fields, requiredString } from './fields.ts';
import { answerId } from './ids.ts';
import { findModel } from './models.ts';
import { likeness, vector } from './vectors.ts';

const MAX_DOCUMENTS = 128;
const MAX_CHARACTERS = 4096;
const SCHEMA = {
  model: 'string',
  query: 'string',
  documents: 'array',
  top_n: 'integer',
  return_documents: 'boolean',
  return_raw_scores: 'boolean',
  request_id: 'string',
  user_id: 'string',
} as const;

export interface Reranked {
  readonly model: string;
  readonly tokens: number;
  readonly requestId: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** @throws Refusal 1211/1212/1213/1214/1210 */
export function rerank(body: Fields, incoming: Incoming, kernel: Kernel): Reranked {
  const model = findModel(requiredString(body, 'model'), 'rerank', incoming.region);
  checkTypes(body, SCHEMA, new Set());
  checkLength(body, 'request_id', 6, 64);
  checkLength(body, 'user_id', 6, 128);
  checkLength(body, 'query', 0, MAX_CHARACTERS);
  const query = requiredString(body, 'query');
  const documents = readDocuments(body['documents']);
  const top = (body['top_n'] as number | undefined) ?? 0;
  if (top < 0) throw illegal('top_n');

  const asked = vector(query, 256);
  const scored = documents.map((document, index) => ({
    index,
    relevance_score: Number(Math.min(1, Math.max(0, likeness(asked, vector(document, 256)))).toFixed(6)),
    ...(body['return_documents'] === true ? { document } : {}),
  }));
  // Array sort is stable, so equal scores keep the order of the documents.
  scored.sort((left, right) => right.relevance_score - left.relevance_score);
  const tokens = [query, ...documents].reduce((sum, text) => sum + kernel.countTokens(text), 0);
  const id = answerId(incoming, kernel);
  const requestId = typeof body['request_id'] === 'string' ? body['request_id'] : null;
  return {
    model: model.name,
    tokens,
    requestId,
    body: {
      id,
      request_id: requestId ?? id,
      // 0 means all.
      results: top === 0 ? scored : scored.slice(0, top),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    },
  };
}

function readDocuments(documents: unknown): readonly string[] {
  if (documents === undefined) throw notReceived('documents');
  const list = documents as readonly unknown[];
  if (list.length === 0) throw notReceived('documents');
  if (list.length > MAX_DOCUMENTS) {
    throw illegal('documents', { zh: `最多 ${MAX_DOCUMENTS} 条`, en: `must hold at most ${MAX_DOCUMENTS} entries` });
  }
  for (const [index, item] of list.entries()) {
    if (typeof item !== 'string' || item.length > MAX_CHARACTERS) throw illegal(`documents[${index}]`);
  }
  return list as readonly string[];
}
