import type { Usage } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { WireUsage } from './wire.ts';

/** Text, or the texts of parts; null and absence are no text. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (content === null || content === undefined) return '';
  if (!Array.isArray(content)) throw garbage('a content that is no text');
  return content.map((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}

/** Null when it holds no count: zeros on running frames are placeholders. */
export function readUsage(usage: WireUsage): Usage | null {
  const prompt = count(usage.prompt_tokens);
  const completion = count(usage.completion_tokens);
  if (prompt === 0 && completion === 0) return null;
  return {
    prompt,
    completion,
    cached: Math.min(prompt, count(usage.prompt_tokens_details?.cached_tokens)),
    reasoning: Math.min(completion, count(usage.completion_tokens_details?.reasoning_tokens)),
  };
}

/** Foreign numbers are finite, whole and not negative before anything counts with them. */
const count = (value: number | null | undefined): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const garbage = (what: string): OpenAIError =>
  new OpenAIError('upstream_invalid_response', `The backend sent ${what}.`, { fallback: true });
