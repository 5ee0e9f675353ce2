import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  requestFields,
  validateChunk,
  validateCompletion,
  validateEmbeddings,
  validateEmbeddingsRequest,
  validateError,
  validateLegacyChunk,
  validateLegacyCompletion,
  validateLegacyRequest,
  validateModel,
  validateModelList,
  validateRequest,
  validateResponse,
  validateResponseEvent,
  validateResponseRequest,
} from './openai-schema.ts';
import { chunk, damage, errorBody, textAnswer, textChunks, usageChunk } from './samples.ts';

const model = { id: 'gpt-4o', object: 'model', created: 1715367049, owned_by: 'system' };
const embeddings = (embedding: unknown) => ({
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 8, total_tokens: 8 },
});
const legacy = (finish: string | null) => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1795546310,
  model: 'gpt-3.5-turbo-instruct',
  choices: [{ text: ' Loire.', index: 0, logprobs: null, finish_reason: finish }],
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
});
const response = (status: string, output: object[], usage: object | null) => ({
  ...{ id: 'resp_1', object: 'response', created_at: 1795546310, status, background: false, error: null, incomplete_details: null },
  ...{
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: 'gpt-5.5',
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
  },
  ...{
    reasoning: { effort: 'medium', summary: null },
    store: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
  },
  ...{ tools: [], top_p: 1, truncation: 'disabled', user: null, usage },
});
const started = response('in_progress', [], null);
const finished = response(
  'completed',
  [
    { id: 'rs_1', type: 'reasoning', summary: [] },
    { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'call_1', name: 'f', arguments: '{}' },
    {
      id: 'msg_1',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'x', annotations: [], logprobs: [] }],
    },
  ],
  {
    input_tokens: 22,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 6,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 28,
  },
);

describe('schema validators', () => {
  test.each<[string, (value: unknown) => string[], unknown]>([
    [
      'request',
      validateRequest,
      { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }], stop: null, n: null, stream_options: { include_usage: true } },
    ],
    [
      'request with tools',
      validateRequest,
      { model: 'm', messages: [{ role: 'developer', content: 'x' }], tools: [{ type: 'function', function: { name: 'f' } }] },
    ],
    ['completion', validateCompletion, textAnswer()],
    ['chunk', validateChunk, textChunks()[0]],
    ['usage chunk', validateChunk, usageChunk()],
    ['model list', validateModelList, { object: 'list', data: [model] }],
    ['model', validateModel, model],
    ['error', validateError, errorBody()],
    ['embeddings, floats', validateEmbeddings, embeddings([0.5, -1, 0.25])],
    ['embeddings, base64', validateEmbeddings, embeddings('AAAAPwAAgL8AAIA+')],
    ['embeddings request', validateEmbeddingsRequest, { model: 'm', input: ['a', 'b'], encoding_format: 'base64' }],
    ['legacy request', validateLegacyRequest, { model: 'm', prompt: [[1, 2]], stop: ['a'] }],
    ['legacy completion', validateLegacyCompletion, legacy('stop')],
    ['legacy chunk', validateLegacyChunk, { ...legacy(null), usage: null }],
    ['response', validateResponse, finished],
    ['response event', validateResponseEvent, { type: 'response.created', response: started, sequence_number: 0 }],
    [
      'response request, a message that fits two branches',
      validateResponseRequest,
      { model: 'm', input: [{ type: 'message', role: 'user', content: 'x' }] },
    ],
  ])('a good %s passes', (_name, validate, value) => {
    expect(validate(value)).toEqual([]);
  });

  test.each<[string, (value: unknown) => string[], unknown, string]>([
    ['request without messages', validateRequest, { model: 'm' }, "/ must have required property 'messages'"],
    ['request with n 129', validateRequest, { model: 'm', messages: [{ role: 'user', content: 'x' }], n: 129 }, '/n must be <= 128'],
    ['completion without choices', validateCompletion, damage(textAnswer(), 'choices'), "/ must have required property 'choices'"],
    [
      'completion in milliseconds',
      validateCompletion,
      damage(textAnswer(), 'created', 1795546310000),
      '/created must match format "unixtime"',
    ],
    [
      'completion without refusal',
      validateCompletion,
      damage(textAnswer(), 'choices.0.message.refusal'),
      "/choices/0/message must have required property 'refusal'",
    ],
    [
      'chunk that calls itself an answer',
      validateChunk,
      damage(chunk({}), 'object', 'chat.completion'),
      '/object must be equal to one of the allowed values (["chat.completion.chunk"])',
    ],
    ['model without owner', validateModel, { ...model, owned_by: undefined }, "/ must have required property 'owned_by'"],
    ['model that is a string', validateModel, 'gpt-4o', '/ must be object'],
    ['model list as a plain array', validateModelList, [model], '/ must be object'],
    ['error without param', validateError, damage(errorBody(), 'error.param'), "/error must have required property 'param'"],
    [
      'error with a fifth key',
      validateError,
      damage(errorBody(), 'error.details', {}),
      '/error must NOT have additional properties ("details")',
    ],
    ['error with a second top key', validateError, { ...errorBody(), detail: 'x' }, '/ must NOT have additional properties ("detail")'],
    ['error that is a string', validateError, { error: 'no' }, '/error must be object'],
    ['error with a numeric code', validateError, damage(errorBody(), 'error.code', 1302), '/error/code must be string'],
    ['embeddings of null', validateEmbeddings, embeddings(null), '/data/0/embedding must be array'],
    ['legacy answer without a reason', validateLegacyCompletion, legacy(null), '/choices/0/finish_reason must be string'],
    ['response without output', validateResponse, damage(structuredClone(finished), 'output'), "/ must have required property 'output'"],
    [
      'response event of no known type',
      validateResponseEvent,
      { type: 'response.ping' },
      '/type "response.ping" is not an event of the Responses API',
    ],
    [
      'response event without number',
      validateResponseEvent,
      { type: 'response.created', response: started },
      "/ must have required property 'sequence_number'",
    ],
  ])('%s is refused', (_name, validate, value, problem) => {
    expect(validate(value)).toContain(problem);
  });

  test('request fields come from all parts of the schema', () => {
    const fields = requestFields();
    expect(fields).toEqual([...new Set(fields)].sort());
    // One of each part: the chat part, the part shared with Responses, and the part below that one.
    expect(fields).toEqual(expect.arrayContaining(['messages', 'top_logprobs', 'temperature', 'functions', 'prompt_cache_key']));
    expect(fields).toHaveLength(37);
  });

  test.each(['openai.schema.json', 'openai-responses.schema.json'])('%s refers only to itself and keeps no OpenAPI words', (file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    const { $defs } = JSON.parse(text) as { $defs: object };
    const wanted = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref!.replace('#/$defs/', '')));
    expect([...wanted].filter((name) => !(name in $defs))).toEqual([]);
    expect(text).not.toMatch(/"(nullable|discriminator|x-[a-zA-Z-]+)":/);
  });
});
