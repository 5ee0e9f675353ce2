import type { Usage } from '../../openai/chat/events.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import type { LegMeter } from './legs.ts';
import { type CharsPerToken, IMAGE_TOKENS, promptSize, sizeTokens } from './prompt-size.ts';

/** Where no vendor's own figures are at hand: about 4 ASCII characters or 1.5 others a token. */
export const COMMON_CHARS_PER_TOKEN: CharsPerToken = { letter: 4, digit: 4, other: 1.5 };

/** The tokens of a prompt where the vendor told no count, in the middle of what is likely. */
export function promptTokens(request: Pick<ChatRequest, 'messages' | 'tools' | 'functions'>): number {
  const size = promptSize(request);
  return Math.max(1, Math.ceil(sizeTokens(size, COMMON_CHARS_PER_TOKEN) + size.images * IMAGE_TOKENS));
}

/** Vendors stream about one token a piece; whole texts come in one. */
export function estimatedUsage(request: ChatRequest, meter: LegMeter): Usage {
  return {
    prompt: promptTokens(request),
    completion: Math.max(meter.pieces, Math.ceil(meter.chars / 4)),
    cached: 0,
    reasoning: 0,
    estimated: true,
  };
}

const NOTHING: Usage = { prompt: 0, completion: 0, cached: 0, reasoning: 0 };

/** The usage of one answer from those of its legs: the prompt once, as OpenAI counts `n`, and all completions. No legs: nothing was used. */
export function mergedUsage(usages: readonly Usage[]): Usage {
  const [first = NOTHING, ...rest] = usages;
  return rest.reduce(
    (sum, usage) => ({
      prompt: sum.prompt,
      cached: sum.cached,
      completion: sum.completion + usage.completion,
      reasoning: sum.reasoning + usage.reasoning,
      estimated: sum.estimated === true || usage.estimated === true,
    }),
    first,
  );
}
