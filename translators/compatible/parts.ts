import type { ChatMessage, ContentPart } from '../../openai/chat/request.ts';
import type { Draft } from './draft.ts';
import type { MessageRules } from './messages.ts';

/** Text and refusals of a content, joined by line breaks. */
export function textOf(content: ChatMessage['content']): string {
  if (content === undefined || content === null) return '';
  if (typeof content === 'string') return content;
  return content.map((part) => (part.type === 'text' ? part.text : part.type === 'refusal' ? part.refusal : '')).join('\n');
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
    if (content.length > 1)
      draft.receipt.note(path, 'emulated', 'the backend takes a string here: the text parts are joined by line breaks');
    return textOf(content);
  }
  return content.flatMap((part, index): Record<string, unknown>[] => {
    if (part.type === 'text') {
      if (rules.plainParts !== true) return [{ ...part }];
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
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
