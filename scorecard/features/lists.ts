import type { Answer } from '../answer.ts';
import { dicts, isDict } from '../contract/shape.ts';
import type { Feature, Finding, Json, Probe } from '../feature.ts';
import { must } from './prompts.ts';

type Judge = NonNullable<Probe['judge']>;

const embed = (id: string, title: string, fields: readonly string[], shows: boolean, body: Json, judge: Judge): Feature => ({
  id,
  group: 'Embeddings and rerank',
  title,
  kind: 'embedding',
  fields,
  shows,
  probes: () => [{ ask: { path: '/embeddings', body }, judge }],
});

const rank = (id: string, title: string, fields: readonly string[], body: Json, judge: Judge): Feature => ({
  id,
  group: 'Embeddings and rerank',
  title,
  kind: 'rerank',
  fields,
  shows: true,
  probes: () => [{ ask: { path: '/rerank', body }, judge }],
});

/** One vector for each text, in order. */
function vectors(count: number, form: 'number' | 'base64', size?: number): (answer: Answer) => readonly string[] {
  return ({ json }) => {
    const data = dicts(json?.['data']);
    const usage = isDict(json?.['usage']) ? json['usage'] : {};
    return [
      ...must(json?.['object'] === 'list', 'object is not list'),
      ...must(
        data.length === count && data.every(({ index, object }, place) => index === place && object === 'embedding'),
        `${count} vectors in order are due, ${data.length} came`,
      ),
      ...must(
        data.every(({ embedding }) => isVector(embedding, form, size)),
        `the vectors are not ${form === 'base64' ? 'base64 of float32' : 'numbers'}${size === undefined ? '' : ` of ${size} dimensions`}`,
      ),
      ...must(Number(usage['prompt_tokens']) > 0 && usage['prompt_tokens'] === usage['total_tokens'], 'the usage is wrong'),
    ];
  };
}

function isVector(value: unknown, form: 'number' | 'base64', size: number | undefined): boolean {
  if (form === 'number')
    return Array.isArray(value) && value.length === (size ?? value.length) && value.length > 0 && value.every(Number.isFinite);
  if (typeof value !== 'string') return false;
  const bytes = Buffer.from(value, 'base64');
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length - (bytes.length % 4)));
  return bytes.length > 0 && bytes.length % 4 === 0 && floats.every((float) => Number.isFinite(float) && Math.abs(float) < 100);
}

const TEXTS = Array.from({ length: 70 }, (_, index) => `Paper ${index} is about lighthouses.`);
const DOCUMENTS = ['red cars', { text: 'blue whales swim' }, 'whales', 'nothing of the kind'];
const MANY = Array.from({ length: 520 }, (_, index) => (index === 510 ? 'blue whales swim' : `paper ${index}`));

const results = ({ json }: Answer): readonly Readonly<Record<string, unknown>>[] => dicts(json?.['results']);

function sorted(answer: Answer): readonly string[] {
  const scores = results(answer).map(({ relevance_score: score }) => Number(score));
  return must(
    scores.length > 0 && scores.every((score, place) => place === 0 || score <= (scores[place - 1] as number)),
    'the best does not come first',
  );
}

export const LISTS: readonly Feature[] = [
  embed(
    'embed',
    'Embeddings as numbers',
    ['input', 'encoding_format'],
    true,
    { input: ['a lamp', 'a sea'], encoding_format: 'float' },
    vectors(2, 'number'),
  ),
  embed(
    'embed-base64',
    'Embeddings as base64, which the SDKs ask for',
    ['input', 'encoding_format'],
    true,
    { input: 'a lamp', encoding_format: 'base64' },
    vectors(1, 'base64'),
  ),
  embed(
    'embed-many',
    'A list longer than one call of the vendor takes',
    ['input'],
    true,
    { input: TEXTS, encoding_format: 'float' },
    vectors(TEXTS.length, 'number'),
  ),
  embed(
    'embed-dimensions',
    'dimensions: 512',
    ['dimensions'],
    true,
    { input: 'a lamp', dimensions: 512, encoding_format: 'float' },
    vectors(1, 'number', 512),
  ),
  embed('embed-tokens', 'Arrays of tokens', ['input'], true, { input: [1212, 318, 257] }, vectors(1, 'number')),
  embed('embed-user', 'user', ['user'], false, { input: 'a lamp', user: 'reader-42', encoding_format: 'float' }, vectors(1, 'number')),
  rank(
    'rerank',
    'Rerank: the best first, with its document',
    ['documents', 'return_documents'],
    { query: 'blue whales', documents: DOCUMENTS, return_documents: true },
    (answer): readonly Finding[] => [
      ...sorted(answer),
      ...must(results(answer).length === DOCUMENTS.length, 'not every document is judged'),
      ...must(isDict(results(answer)[0]?.['document']), 'the document is not there'),
    ],
  ),
  rank('rerank-top', 'Rerank: top_n', ['top_n'], { query: 'blue whales', documents: DOCUMENTS, top_n: 1 }, (answer) =>
    must(results(answer).length === 1, `${results(answer).length} results instead of one`),
  ),
  rank(
    'rerank-many',
    'Rerank: a list longer than one call of the vendor takes',
    ['documents'],
    { query: 'blue whales', documents: MANY, top_n: 2 },
    (answer) => [
      ...sorted(answer),
      ...must(results(answer).length === 2 && results(answer)[0]?.['index'] === 510, 'the best document is not found'),
    ],
  ),
];
