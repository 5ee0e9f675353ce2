import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenAIError } from '../../openai/errors.ts';
import { bears } from '../http/bearer.ts';
import { sendJson } from '../http/reply.ts';

/** The configuration in force, as it may be shown, and to whom. */
export interface ConfigPage {
  readonly token: string;
  /** JSON without secrets. */
  json(): string;
}

/**
 * `GET /v1/estafet/config`: what is in force, for `estafet check --against`. For bearers of `server.admin.token` only, never for a caller's key;
 * where none is configured the path does not exist.
 */
export function configHandler({ config }: { readonly config: () => ConfigPage | null }) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const page = config();
    if (page === null) throw new OpenAIError('unknown_url', `Invalid URL (${request.method} ${request.url?.split('?', 1)[0]})`);
    if (!bears(page.token, request)) {
      throw new OpenAIError('invalid_api_key', 'Reading the configuration needs the bearer token of server.admin.');
    }
    sendJson(response, 200, page.json(), ['cache-control', 'no-store']);
  };
}
