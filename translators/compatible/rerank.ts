import { OpenAIError } from '../../openai/errors.ts';
import type { Score } from '../../openai/rerank/answer.ts';
import { documentText, type RerankRequest } from '../../openai/rerank/request.ts';
import { mostTokens, textTokens } from '../../openai/token-estimate.ts';
import type { Receipt } from '../receipt.ts';
import type { UpstreamFailure } from '../translator.ts';
import type { RerankTranslator, Share, SplitPlan } from '../vectors-translator.ts';
import { listFailure, listIn } from './list-failure.ts';
import { listUsage } from './list-usage.ts';
import { garbage, isObject } from './read-wire.ts';
import { sharesOf } from './shares.ts';

/** What a vendor does in its own way. Lengths are in UTF-16 code units where the vendor counts characters. */
export interface RerankDialect {
  readonly path: string;
  readonly maxDocuments: number;
  readonly maxQueryChars?: number;
  readonly maxDocumentChars?: number;
  /** The vendor reads no more tokens than these, and says nothing about the rest. */
  readonly reads?: { readonly query: number; readonly document: number };
  /** Tokens of one call: the query's once for each document, and the documents'. */
  readonly maxCallTokens?: number;
  /** Fields of the vendor's own that go through as they came. */
  readonly extras: readonly string[];
  readonly failure: (failure: UpstreamFailure) => OpenAIError;
}

export function rerankTranslator(dialect: RerankDialect): RerankTranslator {
  return {
    request: (request, model, receipt) => plan(dialect, request, model, receipt),
    whole(body, share) {
      const { entries, body: answer } = listIn(body, 'results', (failure) => this.failure(failure, share));
      return { scores: scoresIn(entries, share), usage: listUsage(answer) };
    },
    failure: (failure, share) => listFailure(dialect.failure(failure), 'documents', share),
  };
}

const FIELDS = new Set(['model', 'query', 'documents', 'top_n', 'return_documents']);

function plan(dialect: RerankDialect, request: RerankRequest, model: string, receipt: Receipt): SplitPlan {
  const { query, top_n: top } = request;
  const documents = request.documents.map(documentText);
  checkLength('query', query, dialect.maxQueryChars);
  for (const [index, text] of documents.entries()) checkLength(`documents[${index}]`, text, dialect.maxDocumentChars);
  noteCuts(dialect, query, documents, receipt);
  const shared: Record<string, unknown> = { model, query };
  for (const field of Object.keys(request)) {
    if (dialect.extras.includes(field)) shared[field] = request[field];
    else if (!FIELDS.has(field)) receipt.note(field, 'dropped', 'this backend documents no such field', { alters: true });
  }
  const perDocument = mostTokens(query);
  const weightOf = (index: number): number => perDocument + mostTokens(documents[index] as string);
  const bounds = { items: dialect.maxDocuments, weight: dialect.maxCallTokens ?? Number.POSITIVE_INFINITY };
  const shares = sharesOf(documents.length, bounds, dialect.maxCallTokens === undefined ? () => 0 : weightOf);
  if (shares.length > 1) {
    receipt.note('documents', 'emulated', `the backend takes fewer a call: ${shares.length} calls are made, their scores merged`, {
      alters: true,
    });
  }
  return {
    path: dialect.path,
    shares,
    body: ({ from, to }) => {
      const body = { ...shared, documents: documents.slice(from, to) };
      return top === undefined ? body : { ...body, top_n: Math.min(top, to - from) };
    },
  };
}

function checkLength(path: string, text: string, max: number | undefined): void {
  if (max === undefined || text.length <= max) return;
  const message = `This model's maximum length of '${path}' is ${max} characters. However, it has ${text.length}. Please shorten it.`;
  throw new OpenAIError('context_length_exceeded', message, { param: path });
}

/** The vendor reads the beginning of a long text and does not say so; the relay does, as far as it can tell without counting tokens. */
function noteCuts({ reads }: RerankDialect, query: string, documents: readonly string[], receipt: Receipt): void {
  if (reads === undefined) return;
  if (textTokens(query) > reads.query) {
    receipt.note('query', 'clamped', `the backend reads about its first ${reads.query} tokens`, { alters: true });
  }
  const index = documents.findIndex((text) => textTokens(text) > reads.document);
  if (index >= 0) {
    const reason = `the backend reads about the first ${reads.document} tokens of a document`;
    receipt.note(`documents[${index}]`, 'clamped', reason, { alters: true });
  }
}

function scoresIn(entries: readonly unknown[], { from, to }: Share): Score[] {
  const seen = new Set<number>();
  return entries.map((entry) => {
    const { index, relevance_score: score } = isObject(entry) ? entry : {};
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= to - from || seen.has(index)) {
      throw garbage('scores whose positions are not those of the documents');
    }
    if (typeof score !== 'number' || !Number.isFinite(score)) throw garbage('a score that is no number');
    seen.add(index);
    return { index: from + index, score };
  });
}
