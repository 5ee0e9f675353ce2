import type { ChatRequest, ContentPart } from '../../openai/chat/request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { Candidate } from '../routing/route-table.ts';

/**
 * A prompt that no tokenizer could bring into the model's context is refused before anyone is asked. The bound is from below: no text is
 * known to have more characters a token (English has 4 to 5, Chinese 1.5), runs of one character count once, and pictures, tools and the
 * vendor's own template count nothing. What might fit goes to the vendor, which knows best.
 */
const CHARS_PER_TOKEN = { ascii: 8, other: 3 } as const;

/** @throws OpenAIError `context_length_exceeded` when the prompt is beyond the model's context for certain */
export function refuseBeyondContext(request: Pick<ChatRequest, 'messages'>, { facts: { contextTokens } }: Pick<Candidate, 'facts'>): void {
  if (contextTokens === null) return;
  const least = leastTokens(request, contextTokens);
  if (least <= contextTokens) return;
  throw new OpenAIError(
    'context_length_exceeded',
    `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in at least ${least} tokens. Please reduce the length of the messages.`,
    { param: 'messages', fallback: true },
  );
}

/** A number that the prompt has at least, in tokens; 0 for one that is shorter than `context` whatever it says: most are, and are not read. */
export function leastTokens({ messages }: Pick<ChatRequest, 'messages'>, context: number): number {
  let length = 0;
  for (const text of textsOf(messages)) length += text.length;
  if (length / CHARS_PER_TOKEN.other <= context) return 0;
  let ascii = 0;
  let other = 0;
  for (const text of textsOf(messages)) {
    let before = -1;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code === before) continue;
      before = code;
      if (code > 127) other++;
      else ascii++;
    }
  }
  return Math.floor(ascii / CHARS_PER_TOKEN.ascii + other / CHARS_PER_TOKEN.other);
}

function* textsOf(messages: ChatRequest['messages']): Generator<string> {
  for (const { content } of messages) {
    if (typeof content === 'string') yield content;
    else if (Array.isArray(content)) for (const part of content as readonly ContentPart[]) if (part.type === 'text') yield part.text;
  }
}
