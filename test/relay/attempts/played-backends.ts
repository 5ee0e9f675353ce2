import type { Dispatcher } from 'undici';
import type { Backend, Config } from '../../../config/config.ts';
import type { BackendClient, CallTerms } from '../../../relay/upstream/backend-client.ts';
import { type CallListener, UpstreamCall } from '../../../relay/upstream/upstream-call.ts';
import { completion, DONE, finishFrame, roleFrame, textFrame, usageFrame } from '../backends.ts';
import type { HandClock } from './hand-clock.ts';

export type Name = 'a' | 'b' | 'c' | 'd';
export const NAMES = ['a', 'b', 'c', 'd'] as const;
/** One of several calls for one request, from 1: without it all of them say the same. */
export type Leg = `${Name}-${number}`;
/** `connected`: a connection is free for it; without that line one is at once · `refused`: none can be made · `role`: a chunk without anything visible · `text`: the first visible one, or nothing of a whole answer · `done`: the rest of it. */
export type Line = 'connected' | 'refused' | 'role' | 'text' | 'done' | 'reset' | 'overload' | 'moderated' | 'wrong' | 'bad-key';
/** What a backend says, and when, in ms since it was called; the same each time. */
export type Part = readonly (readonly [ms: number, line: Line])[];

export interface Called {
  readonly backend: Name;
  readonly id: string;
  readonly atMs: number;
  /** When the relay closed it; null: never. */
  abortedAtMs: number | null;
  /** When it ended by itself, or was closed; null: it has not. */
  endedAtMs: number | null;
}

/** Clients of backends that say what their parts have. @param parts may change on the way */
export function playedBackends(
  { backends }: Pick<Config, 'backends'>,
  parts: Readonly<Partial<Record<Name | Leg, Part>>>,
  clock: HandClock,
) {
  const calls: Called[] = [];
  const clients = new Map(
    NAMES.map((name) => {
      const { timeouts, vendor } = backends[name] as Backend;
      const post = (_path: string, body: string, id: string, listener: CallListener, terms: CallTerms): UpstreamCall => {
        const call = new UpstreamCall(listener, { ...timeouts, firstByteMs: Math.min(timeouts.firstByteMs, terms.withinMs) }, clock.wheel);
        const called: Called = { backend: name, id, atMs: clock.ms, abortedAtMs: null, endedAtMs: null };
        calls.push(called);
        const stream = (JSON.parse(body) as { stream?: boolean }).stream === true;
        const controller = {
          abort: () => {
            called.abortedAtMs = clock.ms;
            called.endedAtMs ??= clock.ms;
          },
          pause: () => undefined,
          resume: () => undefined,
        } as unknown as Dispatcher.DispatchController;
        const leg = id.match(/-(\d+)$/)?.[1];
        const said = parts[`${name}-${Number(leg)}`] ?? parts[name] ?? [];
        if (!said.some(([, what]) => what === 'connected' || what === 'refused')) call.onRequestStart(controller);
        const play = player(call, controller, name, vendor, stream, () => {
          called.endedAtMs = clock.ms;
        });
        for (const [ms, what] of said) {
          const act = (): void => {
            if (what === 'connected') call.onRequestStart(controller);
            else if (called.abortedAtMs === null) play(what);
          };
          clock.in(ms, act);
        }
        return call;
      };
      return [name, { post, redact: (text: string) => text } as unknown as BackendClient];
    }),
  );
  return { calls, clients };
}

function player(
  call: UpstreamCall,
  controller: Dispatcher.DispatchController,
  name: Name,
  vendor: string,
  stream: boolean,
  over: () => void,
) {
  let begun = false;
  const head = (status: number, type: string): void => {
    if (!begun) call.onResponseStart(controller, status, { 'content-type': type });
    begun = true;
  };
  const say = (text: string): void => {
    head(200, 'text/event-stream');
    call.onResponseData(controller, Buffer.from(text));
  };
  const refuse = (status: number, body: object): void => {
    over();
    head(status, 'application/json');
    call.onResponseData(controller, Buffer.from(JSON.stringify(body)));
    call.onResponseEnd();
  };
  return (line: Line): void => {
    switch (line) {
      case 'bad-key':
        refuse(401, { error: { code: 'invalid_api_key', type: 'invalid_request_error', message: 'no such key' } });
        return;
      case 'role':
        if (stream) say(roleFrame);
        return;
      case 'text':
        if (stream) say(textFrame(`from ${name}`));
        return;
      case 'done':
        over();
        if (stream) say(textFrame('.') + finishFrame() + usageFrame + DONE);
        else {
          head(200, 'application/json');
          call.onResponseData(controller, Buffer.from(completion(`from ${name}.`)));
        }
        call.onResponseEnd();
        return;
      case 'reset':
        over();
        call.onResponseError(controller, Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
        return;
      case 'refused':
        over();
        call.onResponseError(controller, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
        return;
      case 'overload':
        refuse(503, { error: { message: 'busy' } });
        return;
      case 'moderated':
        refuse(400, {
          error: {
            code: vendor === 'qwen' ? 'data_inspection_failed' : vendor === 'glm' ? '1301' : 'x',
            type: 'unsafe_request',
            message: 'no',
          },
        });
        return;
      case 'wrong':
        refuse(400, { error: { code: 'invalid_parameter', type: 'invalid_request_error', message: 'temperature is wrong' } });
    }
  };
}
