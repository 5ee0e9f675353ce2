import { loadFamilies } from '../../catalog/families.ts';
import type { Usage } from '../../openai/chat/events.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import { ChatRun, type RunInput } from '../../relay/chat/chat-run.ts';
import { DeadlineWheel } from '../../relay/upstream/deadlines.ts';
import type { CallListener, UpstreamCall } from '../../relay/upstream/upstream-call.ts';
import { qwenCompatible } from '../../translators/qwen/compatible.ts';
import type { ChatTranslator, Emulation } from '../../translators/translator.ts';

const request = { model: 'm', messages: [{ role: 'user', content: 'x' }] } as unknown as ChatRequest;
export const usage = (prompt: number, completionTokens: number): Usage => ({
  prompt,
  completion: completionTokens,
  cached: 0,
  reasoning: 0,
});

export interface Posted {
  readonly id: string;
  readonly body: Record<string, unknown>;
  readonly listener: CallListener;
  readonly did: string[];
  /** No connection is free for it. */
  waiting: boolean;
  /** It has been silent for too long. */
  overdue: boolean;
  say(...texts: string[]): void;
}

/** A run whose backend is played by hand. */
export function rig(
  options: {
    stream?: boolean;
    emulation?: Emulation;
    body?: Record<string, unknown>;
    translator?: ChatTranslator;
    /** Told how many calls have been made, before the next one is. */
    before?: (made: number) => void;
  } = {},
) {
  const posted: Posted[] = [];
  const out: string[] = [];
  let full = false;
  let drained: (() => void) | null = null;
  const wheel = new DeadlineWheel(() => 0);
  const input: RunInput = {
    request: { ...request, stream: options.stream === true },
    translator: options.translator ?? qwenCompatible,
    rules: loadFamilies().of('qwen', 'm').rules,
    plan: { path: '/x', body: options.body ?? {}, stream: options.stream === true, emulation: options.emulation ?? {} },
    head: { id: 'id', created: 1, model: 'm', legacyFunctions: false, showReasoning: true },
    requestId: 'req',
    post: (_path, body, id, listener) => {
      options.before?.(posted.length);
      const did: string[] = [];
      const made: Posted = {
        id,
        body: JSON.parse(body) as Record<string, unknown>,
        listener,
        did,
        waiting: false,
        overdue: false,
        say: (...texts) => {
          for (const text of texts) listener.onData(Buffer.from(text));
        },
      };
      posted.push(made);
      const call = {
        get unsent() {
          return made.waiting;
        },
        get overdue() {
          return made.overdue;
        },
        abort: () => did.push('abort'),
        pause: () => did.push('pause'),
        resume: () => did.push('resume'),
        hurry: (ms: number) => did.push(`hurry ${ms}`),
      };
      return call as unknown as UpstreamCall;
    },
    client:
      options.stream === true
        ? {
            start: () => out.push('<start>'),
            write: (text) => {
              out.push(text);
              return !full;
            },
            onceDrained: (resume) => {
              drained = resume;
            },
            end: (text) => out.push(`${text}<end>`),
          }
        : null,
    wheel,
    heartbeatMs: 10,
    onBegin: () => undefined,
    check: () => Promise.resolve(null),
    redact: (text) => text,
    transcribed: false,
  };
  const run = new ChatRun(input);
  return {
    run,
    posted,
    out,
    wheel,
    fill: () => {
      full = true;
    },
    drain: () => {
      full = false;
      drained?.();
    },
  };
}

export const SSE = { 'content-type': 'text/event-stream' };
export const JSON_TYPE = { 'content-type': 'application/json' };
