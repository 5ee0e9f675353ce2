/**
 * OpenAI-shaped answers as vendors send them. Read loosely: only what is used, and nothing is trusted to be there.
 * `delta` and `message` have the same inside, so one reader serves whole bodies and frames.
 */
export interface WireToolCall {
  readonly index?: number | null;
  readonly id?: string | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: string | Record<string, unknown> | null } | null;
}

export interface WireMessage {
  readonly content?: string | readonly { readonly text?: string }[] | null;
  readonly reasoning_content?: string | null;
  readonly tool_calls?: readonly WireToolCall[] | null;
}

export interface WireChoice {
  readonly index?: number | null;
  readonly delta?: WireMessage | null;
  readonly message?: WireMessage | null;
  readonly finish_reason?: string | null;
  readonly logprobs?: { readonly content?: readonly unknown[] | null } | null;
  readonly [extra: string]: unknown;
}

export interface WireUsage {
  readonly prompt_tokens?: number | null;
  readonly completion_tokens?: number | null;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number | null } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number | null } | null;
}

export interface WireAnswer {
  readonly choices?: readonly WireChoice[] | null;
  readonly usage?: WireUsage | null;
  readonly [extra: string]: unknown;
}
