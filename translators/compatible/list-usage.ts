import type { Usage } from '../../openai/chat/events.ts';
import { isObject } from './read-wire.ts';

/** Tokens of one call on a list: all of them are prompt. Some vendors tell the total only; null where none was told. */
export function listUsage({ usage }: Readonly<Record<string, unknown>>): Usage | null {
  if (!isObject(usage)) return null;
  const prompt = count(usage['prompt_tokens']) ?? count(usage['total_tokens']);
  return prompt === null ? null : { prompt, completion: 0, cached: 0, reasoning: 0 };
}

const count = (value: unknown): number | null => (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null);
