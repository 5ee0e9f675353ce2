import type { ChatMessage, ContentPart } from '../../openai/chat/request.ts';
import type { Draft } from './draft.ts';
import type { MessageRules } from './messages.ts';

/** Text and refusals of a content, joined by line breaks. */
export function textOf(content: ChatMessage['content']): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : part.type === 'refusal' ? part.refusal : '')).join('\n');
}

/** A content as one text; arrays of text parts are joined by a line break. */
export function flatText(draft: Draft, message: ChatMessage, path: string): string {
  if (Array.isArray(message.content)) {
    if (message.content.length > 1) noteJoined(draft, path);
    notePartKeys(draft, message.content, path, []);
  }
  return textOf(message.content);
}

/** The text, or what stands for an empty one. */
export function notEmpty(draft: Draft, text: string, path: string, emptyText: string): string {
  if (text !== '') return text;
  draft.receipt.note(`${path}.content`, 'defaulted', 'the backend takes no empty text here', {
    to: JSON.stringify(emptyText),
    alters: true,
  });
  return emptyText;
}

const noteJoined = (draft: Draft, path: string): void =>
  draft.receipt.note(path, 'emulated', 'the backend takes a string here: the text parts are joined by line breaks');

/** Keys of text parts that go nowhere, such as marks for a prompt cache. */
function notePartKeys(draft: Draft, parts: readonly ContentPart[], path: string, carried: readonly string[]): void {
  for (const [index, part] of parts.entries()) {
    for (const key of Object.keys(part)) {
      if (key === 'type' || key === part.type || carried.includes(key)) continue;
      draft.receipt.note(`${path}[${index}].${key}`, 'dropped', 'the backend does not know this key of a part');
    }
  }
}

/** A user's content: a string where there is only text, the vendor's parts otherwise. */
export function carryParts(
  draft: Draft,
  content: string | readonly ContentPart[],
  path: string,
  rules: MessageRules,
): string | Record<string, unknown>[] {
  if (typeof content === 'string') return content;
  if (content.every((part) => part.type === 'text') && rules.keepArray?.(content) !== true) {
    if (content.length > 1) noteJoined(draft, path);
    notePartKeys(draft, content, path, []);
    return textOf(content);
  }
  const keys = rules.partKeys ?? [];
  if (rules.plainParts === true) notePartKeys(draft, content, path, keys);
  return content.flatMap((part, index): Record<string, unknown>[] => {
    if (part.type === 'text') {
      if (rules.plainParts !== true) return [{ ...part }];
      return part.text === '' ? [] : [{ type: 'text', text: part.text, ...picked(part, keys) }];
    }
    const partPath = `${path}[${index}]`;
    const sent = rules.part(draft, part, partPath);
    if (sent !== null) return [sent];
    return draft.receipt.refuse(
      partPath,
      `Invalid '${partPath}': the backend's model '${draft.target.model}' takes no content of type '${part.type}'.`,
      'unsupported_value',
    );
  });
}

/** The keys of a part that are there and say something. */
export function picked(part: ContentPart, keys: readonly string[]): Record<string, unknown> {
  const values = part as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(values, key) && values[key] !== null).map((key) => [key, values[key]]));
}
