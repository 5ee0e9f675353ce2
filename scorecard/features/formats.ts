import type { Choice } from '../contract/reply.ts';
import { isDict, parsed } from '../contract/shape.ts';
import type { Feature, Json } from '../feature.ts';
import { both, must, probe, prompt, user } from './prompts.ts';

const row = (id: string, title: string, probes: Feature['probes']): Feature => ({
  id,
  group: 'Formats',
  title,
  kind: 'chat',
  fields: ['response_format'],
  shows: true,
  probes,
});

const BOOK = {
  type: 'object',
  properties: { title: { type: 'string' }, pages: { type: 'integer' }, state: { type: 'string', enum: ['new', 'old'] } },
  required: ['title', 'pages', 'state'],
  additionalProperties: false,
};
const schema = (of: Json, strict = true): Json => ({ type: 'json_schema', json_schema: { name: 'book', strict, schema: of } });
const OBJECT = { type: 'json_object' };
const ASK = 'A book about lighthouses, as JSON.';

const anObject = ({ content }: Choice): readonly string[] => must(isDict(parsed(content ?? '')), `no JSON object: ${content}`);

function aBook({ content }: Choice): readonly string[] {
  const value = parsed(content ?? '');
  const good =
    isDict(value) &&
    Object.keys(value).toSorted().join() === 'pages,state,title' &&
    typeof value['title'] === 'string' &&
    Number.isInteger(value['pages']) &&
    (value['state'] === 'new' || value['state'] === 'old');
  return must(good, `not of the schema: ${content}`);
}

const TAGS = {
  type: 'object',
  properties: { tags: { type: 'array', items: { type: 'string' }, uniqueItems: true } },
  required: ['tags'],
  additionalProperties: false,
};

export const FORMATS: readonly Feature[] = [
  row('json-object', 'json_object', () => both({ messages: [user(ASK)], response_format: OBJECT }, anObject)),
  row('json-fence', 'json_object when the model puts prose and a fence around it', (sim) =>
    sim ? both({ messages: [prompt(sim, ASK, '[[sim:fence]]')], response_format: OBJECT }, anObject) : [],
  ),
  row('json-schema', 'json_schema, strict', () => [probe({ messages: [user(ASK)], response_format: schema(BOOK) }, aBook)]),
  row('json-schema-stream', 'json_schema, strict and streamed', () => [
    probe({ messages: [user(ASK)], response_format: schema(BOOK), stream: true }, aBook),
  ]),
  row('json-schema-unique', 'json_schema with uniqueItems', () => [
    probe({ messages: [user('Tags of a lighthouse, as JSON.')], response_format: schema(TAGS) }, ({ content }) => {
      const value = parsed(content ?? '');
      const tags = isDict(value) && Array.isArray(value['tags']) ? value['tags'] : null;
      return must(tags !== null && new Set(tags).size === tags.length, `not of the schema: ${content}`);
    }),
  ]),
  row('json-unmet', 'An answer against the schema is an error, never passed on', (sim) =>
    sim
      ? [
          {
            ...probe({ messages: [user('JSON: [[sim:say text="{\\"title\\":1}"]]')], response_format: schema(BOOK) }),
            refusal: { status: 502, code: 'upstream_unmet' },
          },
        ]
      : [],
  ),
];
