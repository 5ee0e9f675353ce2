import { AnswerReader } from '../compatible/answer-reader.ts';
import type { ChatTranslator } from '../translator.ts';
import { ernieAnswer } from './answer.ts';
import { ernieFailure } from './errors.ts';
import { ernieRequest } from './request.ts';

/** Baidu Ernie, and the other makers' models beside it, through Qianfan's v2 interface (`/v2`). */
export const ernieV2: ChatTranslator = {
  dialect: 'ernie-v2',
  vendor: 'ernie',
  request: ernieRequest,
  whole: (body, events) => new AnswerReader(events, ernieAnswer).whole(body),
  frames: (events) => new AnswerReader(events, ernieAnswer),
  failure: ernieFailure,
};
