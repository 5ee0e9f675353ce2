import { rerankTranslator } from '../compatible/rerank.ts';
import { glmFailure } from './errors.ts';

/** Zhipu v4: 128 documents, query and documents of up to 4,096 characters. */
export const glmRerank = rerankTranslator({
  path: '/rerank',
  maxDocuments: 128,
  maxQueryChars: 4_096,
  maxDocumentChars: 4_096,
  extras: ['user_id'],
  failure: glmFailure,
});
