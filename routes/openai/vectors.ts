import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkEmbeddingsRequest } from '../../openai/embeddings/check-request.ts';
import { parseJsonObject } from '../../openai/json.ts';
import { checkRerankRequest } from '../../openai/rerank/check-request.ts';
import type { Exchange } from '../../relay/exchange.ts';
import type { Kind, OpenRoute } from '../../relay/routing/route-table.ts';
import type { VectorsRelay } from '../../relay/vectors/vectors-relay.ts';
import { authenticate } from '../http/authenticate.ts';
import { readBody } from '../http/body.ts';
import type { RouteDeps } from '../http/deps.ts';
import { callbacks, modelOf } from '../http/exchange.ts';
import { arrivedAt, requestIdOf, sendJson } from '../http/reply.ts';

/** One surface: its model's kind, its check, its way through the relay. */
interface Vectors<R extends Exchange['request']> {
  readonly kind: Kind;
  readonly check: (body: Record<string, unknown>) => R;
  readonly answer: (relay: VectorsRelay, exchange: Exchange & { readonly request: R }, route: OpenRoute) => Promise<string | null>;
}

/** `POST /v1/embeddings`. */
export const embeddingsHandler = (deps: RouteDeps) =>
  handler(deps, {
    kind: 'embedding',
    check: checkEmbeddingsRequest,
    answer: (relay, exchange, route) => relay.embeddings(exchange, route),
  });

/** `POST /v1/rerank`. */
export const rerankHandler = (deps: RouteDeps) =>
  handler(deps, {
    kind: 'rerank',
    check: checkRerankRequest,
    answer: (relay, exchange, route) => relay.rerank(exchange, route),
  });

/** Checks run in the order of the chat route: key, network, body, model, fields. */
function handler<R extends Exchange['request']>({ current, inFlight }: RouteDeps, { kind, check, answer }: Vectors<R>) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { relay, vectors, server, ...access } = current();
    const requestId = requestIdOf(response);
    const arrivedAtMs = arrivedAt(response);
    const caller = authenticate(request, access, arrivedAtMs);
    const body = parseJsonObject(await readBody(request, server.maxBodyBytes, inFlight), server.maxJsonDepth);
    const route = relay.route(modelOf(body), caller, kind);
    const exchange = { requestId, caller, request: check(body), arrivedAtMs, ...callbacks(response) };
    const json = await answer(vectors, exchange, route);
    if (json !== null) sendJson(response, 200, json);
  };
}
