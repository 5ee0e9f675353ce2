import { randomUUID } from 'node:crypto';
import type { Catalog, Model } from '../catalog/catalog.ts';
import type { Backend, Config } from '../config/config.ts';
import type { ChatEvents } from '../openai/chat/events.ts';
import type { OpenAIError } from '../openai/errors.ts';
import { ChatLeg, startLeg } from '../relay/chat/chat-leg.ts';
import { redactedFailure } from '../relay/chat/redaction.ts';
import type { PriceList } from '../relay/ledger/price-list.ts';
import { goneFromMs } from '../relay/routing/retirement.ts';
import { AnswerBody, type AnswerHeaders } from '../relay/upstream/answer-body.ts';
import type { BackendClient } from '../relay/upstream/backend-client.ts';
import { asFailure, type CallListener } from '../relay/upstream/upstream-call.ts';
import { Receipt } from '../translators/receipt.ts';
import { translatorFor } from '../translators/registry.ts';
import type { VendorFacts } from '../translators/vendor-facts.ts';

/** One cheap thing to ask a backend: the list of models costs nothing, a token of chat is billed where the account pays for its model. */
export type Question = { readonly kind: 'list'; readonly path: string } | { readonly kind: 'chat'; readonly model: Model };

/** The question in words. */
export const wordsOf = (question: Question): string =>
  question.kind === 'list' ? `GET ${question.path.replace(/\?.*/, '')}` : `one token of ${question.model.id}`;

/** Where the vendor lists its models, unless chat is wanted; null where it does not. */
export function listQuestion({ protocol, region }: Backend, { modelLists = {}, plans = [] }: VendorFacts): Question | null {
  const path = modelLists[protocol];
  return path === undefined || plans.includes(region) ? null : { kind: 'list', path };
}

/** The cheapest living chat model that the file sends to a backend; null where it sends none. */
export function chatQuestion(config: Config, catalog: Catalog, prices: PriceList, backend: Backend, nowMs: number): Question | null {
  const ids = Object.values(config.models).flatMap(({ to }) => to.filter((one) => one.backend === backend.name).map((one) => one.model));
  const models = [...new Set(ids)].map((id) => catalog.model(backend.vendor, id));
  const priced = models
    .filter((model) => model.kind === 'chat' && nowMs < goneFromMs(model))
    .map((model) => {
      const [tier] = prices.price(backend, model.id)?.tiers ?? [];
      return { model, price: tier?.input == null || tier.output == null ? Number.POSITIVE_INFINITY : tier.input + tier.output };
    });
  const [cheapest] = priced.sort((a, b) => (a.price === b.price ? 0 : a.price - b.price));
  return cheapest === undefined ? null : { kind: 'chat', model: cheapest.model };
}

export interface Answer {
  /** The failure in the relay's words, without any key; null for an answer. */
  readonly error: OpenAIError | null;
  /** There is no such path, which says nothing of the key. */
  readonly missing: boolean;
}

/** Asks; failures are values. */
export async function ask(client: BackendClient, question: Question): Promise<Answer> {
  return question.kind === 'list' ? askList(client, question.path) : { error: await askChat(client, question.model), missing: false };
}

function askList(client: BackendClient, path: string): Promise<Answer> {
  const { vendor, protocol } = client.backend;
  const translator = translatorFor(vendor, protocol);
  return new Promise((resolve) => {
    let body: AnswerBody | null = null;
    let missing = false;
    const listener: CallListener = {
      onHead(status: number, headers: AnswerHeaders) {
        missing = status === 404 || status === 405;
        body = new AnswerBody(status, headers, (failure) => translator.failure(failure));
      },
      onData: (chunk) => body?.push(chunk),
      onEnd() {
        const answer = body?.json();
        if (!isList(answer)) throw translator.failure({ status: 200, headers: {}, body: JSON.stringify(answer) ?? '' });
        resolve({ error: null, missing });
      },
      onFail: (error) => resolve({ error: redactedFailure(error, (text) => client.redact(text)), missing }),
    };
    try {
      client.get(path, randomUUID(), listener);
    } catch (error) {
      listener.onFail(asFailure(error));
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

function askChat(client: BackendClient, model: Model): Promise<OpenAIError | null> {
  const { vendor, protocol, region } = client.backend;
  const translator = translatorFor(vendor, protocol);
  const requestId = randomUUID();
  return new Promise((resolve) => {
    const owner = { progressed: () => {}, ended: () => resolve(null), failed: (_leg: ChatLeg, error: OpenAIError) => resolve(error) };
    const leg = new ChatLeg(translator, UNHEARD, owner, (text) => client.redact(text));
    const request = { model: model.id, messages: [{ role: 'user' as const, content: 'Hi' }], max_completion_tokens: 1 };
    const target = { model: model.id, facts: model, region, thinking: 'none' as const, requestId };
    try {
      const plan = translator.request(request, target, new Receipt(false));
      startLeg(leg, plan, JSON.stringify(plan.body), requestId, ({ path, headers }, body, id, listener) =>
        client.post(path, body, id, listener, undefined, headers),
      );
    } catch (error) {
      leg.onFail(asFailure(error));
    }
  });
}

/** Whether an answer comes is all that counts. */
const UNHEARD: ChatEvents = {
  text() {},
  reasoning() {},
  tool() {},
  args() {},
  citations() {},
  finish() {},
  usage() {},
};
