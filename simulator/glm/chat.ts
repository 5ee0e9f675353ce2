/** Composes a chat answer and writes the whole (non-streamed) body (GLM 2.7). */
import { MESSAGE_OVERHEAD_TOKENS } from '../kernel/tokens.ts';
import type { ComposeTask, Composition, Incoming, Kernel, WholeReply } from '../kernel/types.ts';
import { Refusal } from './errors.ts';
import type { Wishes } from './faults.ts';
import { answerId, wholeToolId } from './ids.ts';
import type { ChatRequest } from './validate.ts';

export const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8' };

export interface Usage {
  readonly prompt: number;
  readonly completion: number;
  readonly reasoning: number;
  readonly cached: number;
}

/** Everything both kinds of answer are written from. */
export interface Answer {
  readonly id: string;
  readonly requestId: string;
  readonly created: number;
  /** As the answer names it; not always the one asked for. */
  readonly model: string;
  readonly composition: Composition;
  /** Visible text; for `inline` thinkers it begins with a `<think>` block. */
  readonly content: string;
  /** Empty when the model prints no `reasoning_content`. */
  readonly reasoning: string;
  readonly toolArguments: readonly string[];
  /** Null: the answer ends without one, on request only. */
  readonly finish: string | null;
  readonly usage: Usage;
  readonly webSearch: readonly Readonly<Record<string, string>>[] | null;
}

/** @throws Refusal 1261 when the prompt does not fit */
export function answer(incoming: Incoming, kernel: Kernel, request: ChatRequest, wishes: Wishes, keyName: string): Answer {
  const { model, conversation } = request;
  // A picture costs a fixed number of tokens here; the vendor's true measure is not documented.
  const overhead = conversation.messages * MESSAGE_OVERHEAD_TOKENS + conversation.images * TOKENS_PER_IMAGE;
  const promptTokens = kernel.countTokens(request.promptText) + overhead;
  if (promptTokens >= model.context) throw new Refusal('1261');
  const room = model.context - promptTokens;
  const composition = kernel.compose(taskOf(request, Math.min(request.maxTokens, room)));
  const roomEnded = composition.finish === 'length' && room < request.maxTokens;
  const inline = model.thinking === 'inline' && composition.reasoning !== '';
  const id = answerId(incoming, kernel);
  const cached = kernel.seenBefore(keyName, model.name, request.promptText) ? Math.floor(promptTokens / 64) * 64 : 0;
  const finish = finishOf(wishes, composition, roomEnded && !model.old);
  // A `length` finish on demand shows the known trap: reasoning ate the budget and the text is empty.
  const starved = wishes.finish === 'length' && composition.finish !== 'length' && composition.reasoning !== '' && !inline;
  const text = starved ? '' : composition.content;
  return {
    id,
    requestId: request.requestId ?? id,
    created: Math.floor(incoming.nowMs / 1000),
    model: wishes.servedModel ?? model.name,
    composition: starved ? { ...composition, content: '', toolCalls: [] } : composition,
    content: inline ? `<think>\n${composition.reasoning}\n</think>\n\n${text}` : text,
    reasoning: inline ? '' : composition.reasoning,
    toolArguments: starved ? [] : argumentsOf(composition, wishes),
    finish,
    usage: {
      prompt: promptTokens,
      completion: composition.reasoningTokens + (starved ? 0 : composition.contentTokens),
      reasoning: composition.reasoningTokens,
      cached,
    },
    webSearch: request.webSearch === null ? null : searchResults(request),
  };
}

const TOKENS_PER_IMAGE = 800;

function taskOf(request: ChatRequest, maxTotalTokens: number): ComposeTask {
  const { conversation } = request;
  return {
    system: conversation.system,
    lastUser: conversation.lastUser,
    toolResults: conversation.toolResults,
    continueText: null,
    images: conversation.images,
    tools: request.tools,
    toolChoice: request.choice,
    parallel: true,
    json: request.json,
    thinking: request.thinking,
    thinkingBudget: null,
    effort: request.effort,
    maxAnswerTokens: null,
    maxTotalTokens,
    stop: request.stop,
    choice: 0,
    seed: request.seed,
  };
}

