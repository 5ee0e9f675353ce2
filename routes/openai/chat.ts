import type { IncomingMessage, ServerResponse } from 'node:http';
import { nonEmptyString } from '../../openai/chat/check.ts';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { parseJsonObject } from '../../openai/json.ts';
import { authenticate } from '../http/authenticate.ts';
import { readBody } from '../http/body.ts';
import type { RouteDeps } from '../http/deps.ts';
import { arrivedAt, requestIdOf, sendJson, setHeader } from '../http/reply.ts';
import { SseClient } from '../http/sse-client.ts';

/**
 * `POST /v1/chat/completions`. Checks run in one order, so that results are stable: key, network, body, model, fields; only then is a
 * backend reached.
 */
export function chatHandler({ current }: RouteDeps) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { relay, keys, server } = current();
    const requestId = requestIdOf(response);
    const arrivedAtMs = arrivedAt(response);
    const caller = authenticate(request, keys, arrivedAtMs);
    const body = parseJsonObject(await readBody(request, server.maxBodyBytes), server.maxJsonDepth);
    const model = modelOf(body);
    const candidates = relay.route(model, caller);
    const chat = checkChatRequest(body, server);
    // The caller may have left while the body was being unpacked: its close event is past then.
    let gone = response.destroyed;
    let act: (() => void) | null = null;
    response.on('close', () => {
      if (response.writableFinished) return;
      gone = true;
      act?.();
    });
    const json = await relay.chat(
      {
        requestId,
        caller,
        request: chat,
        arrivedAtMs,
        client: chat.stream === true ? new SseClient(response) : null,
        onAdmitted: (headers) => {
          for (const [name, value] of Object.entries(headers)) setHeader(response, name, value);
        },
        onChosen: (backend, receipt) => {
          setHeader(response, 'x-estafet-backend', backend);
          setHeader(response, 'x-estafet-receipt', receipt);
        },
        onGone: (leave) => {
          act = leave;
          if (gone) leave();
        },
      },
      candidates,
    );
    if (json !== null) sendJson(response, 200, json);
  };
}

function modelOf(body: Record<string, unknown>): string {
  if (body['model'] === undefined || body['model'] === null) {
    throw new OpenAIError('missing_required_parameter', "Missing required parameter: 'model'.", { param: 'model' });
  }
  return nonEmptyString('model', body['model'], 256);
}
