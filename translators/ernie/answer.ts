import type { FinishReason } from '../../openai/chat/events.ts';
import type { AnswerDialect } from '../compatible/answer-reader.ts';
import { looksLikeError } from '../compatible/failure.ts';
import type { WireChoice } from '../compatible/wire.ts';
import { ernieFailure } from './errors.ts';
import { citations } from './search.ts';

/** Qianfan merged `normal` into `stop` in March 2025; older services still say it. `function_call` is the first interface's word. */
const FINISH: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['normal', 'stop'],
  ['length', 'length'],
  ['content_filter', 'content_filter'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
]);

export const ernieAnswer: AnswerDialect = {
  finish: (word) => FINISH.get(word) ?? 'stop',
  isError: looksLikeError,
  citations,
  error: (json) => ernieFailure({ status: 200, headers: {}, body: json }),
  verdict,
};

/**
 * Moderation marks on an answer with HTTP 200. `flag`, a number or a string: 0 safe, 1 low risk, 2 the conversation must not go on
 * but the text may be shown, 3 it must not be shown, 4 what was shown must be withdrawn. `need_clear_history` is the older form of 2.
 * A mark ends the choice at once: in a stream, no text after it may come out.
 *
 * Services of the older scheme may also end a choice by `is_end` alone, without any finish word.
 */
function verdict(choice: WireChoice): { readonly showText: boolean; readonly finish: FinishReason } | null {
  const flag = Number(choice['flag'] ?? 0);
  if (flag === 3 || flag === 4) return { showText: false, finish: 'content_filter' };
  if (flag === 2 || choice['need_clear_history'] === true) return { showText: true, finish: 'content_filter' };
  if (choice['is_end'] === true && !choice.finish_reason) return { showText: true, finish: 'stop' };
  return null;
}
