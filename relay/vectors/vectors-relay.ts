import type { Usage } from '../../openai/chat/events.ts';
import { EmbeddingsAnswer } from '../../openai/embeddings/answer.ts';
import { type EmbeddingsRequest, textsOf } from '../../openai/embeddings/request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { rerankId } from '../../openai/ids.ts';
import { rerankJson, type Score } from '../../openai/rerank/answer.ts';
import { documentText, type RerankRequest } from '../../openai/rerank/request.ts';
import { mostTokens } from '../../openai/token-estimate.ts';
import type { Receipt } from '../../translators/receipt.ts';
import type { EmbeddingFacts, ListTranslators } from '../../translators/vectors-translator.ts';
import { Answering } from '../answering.ts';
import { attemptId, type Exchange } from '../exchange.ts';
import type { Served } from '../quota/learned-by-model.ts';
import type { RequestRecord } from '../records/request-record.ts';
import type { RelayServices, RelayState } from '../relay.ts';
import type { Need } from '../routing/decision.ts';
import type { OpenRoute, Place } from '../routing/route-table.ts';
import type { Wants } from '../routing/selection.ts';
import type { Prepared, Terms, Told } from '../surface.ts';
import { type ListCalibration, ListForecast } from './list-forecast.ts';
import { MOST_CALLS, type SplitInput, type SplitResult, SplitRun } from './split-run.ts';

/** What embeddings and rerank need beside what chat has. */
export interface VectorsServices extends RelayServices {
  /** Null when the dialect of a backend has none. */
  readonly vectorsFor: <K extends keyof ListTranslators>(kind: K, vendor: string, protocol: string) => ListTranslators[K] | null;
  /** What is learned of each kind of list. */
  readonly listCalibrations: Readonly<Record<keyof ListTranslators, ListCalibration>>;
  /** The catalogue's facts of an embedding model; null when it has none. */
  readonly embeddingFacts: (vendor: string, model: string) => EmbeddingFacts | null;
}

export interface EmbeddingsExchange extends Exchange {
  readonly request: EmbeddingsRequest;
}

export interface RerankExchange extends Exchange {
  readonly request: RerankRequest;
}

/** One attempt, ready to run: how to ask, how to read, and how to write the answer once all is read. */
interface Attempt extends Pick<SplitInput, 'plan' | 'take' | 'failure' | 'estimate'> {
  readonly json: (usage: Usage) => string;
}

type Result = SplitResult & { readonly json: string | null };

/** Requests for lists of texts: vectors of them, or scores. The same steps as chat around attempts of another kind. */
export class VectorsRelay {
  readonly #state: RelayState;
  readonly #services: VectorsServices;
  readonly #answering: Answering;

  constructor(state: RelayState, services: VectorsServices) {
    this.#state = state;
    this.#services = services;
    this.#answering = new Answering(services, state.server.totalDeadlineMs);
  }

