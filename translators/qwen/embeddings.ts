import { type EmbeddingsDialect, embeddingsTranslator } from '../compatible/embeddings.ts';
import { qwenFailure } from './errors.ts';

/** DashScope: text-embedding-v1 and -v2 take 25 texts, v3 and v4 10, qwen3.7-text-embedding 20; floats only, no token arrays. */
const DIALECT: EmbeddingsDialect = {
  carryUser: (_user, _body, receipt) => receipt.note('user', 'dropped', 'the backend takes no end-user id'),
  failure: qwenFailure,
};

export const qwenEmbeddings = embeddingsTranslator(DIALECT);

/** Beside the native protocol, under the same host and with the same key. */
export const qwenNativeEmbeddings = embeddingsTranslator({ ...DIALECT, path: '/../../compatible-mode/v1/embeddings' });
