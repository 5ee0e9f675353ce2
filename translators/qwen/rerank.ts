import { rerankTranslator } from '../compatible/rerank.ts';
import { qwenFailure } from './errors.ts';

/**
 * DashScope: under another base than all else, `/compatible-api/v1`; the path under `/compatible-mode/v1` is dead. A query of up to 4,000
 * tokens is counted once for each document.
 */
export const qwenRerank = rerankTranslator({
  path: '/../../compatible-api/v1/reranks',
  maxDocuments: 500,
  maxCallTokens: 120_000,
  extras: ['instruct'],
  failure: qwenFailure,
});
