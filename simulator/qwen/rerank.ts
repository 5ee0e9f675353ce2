import type { Call } from './call.ts';
import { unitVector } from './embeddings.ts';
import { invalid, invalidInside, Refusal } from './errors.ts';
import { refusalFrom } from './faults.ts';
import { given } from './json.ts';

const MODEL = 'qwen3-rerank';
const MAX_DOCUMENTS = 500;
const MAX_QUERY_TOKENS = 4_000;
/** The query once for each document, and all documents. */
const MAX_TOKENS = 120_000;
/** Of the vectors that stand for a model's judgement. */
const WIDTH = 256;

/** POST /compatible-api/v1/reranks (Qwen: rerank API). Scores are cosines of word vectors; usage tells the total only. @throws Refusal */
export function rerank(call: Call): { model: string; promptTokens: number; body: Record<string, unknown> } {
  const { body, kernel } = call;
  if (body['model'] !== MODEL) {
    throw new Refusal('model_not_found', {
      message: `The model \`${String(body['model'])}\` does not exist or you do not have access to it.`,
    });
  }
  const refusal = refusalFrom(call.faults, { inputLimit: MAX_TOKENS, stream: false, waits: false });
  if (refusal !== null) throw refusal;
  const { query } = body;
  if (typeof query !== 'string' || query === '') throw invalid('query must be a non-empty string');
  const documents = documentsOf(body['documents']);
  const top = given(body, 'top_n') ?? documents.length;
  if (typeof top !== 'number' || !Number.isInteger(top) || top < 1) throw invalidInside('Value error, top_n must be a positive integer.');

  const asked = kernel.countTokens(query);
  if (asked > MAX_QUERY_TOKENS) throw invalidInside(`Range of input length should be [1, ${MAX_QUERY_TOKENS}]`);
  const tokens = documents.reduce((sum, text) => sum + asked + kernel.countTokens(text), 0);
  if (tokens > MAX_TOKENS) throw invalidInside(`Range of input length should be [1, ${MAX_TOKENS}]`);
  const wanted = unitVector(MODEL, query, WIDTH);
  const scored = documents.map((text, index) => {
    const found = { index, relevance_score: likeness(wanted, unitVector(MODEL, text, WIDTH)) };
    return body['return_documents'] === true ? { ...found, document: { text } } : found;
  });
  const results = scored.sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index).slice(0, top);
  return {
    model: MODEL,
    promptTokens: tokens,
    body: { id: call.requestId, object: 'list', model: MODEL, results, usage: { total_tokens: tokens } },
  };
}

function documentsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.some((text) => typeof text !== 'string')) {
    throw invalidInside('Value error, documents must be a list of str.: input.documents');
  }
  if (value.length > MAX_DOCUMENTS) {
    throw invalidInside(`Value error, batch size is invalid, it should not be larger than ${MAX_DOCUMENTS}.: input.documents`);
  }
  if (value.includes('')) throw invalidInside('Value error, documents must not be empty.: input.documents');
  return value as string[];
}

function likeness(left: readonly number[], right: readonly number[]): number {
  const cosine = left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
  return Number(Math.min(1, Math.max(0, cosine)).toFixed(6));
}
