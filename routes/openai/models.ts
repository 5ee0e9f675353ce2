import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenAIError } from '../../openai/errors.ts';
import { permitOf } from '../../relay/relay.ts';
import type { ListedModel } from '../../relay/routing/route-table.ts';
import { authenticate } from '../http/authenticate.ts';
import type { RouteDeps } from '../http/deps.ts';
import { arrivedAt, sendJson } from '../http/reply.ts';

/** OpenAI's four keys, and the day of a shutdown where one is announced. */
const toWire = ({ id, created, ownedBy, shutdownDate }: ListedModel) => ({
  id,
  object: 'model',
  created,
  owned_by: ownedBy,
  ...(shutdownDate === null ? {} : { shutdown_date: shutdownDate }),
});

/** `GET /v1/models`: what this key can use, from the relay's own table. */
export function modelListHandler({ current }: RouteDeps) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { relay, ...access } = current();
    const caller = authenticate(request, access, arrivedAt(response));
    const data = relay.routes.list(permitOf(caller)).map(toWire);
    sendJson(response, 200, JSON.stringify({ object: 'list', data }));
  };
}

/** `GET /v1/models/{id}`; ids hold slashes and colons, raw or URL-encoded. */
export function modelHandler({ current }: RouteDeps) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { relay, ...access } = current();
    const caller = authenticate(request, access, arrivedAt(response));
    const id = idOf(request.url ?? '');
    const model = id === null ? null : relay.routes.describe(id, permitOf(caller));
    if (model === null) {
      const shown = (id ?? '').slice(0, 200).replace(/[\p{Cc}`]/gu, '?');
      throw new OpenAIError('model_not_found', `The model \`${shown}\` does not exist or you do not have access to it.`);
    }
    sendJson(response, 200, JSON.stringify(toWire(model)));
  };
}

/** Null when the percent-encoding is broken. */
function idOf(url: string): string | null {
  const path = url.split('?', 1)[0] as string;
  try {
    return decodeURIComponent(path.slice(path.indexOf('/models/') + '/models/'.length));
  } catch {
    return null;
  }
}
