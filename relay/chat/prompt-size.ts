import type { ChatRequest, ContentPart } from '../../openai/chat/request.ts';

/**
 * What is known of a prompt's length without a tokenizer, which can stop the event loop for seconds: its characters (UTF-16 code units) by
 * class, and what has no characters.
 */
export interface PromptSize {
  /** ASCII, digits apart. */
  letters: number;
  /** ASCII digits: some vendors count every one as a token. */
  digits: number;
  /** Everything beyond ASCII: mostly Chinese characters. */
  others: number;
  messages: number;
  images: number;
}

/** Characters in a token, by class. */
export interface CharsPerToken {
  readonly letter: number;
  readonly digit: number;
  readonly other: number;
}

/** What an image is taken to cost, whatever its size: about what the vendors count for a picture of a thousand pixels a side. */
export const IMAGE_TOKENS = 1_000;
/** Role and separators of a message. */
const MESSAGE_TOKENS = 4;

/** Text, tools and tool calls count as the JSON they are; a picture's data is no text. */
export function promptSize({ messages, tools, functions }: Pick<ChatRequest, 'messages' | 'tools' | 'functions'>): PromptSize {
  const size: PromptSize = { letters: 0, digits: 0, others: 0, messages: messages.length, images: 0 };
  if (tools !== undefined || functions !== undefined) addText(size, JSON.stringify(tools ?? functions));
  for (const { content, tool_calls, reasoning_content } of messages) {
    if (typeof content === 'string') addText(size, content);
    else if (Array.isArray(content)) for (const part of content as readonly ContentPart[]) addPart(size, part);
    if (tool_calls !== undefined && tool_calls !== null) addText(size, JSON.stringify(tool_calls));
    if (typeof reasoning_content === 'string') addText(size, reasoning_content);
  }
  return size;
}

/** Tokens of all but the pictures, a fraction and all. */
export function sizeTokens({ letters, digits, others, messages }: PromptSize, { letter, digit, other }: CharsPerToken): number {
  return messages * MESSAGE_TOKENS + letters / letter + digits / digit + others / other;
}

function addPart(size: PromptSize, part: ContentPart): void {
  if (part.type === 'text') addText(size, part.text);
  else if (part.type === 'refusal') addText(size, part.refusal);
  else size.images++;
}

function addText(size: PromptSize, text: string): void {
  // Byte for byte where it is one byte a character: to ask a string for each of its characters takes V8 several times as long.
  if (Buffer.byteLength(text) === text.length) {
    const digits = digitsOf(text);
    size.digits += digits;
    size.letters += text.length - digits;
    return;
  }
  let others = 0;
  let digits = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) others++;
    else if (code >= 48 && code <= 57) digits++;
  }
  size.others += others;
  size.digits += digits;
  size.letters += text.length - others - digits;
}

const PIECE = Buffer.allocUnsafeSlow(16 * 1024);

/** @param text ASCII */
function digitsOf(text: string): number {
  let digits = 0;
  for (let from = 0; from < text.length; from += PIECE.length) {
    const length = PIECE.write(from === 0 && text.length <= PIECE.length ? text : text.slice(from, from + PIECE.length), 'latin1');
    for (let index = 0; index < length; index++) {
      const byte = PIECE[index] as number;
      if (byte >= 48 && byte <= 57) digits++;
    }
  }
  return digits;
}
