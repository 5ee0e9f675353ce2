import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { asOpenAIError, OpenAIError } from '../openai/errors.ts';
import type { RequestTrace } from '../relay/request-trace.ts';
import { configHandler } from '../routes/estafet/config.ts';
import { limitsHandler } from '../routes/estafet/limits.ts';
import { requestRecordHandler } from '../routes/estafet/requests.ts';
import { usageHandler } from '../routes/estafet/usage.ts';
import type { RouteDeps } from '../routes/http/deps.ts';
import { arrivedAt, requestIdOf, sendError, setTrace, traceOf } from '../routes/http/reply.ts';
import { chatHandler } from '../routes/openai/chat.ts';
import { modelHandler, modelListHandler } from '../routes/openai/models.ts';
import { embeddingsHandler, rerankHandler } from '../routes/openai/vectors.ts';
import { healthHandler } from '../routes/ops/health.ts';
import { metricsHandler } from '../routes/ops/metrics.ts';
import { readyHandler } from '../routes/ops/ready.ts';
import type { Overload } from './overload.ts';
import type { Tracing } from './telemetry/tracing/tracing.ts';

export interface AppDeps extends RouteDeps {
  /** Told of every error that an answer carries or an accident of our own, with the request id. */
  readonly onError: (error: OpenAIError, requestId: string, method: string, path: string, trace: RequestTrace | null) => void;
  /** Null where no traces are kept. */
  readonly tracing: Pick<Tracing, 'begin'> | null;
  /** True while the process is shutting down, once what was on its way has had its time: requests are refused. */
  readonly refusing: () => boolean;
  /** Says whether a request with work behind it is one too many. */
  readonly overload: Pick<Overload, 'enter' | 'leave'>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface RouteSpec {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly handler: Handler;
  /** Who may call: a caller key, the bearer of a token of the configuration, or anyone. Every route says so. */
  readonly guard: 'key' | 'token' | 'public';
}

/** Bases under which apps expect OpenAI's paths: with `/v1`, without it, and doubled by a base URL that already had it. */
const BASES = ['/v1', '', '/v1/v1'] as const;

/** Every route of the relay and its guard. */
export function routeSpecs(deps: RouteDeps): readonly RouteSpec[] {
  return [
    { method: 'post', path: '/chat/completions', handler: chatHandler(deps), guard: 'key' },
    { method: 'post', path: '/embeddings', handler: embeddingsHandler(deps), guard: 'key' },
    { method: 'post', path: '/rerank', handler: rerankHandler(deps), guard: 'key' },
    { method: 'get', path: '/models', handler: modelListHandler(deps), guard: 'key' },
    { method: 'get', path: '/models/*id', handler: modelHandler(deps), guard: 'key' },
    { method: 'get', path: '/estafet/requests/:id', handler: requestRecordHandler(deps), guard: 'key' },
    { method: 'get', path: '/estafet/limits', handler: limitsHandler(deps), guard: 'key' },
    { method: 'get', path: '/estafet/usage', handler: usageHandler(deps), guard: 'key' },
    { method: 'get', path: '/estafet/config', handler: configHandler(deps), guard: 'token' },
    { method: 'get', path: '/healthz', handler: healthHandler(), guard: 'public' },
    { method: 'get', path: '/readyz', handler: readyHandler(deps), guard: 'public' },
    { method: 'get', path: '/metrics', handler: metricsHandler(deps), guard: 'token' },
  ];
}

/**
 * The Express app, without `listen`. There is no middleware in front of the routes: what a request needs, its handler does, and a streamed
 * answer pays for nothing else. Whatever fails is answered in OpenAI's form.
 */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  // As OpenAI's: /V1/Models is no path.
  app.enable('case sensitive routing');
  const specs = routeSpecs(deps);
  for (const { method, path, handler, guard } of specs) {
    const paths = BASES.map((base) => base + path);
    const guarded = (request: Request, response: Response): void | Promise<void> => {
      // Whoever watches the process is told of it to the end.
      if (guard !== 'key') return handler(request, response);
      if (deps.tracing !== null && method === 'post')
        setTrace(response, deps.tracing.begin(request.headers, `/v1${path}`, arrivedAt(response)));
      if (!deps.refusing()) {
        if (method === 'get') return handler(request, response);
        if (!deps.overload.enter())
          throw new OpenAIError('overloaded', 'The relay has too much to do. Please try again.', { retryAfterMs: 1000 });
        response.once('close', () => deps.overload.leave());
        return handler(request, response);
      }
      response.setHeader('connection', 'close');
      throw new OpenAIError('draining', 'The relay is shutting down. Please try again.', { retryAfterMs: 1000 });
    };
    if (method === 'get') app.get(paths, guarded);
    else app.post(paths, guarded);
  }
  for (const { path } of specs) {
    const allow = allowed(specs.filter((other) => other.path === path));
    app.all(
      BASES.map((base) => base + path),
      (request: Request, response: Response) => {
        response.setHeader('allow', allow);
        throw new OpenAIError(
          'method_not_allowed',
          `Not allowed to ${request.method} on ${pathOf(request)}. (HINT: Perhaps you meant to use a different HTTP method?)`,
        );
      },
    );
  }
  app.use((request: Request) => {
    throw new OpenAIError('unknown_url', `Invalid URL (${request.method} ${pathOf(request)})`);
  });
  app.use((thrown: unknown, request: Request, response: Response, _next: NextFunction) => {
    const error = isBadPath(thrown)
      ? new OpenAIError('unknown_url', `Invalid URL (${request.method} ${pathOf(request)})`)
      : asOpenAIError(thrown);
    deps.onError(error, requestIdOf(response), request.method, pathOf(request), traceOf(response));
    // A stream that has begun tells its errors itself; what arrives here then is a fault of ours, and a cut is the honest end.
    if (response.headersSent) response.destroy();
    else sendError(response, error);
  });
  return app;
}

/** The methods of one path, as `allow` names them: whoever may GET may ask for the head alone. */
function allowed(specs: readonly RouteSpec[]): string {
  const methods = specs.map(({ method }) => (method === 'get' ? 'GET, HEAD' : 'POST'));
  return [...new Set(methods)].join(', ');
}

/** The path as asked, bounded and printable. */
function pathOf(request: Request): string {
  const path = (request.originalUrl.split('?', 1)[0] as string).slice(0, 200);
  return path.replace(/[^\x21-\x7e]/g, '?');
}

/** Express's own error for a path with broken percent-encoding. */
const isBadPath = (thrown: unknown): boolean => thrown instanceof URIError;
