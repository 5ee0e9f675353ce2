import type { ChatEvents, Citation } from '../../openai/chat/events.ts';
import { type AnswerDialect, AnswerReader } from '../compatible/answer-reader.ts';
import { isObject } from '../compatible/read-wire.ts';
import type { WireAnswer, WireChoice, WireUsage } from '../compatible/wire.ts';
import type { FrameReader } from '../translator.ts';
import { qwenAnswer } from './answer.ts';
import { qwenFailure } from './errors.ts';
import { citationMark } from './search.ts';

/** A whole answer of DashScope's own protocol: choices under `output`, token counts of other names, an error by its `code`. */
export const nativeBody: AnswerDialect = {
  finish: qwenAnswer.finish,
  error: qwenAnswer.error,
  isError: ({ code, error, output, success }) =>
    (typeof code === 'string' && code !== '') || isObject(error) || (success === false && !isObject(output)),
  citations: ({ output }) => (isObject(output) && isObject(output['search_info']) ? pages(output['search_info']['search_results']) : null),
  reshape: (answer) => reshaped(answer, false),
};

/**
 * A stream. The `message` of its events holds the next piece, like OpenAI's `delta`. An error is an event inside HTTP 200 whose status
 * stands in a comment before its data (`:HTTP_STATUS/429`).
 */
export function nativeFrames(events: ChatEvents): FrameReader {
  let status = 200;
  const reader = new AnswerReader(events, {
    ...nativeBody,
    isError: (answer) => status >= 400 || nativeBody.isError(answer),
    error: (json) => qwenFailure({ status, headers: {}, body: json }),
    reshape: (answer) => reshaped(answer, true),
  });
  return {
    frame: (data) => reader.frame(data),
    comment: (text) => {
      const told = /^\s*HTTP_STATUS\/(\d{3})\s*$/.exec(text);
      if (told !== null) status = Number(told[1]);
    },
    end: () => reader.end(),
    get finished() {
      return reader.finished;
    },
  };
}

/** Sources of an answer from the web; the text cites them by their number, in the form the request asked for. */
function pages(results: unknown): Citation[] {
  if (!Array.isArray(results)) return [];
  return results.filter(isObject).flatMap(({ index, title, url }) => {
    if (typeof url !== 'string' || !/^https?:/i.test(url)) return [];
    return [{ url, title: typeof title === 'string' ? title : '', mark: Number.isInteger(index) ? citationMark(String(index)) : null }];
  });
}

interface NativeUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number | null } | null;
  readonly output_tokens_details?: { readonly reasoning_tokens?: number | null } | null;
}

function reshaped({ output, usage }: WireAnswer, streamed: boolean): WireAnswer {
  return { choices: choicesOf(output, streamed), usage: isObject(usage) ? usageOf(usage as NativeUsage) : null };
}

function choicesOf(output: unknown, streamed: boolean): readonly WireChoice[] {
  if (!isObject(output)) return [];
  const { choices, text, finish_reason } = output;
  if (Array.isArray(choices)) {
    return streamed
      ? choices.map((choice: WireChoice) => (isObject(choice) ? { ...choice, delta: choice.message ?? null } : choice))
      : choices;
  }
  // Old models answer in `result_format: text`, whatever was asked.
  return typeof text === 'string' ? [{ message: { content: text }, finish_reason: finish_reason as string | null }] : [];
}

/** `output_tokens` holds the reasoning, `input_tokens` what was read from the cache. */
const usageOf = (usage: NativeUsage): WireUsage => ({
  prompt_tokens: usage.input_tokens ?? null,
  completion_tokens: usage.output_tokens ?? null,
  prompt_tokens_details: usage.prompt_tokens_details ?? null,
  completion_tokens_details: usage.output_tokens_details ?? null,
});
