import { rerankTranslator } from '../compatible/rerank.ts';
import { ernieFailure } from './errors.ts';

/** Qianfan v2: 64 documents; longer texts than it reads are cut without a word. */
export const ernieRerank = rerankTranslator({
  path: '/rerank',
  maxDocuments: 64,
  maxQueryChars: 1_600,
  maxDocumentChars: 4_096,
  reads: { query: 400, document: 1_024 },
  extras: ['user'],
  failure: ernieFailure,
});
