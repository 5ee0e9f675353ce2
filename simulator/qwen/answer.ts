import type { Composition, Incoming, Kernel } from '../kernel/types.ts';
import { logprobsOf } from './logprobs.ts';

/** Everything a completion says, streamed or not (Qwen: chat reference and recorded answers). */
export interface Answer {
  /** The request's uuid. */
  readonly requestId: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly choices: readonly Composition[];
  readonly thinking: boolean;
  readonly usage: Usage;
  /** Rivals told of each token; null = no probabilities. */
  readonly topLogprobs: number | null;
  readonly callId: (choice: number, call: number) => string;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly cachedTokens: number;
  /** Part of the prompt tokens; null when there are no images. */
  readonly imageTokens: number | null;
}

export function usageBody(usage: Usage, thinking: boolean): Record<string, unknown> {
  const { promptTokens, completionTokens, reasoningTokens, cachedTokens, imageTokens } = usage;
  const media = imageTokens === null ? {} : { text_tokens: promptTokens - imageTokens, image_tokens: imageTokens };
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(thinking ? { completion_tokens_details: { reasoning_tokens: reasoningTokens } } : {}),
    prompt_tokens_details: { cached_tokens: cachedTokens, ...media },
  };
}

/** Body of a non-streamed completion. Text is "" beside tool calls, where OpenAI has null. */
export function completionBody(answer: Answer, pieces: (text: string) => readonly string[]): Record<string, unknown> {
  const choices = answer.choices.map((choice, index) => {
    const calls = choice.toolCalls.map((call, position) => ({
      function: { name: call.name, arguments: call.arguments },
      id: answer.callId(index, position),
      index: position,
      type: 'function',
    }));
    const message = {
      content: choice.content,
      role: 'assistant',
      ...(answer.thinking ? { reasoning_content: choice.reasoning } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    return { message, finish_reason: choice.finish, index, logprobs: logprobsOf(() => pieces(choice.content), answer.topLogprobs) };
  });
  return {
    choices,
    object: 'chat.completion',
    usage: usageBody(answer.usage, answer.thinking),
    created: answer.created,
    system_fingerprint: null,
    model: answer.model,
    id: `chatcmpl-${answer.requestId}`,
  };
}

export function requestIdOf(incoming: Incoming, kernel: Kernel): string {
  const hex = kernel.hex(incoming, 'request', 30);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-9${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}
