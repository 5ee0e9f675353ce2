import type { Composition, Frame, ToolCall } from '../kernel/types.ts';
import type { Answer, Usage } from './answer.ts';
import type { Turn } from './chat.ts';
import { logprobsOf } from './logprobs.ts';
import { nativeErrorEvent } from './native-errors.ts';
import type { NativeRequest } from './native-request.ts';
import { type Search, searchResults } from './search.ts';
import { brokenOff, fragmentsOf } from './stream.ts';

/** Answers in DashScope's own form (Qwen: DashScope reference, recorded traffic). */

type Form = Pick<NativeRequest, 'multimodal' | 'resultFormat' | 'incremental'>;

/** Body of an answer that is not streamed. Nothing in it names id, model or time. */
export function nativeBody({ answer, search, fragments }: Turn, form: Form): Record<string, unknown> {
  const output =
    form.resultFormat === 'text'
      ? { text: answer.choices[0]?.content ?? '', finish_reason: answer.choices[0]?.finish ?? 'stop' }
      : { choices: answer.choices.map((choice, index) => wholeChoice(choice, index, answer, form, fragments.pieces)) };
  return {
    output: { ...output, ...searchInfo(search) },
    usage: { ...usageOf(answer, answer.usage.completionTokens), ...searchUsage(search) },
    request_id: answer.requestId,
  };
}