function finishOf(wishes: Wishes, composition: Composition, windowEnded: boolean): string | null {
  if (wishes.toolArgs === 'no-call') return 'tool_calls';
  if (wishes.finish !== null) return wishes.finish === 'null' ? null : wishes.finish;
  return windowEnded ? 'model_context_window_exceeded' : composition.finish;
}

function argumentsOf(composition: Composition, wishes: Wishes): readonly string[] {
  if (wishes.toolArgs === 'no-call') return [];
  return composition.toolCalls.map((call) => (wishes.toolArgs === 'cut' ? call.arguments.slice(0, -2) : call.arguments));
}

/** The OpenAPI document types `arguments` as an object; recordings have strings. Text cut by `max_tokens` stays text. */
export function argumentsValue(text: string, wishes: Wishes): unknown {
  if (wishes.toolArgs !== 'object') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function searchResults(request: ChatRequest): readonly Readonly<Record<string, string>>[] {
  const query = request.webSearch?.query ?? request.conversation.lastUser.slice(0, 60);
  // Three are enough to test with, and keep the answers short.
  return Array.from({ length: Math.min(3, request.webSearch?.count ?? 3) }, (_, index) => ({
    refer: `ref_${index + 1}`,
    title: `Result ${index + 1} for ${query}`,
    link: `https://example.org/search/${index + 1}`,
    media: 'Example',
    icon: 'https://example.org/icon.png',
    publish_date: '2026-01-01',
    content: `Simulated excerpt ${index + 1} about ${query}.`,
  }));
}

/** The audit's verdict on an answer it stopped. */
export const OUTPUT_FILTER = [{ role: 'assistant', level: 1 }];

export function wholeAnswer(incoming: Incoming, kernel: Kernel, found: Answer, request: ChatRequest, wishes: Wishes): WholeReply {
  const calls = found.toolArguments.map((text, index) => ({
    id: wholeToolId(incoming, kernel, index),
    index,
    type: 'function',
    function: { name: found.composition.toolCalls[index]!.name, arguments: argumentsValue(text, wishes) },
  }));
  const sensitive = found.finish === 'sensitive';
  // Late 2025, glm-4.5 text began with a newline.
  const content = wishes.profile === '2025' && found.content !== '' ? `\n${found.content}` : found.content;
  const body = {
    id: found.id,
    request_id: found.requestId,
    created: found.created,
    model: found.model,
    ...(wishes.profile === '2026' ? { object: 'chat.completion' } : {}),
    choices: [
      {
        index: 0,
        ...(found.finish === null ? {} : { finish_reason: found.finish }),
        message: {
          role: 'assistant',
          content: sensitive ? '' : content,
          ...(found.reasoning === '' || sensitive ? {} : { reasoning_content: found.reasoning }),
          ...(calls.length === 0 || sensitive ? {} : { tool_calls: calls }),
        },
      },
    ],
    usage: usageBody(found.usage, request, wishes),
    ...(sensitive ? { content_filter: OUTPUT_FILTER } : {}),
    ...(found.webSearch === null ? {} : { web_search: found.webSearch }),
  };
  return { kind: 'whole', status: 200, headers: JSON_HEADERS, body: JSON.stringify(sorted(body)) };
}

/** Keys in the order streams print them; old models have no `completion_tokens_details`. */
export function usageBody(usage: Usage, request: ChatRequest, wishes: Wishes): Record<string, unknown> {
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: { cached_tokens: usage.cached },
    ...(request.model.old || wishes.profile === 'old' ? {} : { completion_tokens_details: { reasoning_tokens: usage.reasoning } }),
  };
}

/** Whole answers print their keys in alphabetical order, at every level (GLM 2.7). */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
}
