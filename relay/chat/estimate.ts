import type { Usage } from '../../openai/chat/events.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import type { LegMeter } from './legs.ts';

/**
 * Token counts where the vendor told none (a stream that the relay cut, a vendor that forgot): by character class, never by a
 * tokenizer, which can stop the event loop for seconds. About 4 ASCII characters or 1.5 others a token.
 */
export function promptTokens(request: Pick<ChatRequest, 'messages' | 'tools' | 'functions'>): number {
  const text = JSON.stringify(request.messages) + JSON.stringify(request.tools ?? request.functions ?? '');
  let ascii = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) < 128) ascii++;
  return Math.max(1, Math.ceil(ascii / 4 + (text.length - ascii) / 1.5));
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
