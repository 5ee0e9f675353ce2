import { AnswerReader } from '../compatible/answer-reader.ts';
import type { ChatTranslator } from '../translator.ts';
import { qwenFailure } from './errors.ts';
import { nativeBody, nativeFrames } from './native-answer.ts';
import { nativeRequest } from './native-request.ts';

/** Alibaba Qwen through DashScope's own protocol (`/api/v1/services/aigc/…`). Families, limits and error codes are those of compatible mode. */
export const qwenNative: ChatTranslator = {
  dialect: 'qwen-native',
  vendor: 'qwen',
  request: nativeRequest,
  whole: (body, events) => new AnswerReader(events, nativeBody).whole(body),
  frames: nativeFrames,
  failure: qwenFailure,
};
