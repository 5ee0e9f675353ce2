import type { Composition, Frame, ToolCall } from '../kernel/types.ts';
import { type Answer, usageBody } from './answer.ts';
import type { FragmentVariant, MidError } from './faults.ts';
import { logprobsOf } from './logprobs.ts';

/**
 * The frames of a streamed completion (Qwen: streaming, recorded traffic). Role only in the first delta; reasoning
 * before content; tool calls as a named head, nameless fragments with id "", and a trailing delta that has neither
 * `finish_reason` nor `logprobs`; then the finish, the usage if asked for, and `[DONE]`.
 */
export interface StreamOptions {
  readonly includeUsage: boolean;
  /** Sends the usage chunk without being asked, as one gateway has seen. */
  readonly usageAlways: boolean;
  readonly fineTools: boolean;
  readonly variant: FragmentVariant;
  readonly midError: MidError | null;
  readonly pieces: (text: string) => readonly string[];
}

export function completionFrames(answer: Answer, options: StreamOptions): readonly Frame[] {
  const frame = (choices: readonly unknown[], content: boolean, usage: unknown = null): Frame => ({
    wire: `data: ${JSON.stringify({
      choices,
      object: 'chat.completion.chunk',
      ...(options.includeUsage || usage !== null ? { usage } : {}),
      created: answer.created,
      system_fingerprint: null,
      model: answer.model,
      id: `chatcmpl-${answer.requestId}`,
    })}\n\n`,
    content,
  });
  const frames = answer.choices.flatMap((choice, index) =>
    deltasOf(choice, index, answer, options).map(({ delta, content, finish, bare, logprobs }) =>
      frame([bare ? { delta, index } : { delta, finish_reason: finish ?? null, index, logprobs: logprobs ?? null }], content),
    ),
  );
  if (options.includeUsage || options.usageAlways) frames.push(frame([], false, usageBody(answer.usage, answer.thinking)));
  frames.push({ wire: 'data: [DONE]\n\n', content: false });
  if (options.midError === null) return frames;
  const { message, type, code } = options.midError.refusal.row;
  const body = { error: { code, param: null, message, type }, id: `chatcmpl-${answer.requestId}` };
  return brokenOff(frames, options.midError, `data: ${JSON.stringify(body)}\n\n`);
}

interface Delta {
  readonly delta: unknown;
  readonly content: boolean;
  readonly finish?: string;
  /** Leaves out `finish_reason` and `logprobs`. */
  readonly bare?: boolean;
  readonly logprobs?: object | null;
}

function deltasOf(choice: Composition, index: number, answer: Answer, options: StreamOptions): readonly Delta[] {
  const deltas: Delta[] = [];
  const mute = answer.thinking ? { reasoning_content: null } : {};
  if (answer.thinking) {
    deltas.push({ delta: { content: null, role: 'assistant', reasoning_content: '' }, content: false });
    for (const piece of options.pieces(choice.reasoning))
      deltas.push({ delta: { content: null, reasoning_content: piece }, content: true });
  }
  if (choice.toolCalls.length > 0) {
    const role = answer.thinking ? {} : { role: 'assistant' };
    for (const [position, call] of choice.toolCalls.entries()) {
      deltas.push(...callDeltas(call, position, answer.callId(index, position), position === 0 ? role : {}, options));
    }
    deltas.push({ delta: {}, content: false, finish: choice.finish });
    return deltas;
  }
  if (!answer.thinking) deltas.push({ delta: { content: '', role: 'assistant' }, content: false });
  for (const piece of options.pieces(choice.content))
    deltas.push({ delta: { content: piece, ...mute }, content: true, logprobs: logprobsOf(() => [piece], answer.topLogprobs) });
  deltas.push({ delta: { content: '', ...mute }, content: false, finish: choice.finish });
  return deltas;
}

function callDeltas(call: ToolCall, index: number, id: string, role: object, options: StreamOptions): readonly Delta[] {
  const { variant } = options;
  const part = (partId: string, details: object): unknown => ({ index, id: partId, type: 'function', function: details });
  const head: Delta = {
    delta: { content: null, tool_calls: [part(id, { name: call.name, arguments: '' })], ...role },
    content: false,
  };
  if (variant === 'trailing') {
    return [head, { delta: { tool_calls: [part(id, { name: call.name, arguments: call.arguments })] }, content: true, bare: true }];
  }
  const later = variant === 'repeat-id' || variant === 'null-name' ? id : '';
  const nameless = variant === 'repeat-id' ? { name: '' } : variant === 'null-name' || variant === 'null-arguments' ? { name: null } : {};
  const fragments = fragmentsOf(call.arguments, options).map(
    (text): Delta => ({ delta: { content: null, tool_calls: [part(later, { ...nameless, arguments: text })] }, content: true }),
  );
  const silent: Delta = { delta: { content: null, tool_calls: [part('', { name: null, arguments: null })] }, content: false };
  return [
    head,
    ...(variant === 'null-arguments' ? [silent] : []),
    ...fragments,
    { delta: { tool_calls: [part('', { arguments: '' })] }, content: false, bare: true },
  ];
}

/** Arguments that hold arrays or objects come in one piece unless `tool_stream` is on. */
export function fragmentsOf(text: string, options: Pick<StreamOptions, 'fineTools' | 'pieces'>): readonly string[] {
  if (!options.fineTools && /[[{]/.test(text.slice(1))) return [text];
  const fragments: string[] = [];
  const pieces = options.pieces(text);
  for (let at = 0; at < pieces.length; at += 3) fragments.push(pieces.slice(at, at + 3).join(''));
  return fragments;
}

/** The error frame takes the place of what would have followed; there is no `[DONE]` after it. */
export function brokenOff(frames: readonly Frame[], midError: MidError, errorWire: string): readonly Frame[] {
  let seen = 0;
  const end = frames.findIndex((frame) => {
    if (frame.content) seen += 1;
    return frame.content && seen > midError.after;
  });
  // An answer shorter than that breaks off after its last word.
  const kept = frames.slice(0, end < 0 ? frames.findLastIndex((frame) => frame.content) + 1 : end);
  return [...kept, { wire: errorWire, content: false }];
}
