import type { ChatRequest, ContentPart } from '../../openai/chat/request.ts';
import type { ModelFacts } from '../../translators/translator.ts';
import { conversationName } from '../routing/affinity.ts';
import type { Need } from '../routing/decision.ts';
import type { Candidate } from '../routing/route-table.ts';
import type { Wants } from '../routing/selection.ts';
import { leastTokens } from './context-length.ts';
import type { ChatForecast } from './forecast.ts';

/**
 * What a chat request needs, held against what the catalogue knows. JSON modes and `n` are no need: the relay emulates both on any model.
 * What is not known (null) is never held against a candidate.
 */
export class ChatWants implements Wants {
  readonly #request: ChatRequest;
  readonly #key: string;
  readonly #forecast: Pick<ChatForecast, 'expected'>;
  readonly #needs: readonly Need[];
  readonly #length: number;

  /** @param key name of the caller's key */
  constructor(request: ChatRequest, key: string, forecast: Pick<ChatForecast, 'expected'>) {
    this.#request = request;
    this.#key = key;
    this.#forecast = forecast;
    this.#needs = needsOf(request);
    this.#length = lengthOf(request);
  }

  get stream(): boolean {
    return this.#request.stream === true;
  }

  lacking({ facts, thinking }: Pick<Candidate, 'facts' | 'thinking'>): Need | null {
    const lacks = this.#needs.find((need) => LACKS[need]?.(facts, thinking) === true);
    if (lacks !== undefined) return lacks;
    const { contextTokens } = facts;
    return contextTokens !== null && this.#length > contextTokens && leastTokens(this.#request, contextTokens) > contextTokens
      ? 'context'
      : null;
  }

  tight({ facts: { contextTokens }, backend, model }: Candidate): boolean {
    // No vendor's tokens are shorter than a character, on the whole: most prompts need no estimate.
    if (contextTokens === null || this.#length < contextTokens) return false;
    return this.#forecast.expected(0, { vendor: backend.vendor, model }).prompt > contextTokens;
  }

  expected(...served: Parameters<Wants['expected']>): ReturnType<Wants['expected']> {
    return this.#forecast.expected(null, ...served);
  }

  /** The caller's own name for it, else how it begins: system prompt and first words. */
  conversation(): string {
    const { prompt_cache_key: cacheKey, user, messages } = this.#request;
    if (cacheKey !== undefined) return conversationName(this.#key, ['prompt_cache_key', cacheKey]);
    if (user !== undefined) return conversationName(this.#key, ['user', user]);
    const system = messages.filter(({ role }) => role === 'system' || role === 'developer').slice(0, 1);
    const first = messages.find(({ role }) => role === 'user');
    return conversationName(this.#key, ['prefix', ...system.map(textOf), first === undefined ? '' : textOf(first)]);
  }
}

/** Whether a model is known not to have what is needed. */
const LACKS: Readonly<Partial<Record<Need, (facts: ModelFacts, thinking: Candidate['thinking']) => boolean>>> = {
  tools: ({ tools }) => tools === false,
  vision: ({ vision }) => vision === false,
  audio: ({ audioInput }) => audioInput === false,
  logprobs: ({ logprobs }) => logprobs === false,
  thinking: ({ thinking }) => thinking === 'none',
  'no-thinking': ({ thinking }) => thinking === 'always',
};

/** In the order in which they are held against a candidate. */
function needsOf({ messages, tools, functions, logprobs, reasoning_effort }: ChatRequest): Need[] {
  const needs: Need[] = [];
  if ((tools?.length ?? 0) > 0 || (functions?.length ?? 0) > 0) needs.push('tools');
  if (hasPart(messages, 'image_url')) needs.push('vision');
  if (hasPart(messages, 'input_audio')) needs.push('audio');
  if (logprobs === true) needs.push('logprobs');
  if (reasoning_effort !== undefined) needs.push(reasoning_effort === 'none' ? 'no-thinking' : 'thinking');
  return needs;
}

const hasPart = (messages: ChatRequest['messages'], type: ContentPart['type']): boolean =>
  messages.some(({ content }) => Array.isArray(content) && (content as readonly ContentPart[]).some((part) => part.type === type));

function textOf({ content }: ChatRequest['messages'][number]): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return (content as readonly ContentPart[]).map((part) => (part.type === 'text' ? part.text : part.type)).join('\n');
}

function lengthOf({ messages, tools, functions }: ChatRequest): number {
  const texts = messages.reduce((sum, message) => sum + textOf(message).length, 0);
  return tools === undefined && functions === undefined ? texts : texts + JSON.stringify(tools ?? functions).length;
}
