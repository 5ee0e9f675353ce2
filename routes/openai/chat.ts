import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import { parseJsonObject } from '../../openai/json.ts';
import { authenticate } from '../http/authenticate.ts';
import { readBody } from '../http/body.ts';
import type { RouteDeps } from '../http/deps.ts';
import { callbacks, modelOf } from '../http/exchange.ts';
import { arrivedAt, requestIdOf, sendJson } from '../http/reply.ts';
import { SseClient } from '../http/sse-client.ts';

/**
 * `POST /v1/chat/completions`. Checks run in one order, so that results are stable: key, network, body, model, fields; only then is a
 * backend reached.
 */
export function chatHandler({ current, inFlight }: RouteDeps) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { relay, server, ...access } = current();
    const requestId = requestIdOf(response);
    const arrivedAtMs = arrivedAt(response);
    const caller = authenticate(request, access, arrivedAtMs);
    const body = parseJsonObject(await readBody(request, server.maxBodyBytes, inFlight), server.maxJsonDepth);
    const model = modelOf(body);
    const route = relay.route(model, caller);
    const chat = checkChatRequest(body, server);
    const json = await relay.chat(
      {
        requestId,
        caller,
        request: chat,
        arrivedAtMs,
        client: chat.stream === true ? new SseClient(response) : null,
        ...callbacks(response),
      },
      route,
    );
    if (json !== null) sendJson(response, 200, json);
  };
}
