import { AnswerReader } from '../compatible/answer-reader.ts';
import type { ChatTranslator } from '../translator.ts';
import { qwenAnswer } from './answer.ts';
import { qwenFailure } from './errors.ts';
import { qwenRequest } from './request.ts';

/** Alibaba Qwen through DashScope's OpenAI-compatible mode (`/compatible-mode/v1`). */
export const qwenCompatible: ChatTranslator = {
  dialect: 'qwen-compatible',
  vendor: 'qwen',
  request: qwenRequest,
  whole: (body, events) => new AnswerReader(events, qwenAnswer).whole(body),
  frames: (events) => new AnswerReader(events, qwenAnswer),
  failure: qwenFailure,
};