function wholeChoice(
  choice: Composition,
  index: number,
  answer: Answer,
  form: Form,
  pieces: Turn['fragments']['pieces'],
): Record<string, unknown> {
  const calls = choice.toolCalls.map((call, position) => callPart(call, position, answer.callId(index, position), call.arguments));
  const message = {
    role: 'assistant',
    content: contentOf(choice.content, form),
    ...(answer.thinking ? { reasoning_content: choice.reasoning } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  return { finish_reason: choice.finish, ...numberOf(index, answer), message, ...toldOf(() => pieces(choice.content), answer) };
}

/** Told with `enable_source`. */
const searchInfo = (search: Search | null): object => (search?.source === true ? { search_info: { search_results: searchResults() } } : {});

const searchUsage = (search: Search | null): object =>
  search === null ? {} : { plugins: { search: { count: 1, strategy: search.strategy } } };

/** `logprobs` only where they are asked for. */
function toldOf(tokens: () => readonly string[], { topLogprobs }: Answer): object {
  const logprobs = logprobsOf(tokens, topLogprobs);
  return logprobs === null ? {} : { logprobs };
}

/** `index` only beside other choices. */
const numberOf = (index: number, { choices }: Answer): object => (choices.length > 1 ? { index } : {});

const contentOf = (text: string, { multimodal }: Form): unknown => (multimodal ? (text === '' ? [] : [{ text }]) : text);

const callPart = ({ name }: ToolCall, index: number, id: string, text: string): Record<string, unknown> => ({
  index,
  id,
  type: 'function',
  function: { name, arguments: text },
});

function usageOf({ usage, thinking }: Answer, completion: number): Record<string, unknown> {
  const { promptTokens, cachedTokens, imageTokens }: Usage = usage;
  return {
    input_tokens: promptTokens,
    output_tokens: completion,
    total_tokens: promptTokens + completion,
    ...(thinking ? { output_tokens_details: { reasoning_tokens: Math.min(completion, usage.reasoningTokens) } } : {}),
    ...(imageTokens === null
      ? {}
      : { image_tokens: imageTokens, input_tokens_details: { image_tokens: imageTokens, text_tokens: promptTokens - imageTokens } }),
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}

/** A piece of a choice as it is streamed. */
interface Step {
  readonly text?: string;
  readonly reasoning?: string;
  readonly call?: Readonly<Record<string, unknown>>;
  readonly finish?: string;
}

/**
 * The events of a stream: no space behind the colons, the status as a comment, usage so far on each, `finish_reason` the word "null"
 * until the end, and no `[DONE]`. Without `incremental_output` each event repeats all that was said before.
 */
export function nativeFrames(turn: Turn, form: Form, countTokens: (text: string) => number): readonly Frame[] {
  const { answer, fragments, search } = turn;
  const total = answer.usage.completionTokens;
  const frames: Frame[] = [];
  let counted = 0;
  answer.choices.forEach((choice, index) => {
    const said = { text: '', reasoning: '', calls: [] as Record<string, unknown>[] };
    for (const step of stepsOf(choice, index, turn)) {
      counted = Math.min(total, counted + countTokens(`${step.reasoning ?? ''}${step.text ?? ''}`));
      const last = index === answer.choices.length - 1 && step.finish !== undefined;
      const { text } = step;
      const shown = form.incremental ? step : soFar(said, step);
      const message = messageOf(shown, answer, form);
      const output =
        form.resultFormat === 'text'
          ? { text: shown.text ?? '', finish_reason: step.finish ?? 'null' }
          : {
              choices: [
                {
                  ...numberOf(index, answer),
                  message,
                  finish_reason: step.finish ?? 'null',
                  ...(text === undefined ? {} : toldOf(() => [text], answer)),
                },
              ],
            };
      // With a search the first event brings the pages, and no usage yet.
      const first = frames.length === 0 && search !== null;
      const usage = first && !last ? {} : { ...usageOf(answer, last ? total : counted), ...searchUsage(search) };
      const body = { output: { ...output, ...(first ? searchInfo(search) : {}) }, usage, request_id: answer.requestId };
      frames.push({
        wire: `id:${frames.length + 1}\nevent:result\n:HTTP_STATUS/200\ndata:${JSON.stringify(body)}\n\n`,
        content: Boolean(step.text) || Boolean(step.reasoning) || step.call !== undefined,
      });
    }
  });
  if (fragments.midError === null) return frames;
  return brokenOff(frames, fragments.midError, nativeErrorEvent(fragments.midError.refusal, answer.requestId, frames.length + 1));
}

function messageOf(step: Step & { readonly calls?: readonly unknown[] }, { thinking }: Answer, form: Form): Record<string, unknown> {
  const calls = step.calls ?? (step.call === undefined ? [] : [step.call]);
  return {
    role: 'assistant',
    content: contentOf(step.text ?? '', form),
    // Fragments of calls on the multimodal path come without it.
    ...(thinking && !(form.multimodal && calls.length > 0) ? { reasoning_content: step.reasoning ?? '' } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function stepsOf(choice: Composition, index: number, { answer, fragments }: Turn): readonly Step[] {
  const steps: Step[] = fragments.pieces(answer.thinking ? choice.reasoning : '').map((reasoning) => ({ reasoning }));
  if (choice.toolCalls.length === 0)
    return [...steps, ...fragments.pieces(choice.content).map((text) => ({ text })), { finish: choice.finish }];
  const calls = choice.toolCalls.flatMap((call, position) => callSteps(call, position, answer.callId(index, position), fragments));
  // The reason rides on the last fragment.
  return [...steps, ...calls.slice(0, -1), { ...calls.at(-1), finish: choice.finish }];
}

/** The first fragment names the call, the later ones have an empty id and no name; faults bend them as in compatible mode. */
function callSteps(call: ToolCall, index: number, id: string, fragments: Turn['fragments']): readonly Step[] {
  const { variant } = fragments;
  const part = (partId: string, details: object): Step => ({ call: { index, id: partId, type: 'function', function: details } });
  const head = part(id, { name: call.name, arguments: '' });
  if (variant === 'trailing') return [head, part(id, { name: call.name, arguments: call.arguments })];
  const later = variant === 'repeat-id' || variant === 'null-name' ? id : '';
  const nameless = variant === 'repeat-id' ? { name: '' } : variant === 'null-name' || variant === 'null-arguments' ? { name: null } : {};
  const silent = variant === 'null-arguments' ? [part('', { name: null, arguments: null })] : [];
  return [head, ...silent, ...fragmentsOf(call.arguments, fragments).map((text) => part(later, { ...nameless, arguments: text }))];
}

/** Adds a step to what was said and gives all of it. */
function soFar(said: { text: string; reasoning: string; calls: Record<string, unknown>[] }, step: Step): Step & { calls: unknown[] } {
  said.text += step.text ?? '';
  said.reasoning += step.reasoning ?? '';
  const details = step.call?.['function'] as { name?: string; arguments?: string } | undefined;
  if (step.call !== undefined && details !== undefined) {
    const known = said.calls.find((call) => call['index'] === step.call?.['index']);
    const before = known?.['function'] as { name: string; arguments: string } | undefined;
    if (known === undefined) said.calls.push({ ...step.call });
    else known['function'] = { ...before, arguments: `${before?.arguments ?? ''}${details.arguments ?? ''}` };
  }
  return { ...step, text: said.text, reasoning: said.reasoning, calls: structuredClone(said.calls) };
}
