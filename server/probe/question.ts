import { randomUUID } from 'node:crypto';
import type { Catalog, Model } from '../../catalog/catalog.ts';
import type { Price } from '../../catalog/price.ts';
import type { Backend, Config } from '../../config/config.ts';
import type { ChatEvents, Usage } from '../../openai/chat/events.ts';
import { asOpenAIError, type OpenAIError } from '../../openai/errors.ts';
import { ChatLeg, startLeg } from '../../relay/chat/chat-leg.ts';
import { redactedFailure } from '../../relay/chat/redaction.ts';
import type { PriceList } from '../../relay/ledger/price-list.ts';
import { goneFromMs } from '../../relay/routing/retirement.ts';
import { AnswerBody, type AnswerHeaders } from '../../relay/upstream/answer-body.ts';
import type { BackendClient } from '../../relay/upstream/backend-client.ts';
import type { CallListener } from '../../relay/upstream/upstream-call.ts';
import { Receipt } from '../../translators/receipt.ts';
import { translatorFor, vectorsFor } from '../../translators/registry.ts';
import type { UpstreamFailure } from '../../translators/translator.ts';
import type { EmbeddingFacts } from '../../translators/vectors-translator.ts';
import type { VendorFacts } from '../../translators/vendor-facts.ts';

/** One cheap thing to ask a backend: the list of models costs nothing, a model's shortest answer is billed where the account pays for it. */
export type Question =
  | { readonly kind: 'list'; readonly path: string }
  | { readonly kind: 'chat'; readonly model: Model }
  | { readonly kind: 'embedding'; readonly model: Model; readonly facts: EmbeddingFacts };

/** The question in words. */
export const wordsOf = (question: Question): string =>
  question.kind === 'list'
    ? `GET ${question.path.replace(/\?.*/, '')}`
    : `one ${question.kind === 'chat' ? 'token' : 'vector'} of ${question.model.id}`;

/** Where the vendor lists its models, unless chat is wanted; null where it does not. */
export function listQuestion({ protocol, region }: Backend, { modelLists = {}, plans = [] }: VendorFacts): Question | null {
  const path = modelLists[protocol];
  return path === undefined || plans.includes(region) ? null : { kind: 'list', path };
}

/** The cheapest living model that the file sends to a backend, for chat if it can be; null where it sends none of either kind. */
export function modelQuestion(
  config: Pick<Config, 'models'>,
  catalog: Catalog,
  prices: PriceList,
  backend: Backend,
  nowMs: number,
): Question | null {
  const { name, vendor } = backend;
  const ids = Object.values(config.models).flatMap(({ to }) => to.filter((one) => one.backend === name).map((one) => one.model));
  const models = [...new Set(ids)]
    .map((id) => catalog.model(vendor, id))
    .filter((model) => nowMs < goneFromMs(model))
    .map((model) => ({ model, rank: rankOf(prices.price(backend, model.id)) }))
    .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
    .map(({ model }) => model);
  const model = models.find(({ kind }) => kind === 'chat') ?? models.find(({ kind }) => kind === 'embedding');
  return model === undefined ? null : questionTo(catalog, backend, model.id);
}

/** The cheapest question to one model; null where none is known for it. */
export function questionTo(catalog: Catalog, { vendor, protocol }: Pick<Backend, 'vendor' | 'protocol'>, id: string): Question | null {
  const model = catalog.model(vendor, id);
  if (model.kind === 'chat') return { kind: 'chat', model };
  const facts = model.kind === 'embedding' ? catalog.embedding(vendor, id) : null;
  return facts === null || vectorsFor('embedding', vendor, protocol) === null ? null : { kind: 'embedding', model, facts };
}

/** By price; then the unpriced; free ones last, since an account without money is answered by them. */
function rankOf(price: Price | null): number {
  const [tier] = price?.tiers ?? [];
  if (tier?.input == null) return Number.MAX_VALUE;
  const sum = tier.input + (tier.output ?? 0);
  return sum === 0 ? Number.POSITIVE_INFINITY : sum;
}

export interface Answer {
  /** The failure in the relay's words, without any key; null for an answer. */
  readonly error: OpenAIError | null;
  /** There is no such path, which says nothing of the key. */
  readonly missing: boolean;
  /** What the vendor counted; null where it counted nothing. */
  readonly usage: Usage | null;
}

