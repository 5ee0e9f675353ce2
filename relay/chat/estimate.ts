import type { Usage } from '../../openai/chat/events.ts';
import type { ChatRequest, ContentPart } from '../../openai/chat/request.ts';
import type { LegMeter } from './legs.ts';

/** What an image is taken to cost, whatever its size: about what the vendors count for a picture of a thousand pixels a side. */
const IMAGE_TOKENS = 1_000;
/** Role and separators of a message. */
const MESSAGE_TOKENS = 4;

/**
 * Token counts before a vendor tells one, or where it told none: by character class, never by a tokenizer, which can stop the
 * event loop for seconds. About 4 ASCII characters or 1.5 others a token; a picture's data is no text.
 */
export function promptTokens({ messages, tools, functions }: Pick<ChatRequest, 'messages' | 'tools' | 'functions'>): number {
  let tokens = tools === undefined && functions === undefined ? 0 : textTokens(JSON.stringify(tools ?? functions));
  for (const { content, tool_calls, reasoning_content } of messages) {
    tokens += MESSAGE_TOKENS;
    if (typeof content === 'string') tokens += textTokens(content);
    else if (Array.isArray(content)) for (const part of content as readonly ContentPart[]) tokens += partTokens(part);
    if (tool_calls !== undefined && tool_calls !== null) tokens += textTokens(JSON.stringify(tool_calls));
    if (typeof reasoning_content === 'string') tokens += textTokens(reasoning_content);
  }
  return Math.max(1, Math.ceil(tokens));
}

function partTokens(part: ContentPart): number {
  if (part.type === 'text') return textTokens(part.text);
  if (part.type === 'refusal') return textTokens(part.refusal);
  return IMAGE_TOKENS;
}

function textTokens(text: string): number {
  let others = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) others++;
  return (text.length - others) / 4 + others / 1.5;
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
