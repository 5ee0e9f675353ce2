import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenAIError } from '../../openai/errors.ts';
import { authenticate } from '../http/authenticate.ts';
import type { RouteDeps } from '../http/deps.ts';
import { arrivedAt, sendJson } from '../http/reply.ts';

/** `GET /v1/estafet/requests/{request id}`: what became of one of this key's own requests, for a while. */
export function requestRecordHandler({ current, records }: RouteDeps) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const now = arrivedAt(response);
    const caller = authenticate(request, current(), now);
    const id = /\/estafet\/requests\/(req_[0-9a-f]{32})(?:\?|$)/.exec(request.url ?? '')?.[1] ?? '';
    const record = await records.find(id, caller.key.name, now);
    if (record === null)
      throw new OpenAIError('unknown_request', 'No receipt is kept under this request id for this key.', { param: 'id' });
    sendJson(response, 200, record);
  };
}
