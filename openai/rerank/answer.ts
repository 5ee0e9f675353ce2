import { documentText, type RerankRequest } from './request.ts';

/** How well a document answers the query. */
export interface Score {
  /** Position in the request's list. */
  readonly index: number;
  /** The model's own scale; higher is better. */
  readonly score: number;
}

/** The answer's JSON: best first, equal scores in the order of the request. The documents come from the request itself. */
export function rerankJson(id: string, request: RerankRequest, scores: readonly Score[], promptTokens: number): string {
  const best = scores.toSorted((a, b) => b.score - a.score || a.index - b.index).slice(0, request.top_n);
  const results = best.map(({ index, score }) => {
    const result = { index, relevance_score: score };
    if (request.return_documents !== true) return result;
    return { ...result, document: { text: documentText(request.documents[index] as string) } };
  });
  return JSON.stringify({ id, model: request.model, results, usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } });
}
