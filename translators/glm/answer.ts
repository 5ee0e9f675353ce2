import type { ChatEvents, FinishReason } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { AnswerDialect } from '../compatible/answer-reader.ts';
import { looksLikeError } from '../compatible/failure.ts';
import { InlineThinking, WithoutMarks } from '../compatible/inline-marks.ts';
import type { FamilyRules } from '../family-rules.ts';
import { glmFailure } from './errors.ts';
import { citations } from './search.ts';

/** `sensitive` = the audit stopped the answer; a full context window is `length` to OpenAI. Other words are `stop`. */
const FINISH: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['sensitive', 'content_filter'],
  ['content_filter', 'content_filter'],
  ['model_context_window_exceeded', 'length'],
]);

/** A result stands between these. */
const BOX = ['<|begin_of_box|>', '<|end_of_box|>'];

export const glmAnswer: AnswerDialect = {
  finish(word) {
    if (word === 'network_error') {
      // Inference broke off midway inside HTTP 200: what has come is part of an answer, which is what `upstream_truncated` says.
      throw new OpenAIError('upstream_truncated', 'The backend broke off its answer before it was complete.', {
        fallback: true,
        upstreamCode: 'network_error',
      });
    }
    return FINISH.get(word) ?? 'stop';
  },
  isError: looksLikeError,
  citations,
  error: (json) => glmFailure({ status: 200, headers: {}, body: json }),
  // The vendor asks to withdraw what its audit stopped: the text that comes with the mark is not passed on.
  verdict: (choice) => (choice.finish_reason === 'sensitive' ? { showText: false, finish: 'content_filter' } : null),
};

/** Thinking in the text becomes thinking, and the marks of a box go. */
export function glmFilter(events: ChatEvents, { inlineMarks }: FamilyRules): ChatEvents {
  if (inlineMarks === 'none') return events;
  return new InlineThinking(inlineMarks === 'box' ? new WithoutMarks(events, BOX) : events);
}
