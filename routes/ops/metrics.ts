import type { IncomingMessage, ServerResponse } from 'node:http';
import { OpenAIError } from '../../openai/errors.ts';
import { bears } from '../http/bearer.ts';
import { endAfterBody } from '../http/end-after-body.ts';
import { standardHeaders } from '../http/reply.ts';

/** The metrics as text, and who may read them. */
export interface MetricsPage {
  readonly contentType: string;
  text(): Promise<string>;
  /** Null: whoever reaches the port may. */
  readonly token: string | null;
}

/** `GET /metrics` on the port of the apps. Where nothing is configured for it the path does not exist. */
export function metricsHandler(deps: { readonly metrics: MetricsPage | null }) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const page = deps.metrics;
    if (page === null) throw new OpenAIError('unknown_url', `Invalid URL (${request.method} /metrics)`);
    if (!mayRead(page, request)) throw new OpenAIError('invalid_api_key', 'Reading the metrics needs the bearer token of server.metrics.');
    const text = await page.text();
    response.writeHead(200, [...standardHeaders(response, page.contentType), 'content-length', String(Buffer.byteLength(text))]);
    endAfterBody(response, text);
  };
}

export const mayRead = ({ token }: MetricsPage, request: IncomingMessage): boolean => token === null || bears(token, request);
