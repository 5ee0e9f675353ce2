import type { ChatRequest } from '../../../openai/chat/request.ts';
import { asOpenAIError, type OpenAIError } from '../../../openai/errors.ts';
import type { Exchange } from '../../../relay/exchange.ts';
import type { Relay } from '../../../relay/relay.ts';

/**
 * Callers with one key who ask for `m`, see what comes, and may leave.
 * @param clock of the relay
 */
export function callers(relay: Relay, caller: Exchange['caller'], clock: { readonly ms: number }) {
  let asked = 0;
  return (stream: boolean, more: Partial<ChatRequest> = {}) => {
    const chosen: string[] = [];
    const out = { text: '', started: 0, ended: 0, chosenAtStart: '' };
    let leave: (() => void) | null = null;
    let gone = false;
    const startMs = clock.ms;
    const request: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'x' }], stream, ...more };
    const told: { json: string | null; error: OpenAIError | null; over: boolean } = { json: null, error: null, over: false };
    const client = {
      start: () => {
        out.started++;
        out.chosenAtStart = chosen.at(-1) ?? '';
      },
      write: (text: string) => {
        out.text += text;
        return true;
      },
      onceDrained: () => undefined,
      end: (text: string) => {
        out.text += text;
        out.ended++;
      },
    };
    const exchange = {
      requestId: `req_${++asked}`,
      caller,
      request,
      arrivedAtMs: Date.now(),
      sinceArrivalMs: () => clock.ms - startMs,
      trace: null,
      client: stream ? client : null,
      onChosen: (backend: string) => void chosen.push(backend),
      onAdmitted: () => undefined,
      onGone: (act: () => void) => {
        leave = act;
        if (gone) act();
      },
    };
    const ended = relay.chat(exchange, relay.route('m', caller)).then(
      (json) => Object.assign(told, { json, over: true }),
      (error: unknown) => Object.assign(told, { error: asOpenAIError(error), over: true }),
    );
    return {
      id: exchange.requestId,
      chosen,
      out,
      told,
      ended,
      leave: () => {
        gone = true;
        leave?.();
      },
    };
  };
}
