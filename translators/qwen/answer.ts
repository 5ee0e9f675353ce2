import type { FinishReason } from '../../openai/chat/events.ts';
import type { AnswerDialect } from '../compatible/answer-reader.ts';
import { looksLikeError } from '../compatible/failure.ts';
import { qwenFailure } from './errors.ts';

/** DashScope knows `stop`, `length` and `tool_calls`; moderation is an error there, never a finish word. */
const FINISH: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
};

export const qwenAnswer: AnswerDialect = {
  finish: (word) => FINISH[word] ?? 'stop',
  isError: looksLikeError,
  error: (json) => qwenFailure({ status: 200, headers: {}, body: json }),
};
