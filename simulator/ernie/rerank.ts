/** `POST /v2/rerank`: at most 64 documents; answers sorted by score, best first. Long texts are cut, not refused. */

import type { Handled } from '../kernel/types.ts';
import { type Call, checkKeyModel, createdSeconds, handled, modelDenied, modelName } from './call.ts';
import { whole } from './envelope.ts';
import { badArgument } from './errors.ts';
import { isStringArray } from './json.ts';
import { checkLimits, rateHeaders } from './limits.ts';
import { RERANK_MODELS } from './models.ts';
import { whole as wholeNumber } from './parameters.ts';
import { relevance } from './vectors.ts';

const MAX_QUERY_CHARS = 1_600;
const MAX_QUERY_TOKENS = 400;
const MAX_DOCUMENTS = 64;
const MAX_DOCUMENT_CHARS = 4_096;
const MAX_DOCUMENT_TOKENS = 1_024;

/** @throws Refusal */
export function rerank(call: Call): Handled {
  const { body, kernel, wishes } = call;
  const model = modelName(body);
  if (!RERANK_MODELS.includes(model) || call.plan) throw modelDenied(call);
  checkKeyModel(call, model);
  const { query, documents } = body;
  if (typeof query !== 'string' || query === '') throw badArgument('query must be a string and cannot be empty');
  if (query.length > MAX_QUERY_CHARS) throw badArgument(`the max length of query is ${MAX_QUERY_CHARS}`);
  if (!isStringArray(documents) || documents.length === 0) throw badArgument('documents must be an array of string');
  if (documents.length > MAX_DOCUMENTS) throw badArgument(`the max length of documents is ${MAX_DOCUMENTS}`);
  if (documents.some((text) => text.length > MAX_DOCUMENT_CHARS)) throw badArgument(`the max length of document is ${MAX_DOCUMENT_CHARS}`);
  const top = wholeNumber(body, 'top_n', { min: 1 }) ?? documents.length;
  checkLimits(call, model);

  const cut = (text: string, max: number): string => cutTokens(text, max, call);
  const asked = cut(query, MAX_QUERY_TOKENS);
  const read = documents.map((text) => cut(text, MAX_DOCUMENT_TOKENS));
  const scored = read.map((text, index) => ({ document: documents[index], relevance_score: relevance(asked, text), index }));
  const promptTokens = kernel.countTokens(asked) + read.reduce((sum, text) => sum + kernel.countTokens(text), 0);
  const reply = {
    id: call.ids.id,
    object: wishes.object ?? 'reranker_list',
    created: createdSeconds(call.incoming),
    model,
    results: scored.sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index).slice(0, top),
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  };
  const headers = { ...call.ids.headers, ...rateHeaders(call, model, { requests: 1, tokens: promptTokens }) };
  return handled(whole(200, reply, headers), { model, promptTokens, keyName: call.key.name });
}

function cutTokens(text: string, max: number, call: Call): string {
  if (call.kernel.countTokens(text) <= max) return text;
  let kept = '';
  let tokens = 0;
  for (const piece of call.kernel.pieces(text)) {
    tokens += call.kernel.countTokens(piece);
    if (tokens > max) break;
    kept += piece;
  }
  return kept;
}
