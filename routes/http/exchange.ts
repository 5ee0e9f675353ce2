import type { ServerResponse } from 'node:http';
import { nonEmptyString } from '../../openai/chat/check.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { Exchange } from '../../relay/exchange.ts';
import { setHeader, sinceArrival, traceOf } from './reply.ts';

/** The request's age and trace, what the relay tells while it works on it, put into headers, and the caller's leaving told to it. Called before anything is awaited on the way. */
export function callbacks(response: ServerResponse): Pick<Exchange, 'sinceArrivalMs' | 'trace' | 'onAdmitted' | 'onChosen' | 'onGone'> {
  // The caller may have left while the body was being unpacked: its close event is past then.
  let gone = response.destroyed;
  let act: (() => void) | null = null;
  response.on('close', () => {
    if (response.writableFinished) return;
    gone = true;
    act?.();
  });
  return {
    sinceArrivalMs: () => sinceArrival(response),
    trace: traceOf(response),
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
  };
}

/** @throws OpenAIError `missing_required_parameter`, `invalid_type`, `empty_string`, `string_above_max_length` */
export function modelOf(body: Record<string, unknown>): string {
  if (body['model'] === undefined || body['model'] === null) {
    throw new OpenAIError('missing_required_parameter', "Missing required parameter: 'model'.", { param: 'model' });
  }
  return nonEmptyString('model', body['model'], 256);
}
