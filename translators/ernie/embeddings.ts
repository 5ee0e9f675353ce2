import { embeddingsTranslator } from '../compatible/embeddings.ts';
import { boundedId } from '../compatible/end-user.ts';
import { ernieFailure } from './errors.ts';

const FIXED = { acceptsDimensions: false, maxItems: 16 } as const;
/** OpenAI's own bound for identifiers; Qianfan documents none. */
const MAX_USER = 64;

/** Qianfan v2: 16 texts a call, tao-8k and gme one; vectors of the model's own size, floats only; texts bounded in characters too. */
export const ernieEmbeddings = embeddingsTranslator({
  claims: /^(embedding-v\d|bge-|tao-|gme-|qwen3-embedding-)/i,
  families: [
    { match: /^embedding-v1$/, ...FIXED, dimensions: [384], defaultDimensions: 384, maxItemChars: 1_000 },
    { match: /^bge-large-/, ...FIXED, dimensions: [1024], defaultDimensions: 1024, maxItemChars: 2_000 },
    { match: /^tao-8k$/, ...FIXED, maxItems: 1, dimensions: [1024], defaultDimensions: 1024, maxItemChars: 28_000 },
    { match: /^qwen3-embedding-0\.6b$/i, ...FIXED, dimensions: [1024], defaultDimensions: 1024 },
    { match: /^qwen3-embedding-4b$/i, ...FIXED, dimensions: [2560], defaultDimensions: 2560 },
    { match: /^gme-/i, ...FIXED, maxItems: 1, dimensions: [1536], defaultDimensions: 1536 },
    { match: /^/, ...FIXED },
  ],
  carryUser: (user, body, receipt) => {
    if (user === '') return receipt.note('user', 'dropped', 'an empty id tells nobody apart');
    const sent = boundedId(user, 1, MAX_USER);
    if (sent !== user) receipt.note('user', 'clamped', `a digest stands for ids longer than ${MAX_USER} characters`);
    body['user'] = sent;
  },
  failure: ernieFailure,
});
