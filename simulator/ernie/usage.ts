/** Token use of one chat answer, and its body. `search_tokens` are part of `prompt_tokens`. */

export interface Usage {
  readonly prompt: number;
  readonly search: number;
  readonly cached: number;
  readonly completion: number;
  /** Null on ERNIE models, which do not break it out. */
  readonly reasoning: number | null;
}

export function usageBody(usage: Usage): Record<string, unknown> {
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: { search_tokens: usage.search, cached_tokens: usage.cached },
    ...(usage.reasoning === null ? {} : { completion_tokens_details: { reasoning_tokens: usage.reasoning } }),
  };
}
