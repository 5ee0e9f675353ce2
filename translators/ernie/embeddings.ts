import { embeddingsTranslator } from '../compatible/embeddings.ts';
import { boundedId } from '../compatible/end-user.ts';
import { ernieFailure } from './errors.ts';

/** OpenAI's own bound for identifiers; Qianfan documents none. */
const MAX_USER = 64;

/** Qianfan v2: 16 texts a call, tao-8k and gme one; vectors of the model's own size, floats only; texts bounded in characters too. */
export const ernieEmbeddings = embeddingsTranslator({
  carryUser: (user, body, receipt) => {
    if (user === '') return receipt.note('user', 'dropped', 'an empty id tells nobody apart');
    const sent = boundedId(user, 1, MAX_USER);
    if (sent !== user) receipt.note('user', 'clamped', `a digest stands for ids longer than ${MAX_USER} characters`);
    body['user'] = sent;
  },
  failure: ernieFailure,
});
