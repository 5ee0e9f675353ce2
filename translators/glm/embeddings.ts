import { embeddingsTranslator } from '../compatible/embeddings.ts';
import { boundedId } from '../compatible/end-user.ts';
import { glmFailure } from './errors.ts';

/** Zhipu v4: 64 texts a call, embedding-2 about 8K tokens in all; `encoding_format` is not documented, floats come. */
export const glmEmbeddings = embeddingsTranslator({
  carryUser: (user, body, receipt) => {
    if (user === '') return receipt.note('user', 'dropped', 'an empty id tells nobody apart');
    body['user_id'] = boundedId(user, 6, 128);
    receipt.note('user', 'renamed', 'the backend calls it user_id and takes 6 to 128 characters: a digest stands for others', {
      to: 'user_id',
    });
  },
  failure: glmFailure,
});
