import type { Frame, Handled, Reply } from '../kernel/types.ts';
import type { Call } from './call.ts';
import { converse } from './chat.ts';
import { Refusal } from './errors.ts';
import { nativeBody, nativeFrames } from './native-answer.ts';
import { checkForm, type NativePath, readNative } from './native-request.ts';
import { streamed, whole } from './replies.ts';

/** Alibaba Qwen in DashScope's own protocol: text answers on two paths. */

export const NATIVE_BASE = '/api/v1';

const PATHS: Readonly<Record<string, NativePath>> = {
  '/services/aigc/text-generation/generation': 'text',
  '/services/aigc/multimodal-generation/generation': 'multimodal',
};

/** 63 bits; JSON numbers that large are not exact, and close enough for a bound. */
const MAX_SEED = 2 ** 63;

/** @throws Refusal */
export function nativeRoute(call: Call): Handled {
  const { incoming, key } = call;
  const path = PATHS[incoming.path.slice(NATIVE_BASE.length)];
  if (path === undefined) throw new Refusal('NotFound', { message: `No such path: ${incoming.path}` });
  if (incoming.method !== 'POST') {
    const message = `Request method '${incoming.method}' is not supported.`;
    throw new Refusal('invalid_parameter_error', { message, status: 405 });
  }
  const form = readNative(call, path);
  const turn = converse({ ...call, body: form.body }, { maxSeed: MAX_SEED });
  const { answer, sampling, tools } = turn;
  checkForm(form, sampling.stream, answer.thinking, tools.tools.length > 0);
  const { promptTokens, completionTokens, reasoningTokens, cachedTokens } = answer.usage;
  return {
    reply: replyOf(),
    accounting: {
      model: answer.model,
      stream: sampling.stream,
      promptTokens,
      completionTokens,
      reasoningTokens,
      cachedTokens,
      errorCode: null,
      keyName: key.name,
    },
  };

  function replyOf(): Reply {
    if (!sampling.stream) return whole(200, nativeBody(turn, form), call);
    const frames = nativeFrames(turn, form, call.kernel.countTokens);
    return streamed(call.faults.some((fault) => fault.name === 'no-blank-lines') ? frames.map(unparted) : frames, call);
  }
}

/** Some copies of streams lack the blank line between events. */
const unparted = (frame: Frame): Frame => ({ ...frame, wire: frame.wire.replace(/\n\n$/, '\n') });
