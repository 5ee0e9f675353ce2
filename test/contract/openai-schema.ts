/** The door of the contract suite: OpenAI's schemas as validators, the stricter rules on top, and folding. See README.md beside this file. */
export { checkCompletion } from './completion-rules.ts';
export { type Folded, foldCompletion, foldStream } from './fold-stream.ts';
export { checkErrorResponse, checkHeaders } from './response-rules.ts';
export {
  requestFields,
  validateChunk,
  validateCompletion,
  validateEmbeddings,
  validateEmbeddingsRequest,
  validateError,
  validateLegacyChunk,
  validateLegacyCompletion,
  validateLegacyRequest,
  validateModel,
  validateModelList,
  validateRequest,
  validateResponse,
  validateResponseEvent,
  validateResponseRequest,
} from './schema-validators.ts';
export { checkStream, type StreamCheck } from './stream-rules.ts';
