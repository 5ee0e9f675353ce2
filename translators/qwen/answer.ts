import type { FinishReason } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { AnswerDialect } from '../compatible/answer-reader.ts';
import { looksLikeError } from '../compatible/failure.ts';
import { qwenFailure } from './errors.ts';

/** DashScope knows `stop`, `length` and `tool_calls`; moderation is an error there, never a finish word. */
const FINISH: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
]);

export const qwenAnswer: AnswerDialect = {
  finish: (word) => {
    const reason = FINISH.get(word);
    // An unknown word may mean that the answer failed: a caller must not take it for a whole one.
    if (reason === undefined)
      throw new OpenAIError('upstream_invalid_response', 'The backend ended its answer for a reason that is not known.', {
        upstreamCode: word.slice(0, 64),
        fallback: true,
      });
    return reason;
  },
  isError: looksLikeError,
  error: (json) => qwenFailure({ status: 200, headers: {}, body: json }),
};