  /** The answer as JSON text; null when the caller has left. @throws OpenAIError */
  embeddings(exchange: EmbeddingsExchange, route: OpenRoute): Promise<string | null> {
    const { request } = exchange;
    const texts = textsOf(request) ?? [];
    const lacking = ({ backend, model }: Place): Need | null =>
      gives(present(this.#services.embeddingFacts(backend.vendor, model)), request.dimensions) ? null : 'dimensions';
    const forecast = new ListForecast(() => tokensOf(texts), this.#services.listCalibrations.embedding);
    return this.#answer(exchange, 'embeddings', forecast, route, lacking, (place, receipt) => {
      const translator = present(this.#services.vectorsFor('embedding', place.backend.vendor, place.backend.protocol));
      const facts = present(this.#services.embeddingFacts(place.backend.vendor, place.model));
      const plan = translator.request(request, place.model, facts, receipt);
      const answer = new EmbeddingsAnswer(request.model, texts.length, request.encoding_format ?? 'float');
      return {
        plan,
        take(body, share) {
          const { vectors, usage } = translator.whole(body, share, request.dimensions);
          for (const [index, vector] of vectors.entries()) answer.put(share.from + index, vector);
          return usage;
        },
        failure: (failure, share) => translator.failure(failure, share),
        estimate: (share) => estimated(texts.slice(share.from, share.to)),
        json: ({ prompt }) => answer.json(prompt),
      };
    });
  }

  /** The answer as JSON text; null when the caller has left. @throws OpenAIError */
  rerank(exchange: RerankExchange, route: OpenRoute): Promise<string | null> {
    const { request } = exchange;
    const texts = request.documents.map(documentText);
    // Qwen counts the query with each document; where a vendor does not, it is learned.
    const forecast = new ListForecast(
      () => tokensOf([request.query]) * texts.length + tokensOf(texts),
      this.#services.listCalibrations.rerank,
    );
    return this.#answer(
      exchange,
      'rerank',
      forecast,
      route,
      () => null,
      (place, receipt) => {
        const translator = present(this.#services.vectorsFor('rerank', place.backend.vendor, place.backend.protocol));
        const plan = translator.request(request, place.model, receipt);
        const scores: Score[] = [];
        return {
          plan,
          take(body, share) {
            const found = translator.whole(body, share);
            scores.push(...found.scores);
            return found.usage;
          },
          failure: (failure, share) => translator.failure(failure, share),
          estimate: (share) => estimated([request.query, ...texts.slice(share.from, share.to)]),
          json: ({ prompt }) => rerankJson(rerankId(), request, scores, prompt),
        };
      },
    );
  }

  async #answer(
    exchange: Exchange,
    name: string,
    forecast: ListForecast,
    route: OpenRoute,
    lacking: Wants['lacking'],
    prepare: (place: Place, receipt: Receipt) => Attempt,
  ): Promise<string | null> {
    const surface = {
      name,
      stream: false,
      expected: (_: number | null, served: Served) => forecast.expected(served),
      learn: (record: RequestRecord) => forecast.learn(record),
      prepare: (place: Place, receipt: Receipt, number: number): Prepared<Result> => {
        const attempt = prepare(place, receipt);
        const calls = attempt.plan.shares.length;
        const send = (told: Told, terms: Terms): Promise<Result> => this.#attempt(exchange, place, attempt, number, told, terms);
        return { calls, atOnce: Math.min(calls, MOST_CALLS), prompts: 1, send };
      },
    };
    const wants = {
      stream: false,
      lacking,
      tight: () => false,
      expected: (served: Served) => forecast.expected(served),
      conversation: () => null,
    };
    // Another model's vectors and scores are worthless beside those of the first.
    const choice = { ...this.#services.selection.choose(route, wants), hedge: null };
    return (await this.#answering.answer(exchange, surface, choice)).json;
  }

  async #attempt(
    exchange: Exchange,
    place: Place,
    { json, ...attempt }: Attempt,
    number: number,
    told: Told,
    terms: Terms,
  ): Promise<Result> {
    const client = present(this.#state.clients.get(place.backend.name));
    const run = new SplitRun({
      ...attempt,
      requestId: attemptId(exchange.requestId, number),
      post: (path, body, id, listener) => client.post(path, body, id, listener, terms),
      redact: (text) => client.redact(text),
    });
    terms.onGone((outrun) => run.callerGone(outrun !== true && exchange.caller.key.onDisconnect === 'drain'));
    try {
      const result = await this.#services.inFlight.cuttable(
        (error) => run.cut(error),
        () => run.start(),
      );
      return { ...result, json: result.gone ? null : json(result.usage) };
    } catch (error) {
      told.usages.push(...run.told);
      throw error;
    } finally {
      told.sent = run.sent;
      told.signals = run.signals;
    }
  }
}

/** What the configuration and the routes have promised. */
function present<T>(value: T | null | undefined): T {
  if (value == null) throw new OpenAIError('internal_error', 'The relay had an error while processing your request.');
  return value;
}

const tokensOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + mostTokens(text), 0);

const estimated = (texts: readonly string[]): Usage => ({
  prompt: tokensOf(texts),
  completion: 0,
  cached: 0,
  reasoning: 0,
  estimated: true,
});

/** Can vectors of this size come from the model, as far as is known? */
function gives({ dimensions, defaultDimensions, acceptsDimensions }: EmbeddingFacts, asked: number | undefined): boolean {
  if (asked === undefined) return true;
  if (acceptsDimensions === false) return defaultDimensions === null || asked === defaultDimensions;
  return dimensions === null || dimensions.includes(asked);
}
