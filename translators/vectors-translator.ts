import type { Usage } from '../openai/chat/events.ts';
import type { EmbeddingsRequest } from '../openai/embeddings/request.ts';
import type { OpenAIError } from '../openai/errors.ts';
import type { Score } from '../openai/rerank/answer.ts';
import type { RerankRequest } from '../openai/rerank/request.ts';
import type { Receipt } from './receipt.ts';
import type { UpstreamFailure } from './translator.ts';

/** Texts of a request that go to the vendor in one call: from the first, up to but without the second. */
export interface Share {
  readonly from: number;
  readonly to: number;
}

/** One request as calls to the vendor, which takes fewer texts a call than OpenAI does. */
export interface SplitPlan {
  /** Relative to the backend's base URL; may climb out of it with `..`. */
  readonly path: string;
  /** In order, without gaps. */
  readonly shares: readonly Share[];
  /** The body of one call; made when it is sent, so that a long list is not held twice. */
  body(share: Share): Record<string, unknown>;
}

/** What an embedding model gives and takes; null = not known. */
export interface EmbeddingFacts {
  /** Sizes of its vectors. */
  readonly dimensions: readonly number[] | null;
  readonly defaultDimensions: number | null;
  /** Can another size than the default be asked for? */
  readonly acceptsDimensions: boolean | null;
  /** Texts of one call. */
  readonly maxItems: number;
  readonly maxTokensPerCall: number | null;
  /** Longest text, in UTF-16 code units, where the vendor counts characters. */
  readonly maxItemChars: number | null;
}

/** What every dialect for lists of texts has. Pure, as `ChatTranslator` is. */
interface ListTranslator {
  /** What a refusal of one call means to the caller, positions counted over the whole request. Never throws. */
  failure(failure: UpstreamFailure, share: Share): OpenAIError;
}

export interface EmbeddingsTranslator extends ListTranslator {
  /**
   * @param facts what the catalogue knows of the model
   * @throws OpenAIError when a field cannot be carried and dropping it would change the answer
   */
  request(request: EmbeddingsRequest, model: string, facts: EmbeddingFacts, receipt: Receipt): SplitPlan;
  /**
   * The vectors of one call, in the order of its share; usage is null where the vendor told none.
   * @param dimensions what the caller asked for
   * @throws OpenAIError when the body is an error in disguise, or not one vector for each text
   */
  whole(body: unknown, share: Share, dimensions: number | undefined): { vectors: readonly (readonly number[])[]; usage: Usage | null };
}

export interface RerankTranslator extends ListTranslator {
  /** @throws OpenAIError when a field cannot be carried and dropping it would change the answer */
  request(request: RerankRequest, model: string, receipt: Receipt): SplitPlan;
  /**
   * The scores of one call; positions are those of the request.
   * @throws OpenAIError when the body is an error in disguise, or scores what was not sent
   */
  whole(body: unknown, share: Share): { scores: readonly Score[]; usage: Usage | null };
}

/** Those of one dialect, by the kind of model they speak to. */
export interface ListTranslators {
  readonly embedding: EmbeddingsTranslator;
  readonly rerank: RerankTranslator;
}
