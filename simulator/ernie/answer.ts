/**
 * The answer before it is put on the wire: the composed text after search marks and moderation.
 * Moderated output is HTTP 200 with ordinary-looking text; only `flag` and `finish_reason` tell (Qianfan: chat reference).
 */

import type { Composition, Kernel } from '../kernel/types.ts';
import type { Safety, Wishes } from './faults.ts';
import type { WebSearch } from './parameters.ts';

export interface ToolCallOut {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface Answer {
  readonly reasoning: string;
  /** Text that reaches the client before moderation struck; all of it when it did not. */
  readonly content: string;
  /** Text moderation put after or instead of `content` in a stream; null when it did not strike. */
  readonly replacement: string | null;
  readonly toolCalls: readonly ToolCallOut[];
  readonly finish: string;
  readonly safety: Safety | null;
  readonly search: readonly SearchResult[] | null;
  readonly searchTrace: boolean;
  readonly searchStatus: boolean;
}

export interface SearchResult {
  readonly index: number;
  readonly url: string;
  readonly title: string;
}

const CANNED_TEXT = '抱歉，我无法回答这个问题，让我们换个话题聊聊吧。';

export function makeAnswer(
  composed: Composition,
  toolCallIds: readonly string[],
  web: WebSearch | null,
  question: string,
  wishes: Wishes,
  kernel: Kernel,
): Answer {
  const { safety } = wishes;
  const moderated = moderate(decorate(composed, web, wishes), safety, kernel);
  const blocked = safety !== null && safety.flag >= 2;
  return {
    reasoning: composed.reasoning,
    ...moderated,
    toolCalls: blocked ? [] : composed.toolCalls.map((call, index) => ({ ...call, id: toolCallIds[index] ?? '' })),
    finish: wishes.finish ?? (blocked ? 'content_filter' : composed.finish),
    safety,
    search: web ? searchResults(question, web.results) : null,
    searchTrace: web?.trace ?? false,
    searchStatus: web?.status ?? false,
  };
}

/** Adds superscript marks for found pages, and the prose real answers in JSON mode sometimes end with. */
function decorate(composed: Composition, web: WebSearch | null, wishes: Wishes): string {
  let text = composed.content;
  if (text === '' || composed.finish !== 'stop') return text;
  if (web?.citation && !text.startsWith('{')) text += '^[1]^';
  if (wishes.proseAfterJson) text += '\n\n以上是按要求生成的 JSON 结果。';
  return text;
}

function moderate(text: string, safety: Safety | null, kernel: Kernel): { content: string; replacement: string | null } {
  if (!safety || safety.flag === 1) return { content: text, replacement: null };
  // A polite refusal with flag 0 is all a client gets to see: nothing else marks it.
  if (safety.flag === 0) return { content: styled(text, safety), replacement: null };
  const pieces = kernel.pieces(text);
  const shown = pieces.slice(0, Math.ceil(pieces.length / 2)).join('');
  return { content: shown, replacement: styled(text.slice(shown.length), safety) };
}

function styled(text: string, safety: Safety): string {
  switch (safety.style) {
    case 'cut':
      return '';
    case 'canned':
      return CANNED_TEXT;
    case 'stars':
      return text.replace(/\S/gu, '*');
  }
}

/** What a non-streamed answer shows: the canned text alone, or the text cut or starred from the middle. */
export function wholeContent(answer: Answer): string {
  if (answer.replacement === null) return answer.content;
  return answer.safety?.style === 'canned' ? answer.replacement : answer.content + answer.replacement;
}

/** `flag` and its companions for one choice. */
export function safetyFields(safety: Safety | null, needClearHistory: boolean): Record<string, unknown> {
  const history = needClearHistory ? { need_clear_history: true } : {};
  if (!safety) return { flag: 0, ...history };
  return {
    flag: safety.asString ? String(safety.flag) : safety.flag,
    ...(safety.flag > 0 ? { ban_round: safety.banRound } : {}),
    ...history,
  };
}

function searchResults(question: string, count: number): readonly SearchResult[] {
  const topic = question
    .replace(/\[\[.*?\]\]/g, '')
    .trim()
    .slice(0, 24);
  return Array.from({ length: count }, (_, at) => ({
    index: at + 1,
    url: `https://baike.example.com/item/${at + 1}`,
    title: `${topic} (${at + 1})`,
  }));
}
