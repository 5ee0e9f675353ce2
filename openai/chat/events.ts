/**
 * The hub: a chat answer as a sequence of events, whoever speaks and whoever listens.
 *
 * A dialect plays what its vendor said, whole body or frame by frame, to a `ChatEvents`; emulations stand between;
 * an encoder at the end writes chunks or one completion. Calls are synchronous and carry no objects, so a streamed
 * chunk costs no allocation on its way through.
 *
 * Contract: `tool` opens a call before its `args`; after `finish` a choice stays silent; `usage` may come at any time and
 * the last one counts. Empty texts may be passed and mean nothing. The encoders put right what OpenAI's form asks for
 * (role first, id once, empty last delta), so that no dialect has to.
 */
export interface ChatEvents {
  /** Visible text. `logprobs` is the `content` list of OpenAI's `logprobs` object for exactly this text. */
  text(choice: number, text: string, logprobs?: readonly unknown[]): void;
  /** Thinking made visible by the vendor. */
  reasoning(choice: number, text: string): void;
  /** Opens tool call number `call` (from 0, dense) of a choice. An empty `id` means the vendor gave none: the encoder makes one. */
  tool(choice: number, call: number, id: string, name: string): void;
  /** A piece of the call's arguments, which are JSON text. */
  args(choice: number, call: number, piece: string): void;
  /** The web pages a choice rests on. Comes before its `finish`, at any time; a later list takes the place of an earlier one. */
  citations(choice: number, list: readonly Citation[]): void;
  /** Why the choice ended, in OpenAI's words. */
  finish(choice: number, reason: FinishReason): void;
  usage(usage: Usage): void;
}

/** A web page that a search brought. */
export interface Citation {
  readonly url: string;
  readonly title: string;
  /** What stands in the text where the page is cited, in square brackets: `[ref_1]`; null when the vendor puts nothing there. */
  readonly mark: string | null;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** Token counts of one answer. `cached` is part of `prompt`, `reasoning` is part of `completion`. */
export interface Usage {
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number;
  readonly reasoning: number;
  /** True when the vendor told no count and the relay estimated it. */
  readonly estimated?: boolean;
}

/** OpenAI's `usage` object as JSON text, all detail keys present. */
export function usageJson(usage: Usage): string {
  return (
    `{"prompt_tokens":${usage.prompt},"completion_tokens":${usage.completion},"total_tokens":${usage.prompt + usage.completion},` +
    `"prompt_tokens_details":{"cached_tokens":${usage.cached},"audio_tokens":0},` +
    `"completion_tokens_details":{"reasoning_tokens":${usage.reasoning},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`
  );
}

/** How an answer introduces itself; the same in every chunk. */
export interface AnswerHead {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** The name the caller asked for. */
  readonly model: string;
  /** True when the caller spoke the deprecated `functions` and gets `function_call` back. */
  readonly legacyFunctions: boolean;
  /** False drops reasoning from what the caller sees (its tokens stay in `usage`). */
  readonly showReasoning: boolean;
}