/** Asks; failures are values. */
export async function ask(client: BackendClient, question: Question): Promise<Answer> {
  if (question.kind === 'list') return askList(client, question.path);
  if (question.kind === 'embedding') return askEmbedding(client, question);
  return askChat(client, question.model);
}

function askList(client: BackendClient, path: string): Promise<Answer> {
  const translator = translatorFor(client.backend.vendor, client.backend.protocol);
  const failure = (refusal: UpstreamFailure): OpenAIError => translator.failure(refusal);
  const read = (answer: unknown): null => {
    if (isList(answer)) return null;
    throw failure({ status: 200, headers: {}, body: JSON.stringify(answer) });
  };
  return askWhole(client, failure, read, (listener) => client.get(path, randomUUID(), listener));
}

function askEmbedding(client: BackendClient, { model, facts }: Extract<Question, { kind: 'embedding' }>): Promise<Answer> {
  const { vendor, protocol } = client.backend;
  const translator = vectorsFor('embedding', vendor, protocol);
  if (translator === null) throw new Error(`${vendor} has no embeddings in the protocol ${protocol}`);
  const one = { from: 0, to: 1 };
  const read = (answer: unknown): Usage | null => translator.whole(answer, one, undefined).usage;
  return askWhole(
    client,
    (refusal) => translator.failure(refusal, one),
    read,
    (listener) => {
      const plan = translator.request({ model: model.id, input: ['Hi'] }, model.id, facts, new Receipt(false));
      client.post(plan.path, JSON.stringify(plan.body(one)), randomUUID(), listener);
    },
  );
}

/** @param read gives what was counted, and throws what is wrong with an answer */
function askWhole(
  client: BackendClient,
  failure: (refusal: UpstreamFailure) => OpenAIError,
  read: (answer: unknown) => Usage | null,
  send: (listener: CallListener) => void,
): Promise<Answer> {
  return new Promise((resolve) => {
    let body: AnswerBody | null = null;
    let missing = false;
    const listener: CallListener = {
      onHead(status: number, headers: AnswerHeaders) {
        missing = status === 404 || status === 405;
        body = new AnswerBody(status, headers, failure);
      },
      onData: (chunk) => body?.push(chunk),
      onEnd() {
        resolve({ error: null, missing, usage: read(body?.json()) });
      },
      onFail: (error) => resolve({ error: redactedFailure(error, (text) => client.redact(text)), missing, usage: null }),
    };
    try {
      send(listener);
    } catch (error) {
      listener.onFail(asOpenAIError(error));
    }
  });
}

/** `data` of the compatible protocols, `output.models` of DashScope's own. Errors come within a 200 too. */
function isList(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false;
  if ('data' in answer) return Array.isArray(answer.data);
  const output = 'output' in answer ? answer.output : null;
  return typeof output === 'object' && output !== null && 'models' in output && Array.isArray(output.models);
}

function askChat(client: BackendClient, model: Model): Promise<Answer> {
  const { vendor, protocol, region } = client.backend;
  const translator = translatorFor(vendor, protocol);
  const requestId = randomUUID();
  return new Promise((resolve) => {
    let usage: Usage | null = null;
    const end = (error: OpenAIError | null): void => resolve({ error, missing: false, usage });
    const owner = { progressed: () => {}, ended: () => end(null), failed: (_leg: ChatLeg, error: OpenAIError) => end(error) };
    const events: ChatEvents = {
      ...UNHEARD,
      usage: (told) => {
        usage = told;
      },
    };
    const leg = new ChatLeg(translator, events, owner, (text) => client.redact(text));
    const request = { model: model.id, messages: [{ role: 'user' as const, content: 'Hi' }], max_completion_tokens: 1 };
    const target = { model: model.id, facts: model, region, thinking: 'none' as const, requestId };
    startLeg(leg, () => {
      const { path, body, headers } = translator.request(request, target, new Receipt(false));
      return client.post(path, JSON.stringify(body), requestId, leg, undefined, headers);
    });
  });
}

/** Whether an answer comes, and what it costs, is all that counts. */
const UNHEARD: ChatEvents = {
  text() {},
  reasoning() {},
  tool() {},
  args() {},
  citations() {},
  finish() {},
  usage() {},
};
