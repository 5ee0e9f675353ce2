import { AnswerReader } from '../compatible/answer-reader.ts';
import type { ChatTranslator } from '../translator.ts';
import { glmAnswer, glmFilter } from './answer.ts';
import { glmFailure } from './errors.ts';
import { glmRequest } from './request.ts';

/** Zhipu GLM through its v4 API (`/api/paas/v4` at bigmodel.cn and z.ai). */
export const glmV4: ChatTranslator = {
  dialect: 'glm-v4',
  vendor: 'glm',
  request: glmRequest,
  whole: (body, events) => new AnswerReader(events, glmAnswer).whole(body),
  filter: glmFilter,
  frames: (events) => new AnswerReader(events, glmAnswer),
  failure: glmFailure,
};
