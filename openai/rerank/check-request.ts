import { array, boolean, integer, isObject, listLength, missing, nonEmptyString, notEmpty, wrongType } from '../chat/check.ts';
import { withoutNulls } from '../without-nulls.ts';
import type { RerankRequest } from './request.ts';

/** Longest model name, in UTF-16 code units. */
const MAX_MODEL = 256;
/** As many as texts of an embeddings request. */
const MAX_DOCUMENTS = 2048;

/** @throws OpenAIError 400 with OpenAI's code, the field in `param` */
export function checkRerankRequest(body: Record<string, unknown>): RerankRequest {
  nonEmptyString('model', body['model'] ?? missing('model'), MAX_MODEL);
  nonEmptyString('query', body['query'] ?? missing('query'), Number.POSITIVE_INFINITY);
  const documents = array('documents', body['documents'] ?? missing('documents'));
  notEmpty('documents', documents);
  listLength('documents', documents, MAX_DOCUMENTS);
  for (const [index, document] of documents.entries()) checkDocument(`documents[${index}]`, document);
  if (body['top_n'] != null) integer('top_n', body['top_n'], 1, Number.MAX_SAFE_INTEGER);
  if (body['return_documents'] != null) boolean('return_documents', body['return_documents']);
  return withoutNulls(body) as unknown as RerankRequest;
}

function checkDocument(path: string, document: unknown): void {
  if (typeof document === 'string') nonEmptyString(path, document, Number.POSITIVE_INFINITY);
  else if (isObject(document)) nonEmptyString(`${path}.text`, document['text'] ?? missing(`${path}.text`), Number.POSITIVE_INFINITY);
  else wrongType(path, 'a string or an object with a text', document);
}
