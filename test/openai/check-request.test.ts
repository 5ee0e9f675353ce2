import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import { type ErrorName, OpenAIError } from '../../openai/errors.ts';
import { requestFields, validateRequest } from '../contract/openai-schema.ts';

const LIMITS = { maxMessages: 20, maxTools: 4 };
const USER = { role: 'user', content: 'Hi' };
const TOOL = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } };
const CALL = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
const ASKS = { role: 'assistant', content: null, tool_calls: [CALL] };
const SCHEMA = { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } };

const body = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({ model: 'gpt-4o', messages: [USER], ...fields });
const messages = (...list: unknown[]): Record<string, unknown> => body({ messages: list });
const part = (value: unknown): Record<string, unknown> => messages({ role: 'user', content: [value] });
const tools = (...list: unknown[]): Record<string, unknown> => body({ tools: list });
const without = (field: string): Record<string, unknown> => ({ ...body(), [field]: undefined });

function refusal(request: Record<string, unknown>): OpenAIError {
  try {
    checkChatRequest(request, LIMITS);
  } catch (error) {
    if (error instanceof OpenAIError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

type Row = [Record<string, unknown>, ErrorName, string, string];

describe('refused', () => {
  test.each<Row>([
    // The frame
    [{}, 'missing_required_parameter', 'model', "Missing required parameter: 'model'."],
    [body({ model: 5 }), 'invalid_type', 'model', "Invalid type for 'model': expected a string, but got an integer"],
    [body({ model: '' }), 'empty_string', 'model', "Invalid 'model': empty string."],
    [body({ model: 'x'.repeat(300) }), 'string_above_max_length', 'model', "Invalid 'model': string too long."],
    [without('messages'), 'missing_required_parameter', 'messages', "Missing required parameter: 'messages'."],
    [body({ messages: null }), 'missing_required_parameter', 'messages', 'Missing'],
    [body({ messages: 'Hi' }), 'invalid_type', 'messages', "Invalid type for 'messages': expected an array, but got a string instead."],
    [body({ messages: [] }), 'empty_array', 'messages', "Invalid 'messages': empty array."],
    [
      body({ messages: Array(21).fill(USER) }),
      'array_above_max_length',
      'messages',
      "Invalid 'messages': array too long. Expected an array with maximum length 20",
    ],
    // Messages
    [messages('Hi'), 'invalid_type', 'messages[0]', "Invalid type for 'messages[0]': expected an object"],
    [messages(null), 'invalid_type', 'messages[0]', "Invalid type for 'messages[0]': expected an object, but got null instead."],
    [messages({ content: 'Hi' }), 'missing_required_parameter', 'messages[0].role', 'Missing'],
    [
      messages(USER, { role: 'bot', content: 'Hi' }),
      'invalid_value',
      'messages[1].role',
      "Invalid value: 'bot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
    ],
    [messages({ role: 5, content: 'Hi' }), 'invalid_type', 'messages[0].role', 'Invalid type'],
    [messages({ role: 'constructor', content: 'Hi' }), 'invalid_value', 'messages[0].role', "Invalid value: 'constructor'."],
    [messages({ role: 'user' }), 'missing_required_parameter', 'messages[0].content', 'Missing'],
    [
      messages({ role: 'user', content: null }),
      'invalid_type',
      'messages[0].content',
      "Invalid type for 'messages[0].content': expected a string or an array of content parts, but got null",
    ],
    [messages({ role: 'user', content: 5 }), 'invalid_type', 'messages[0].content', 'Invalid type'],
    [messages({ role: 'user', content: {} }), 'invalid_type', 'messages[0].content', 'Invalid type'],
    [messages({ role: 'user', content: [] }), 'empty_array', 'messages[0].content', 'Invalid'],
    [
      messages({ role: 'user', content: Array(4097).fill({ type: 'text', text: '' }) }),
      'array_above_max_length',
      'messages[0].content',
      'Invalid',
    ],
    [messages({ ...USER, name: 5 }), 'invalid_type', 'messages[0].name', 'Invalid type'],
    [
      messages({ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a' } }] }),
      'invalid_value',
      'messages[0].content[0].type',
      "Invalid value: 'image_url'. Supported values are: 'text'.",
    ],
    [messages({ role: 'function', content: 'x' }), 'missing_required_parameter', 'messages[0].name', 'Missing'],
    [messages({ role: 'assistant', content: null }), 'invalid_type', 'messages[0].content', 'Invalid type'],
    [messages({ role: 'assistant', content: 'x', refusal: 5 }), 'invalid_type', 'messages[0].refusal', 'Invalid type'],
    [messages({ role: 'assistant', content: 'x', reasoning_content: {} }), 'invalid_type', 'messages[0].reasoning_content', 'Invalid type'],
    // Parts
    [part('Hi'), 'invalid_type', 'messages[0].content[0]', 'Invalid type'],
    [part({ text: 'Hi' }), 'missing_required_parameter', 'messages[0].content[0].type', 'Missing'],
    [
      part({ type: 'video_url' }),
      'invalid_value',
      'messages[0].content[0].type',
      "Invalid value: 'video_url'. Supported values are: 'text', 'image_url', 'input_audio', and 'file'.",
    ],
    [part({ type: 'text' }), 'missing_required_parameter', 'messages[0].content[0].text', 'Missing'],
    [part({ type: 'text', text: 5 }), 'invalid_type', 'messages[0].content[0].text', 'Invalid type'],
    [part({ type: 'image_url' }), 'missing_required_parameter', 'messages[0].content[0].image_url', 'Missing'],
    [part({ type: 'image_url', image_url: 'https://a' }), 'invalid_type', 'messages[0].content[0].image_url', 'Invalid type'],
    [part({ type: 'image_url', image_url: {} }), 'missing_required_parameter', 'messages[0].content[0].image_url.url', 'Missing'],
    [
      part({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }),
      'invalid_value',
      'messages[0].content[0].image_url.url',
      "Invalid 'messages[0].content[0].image_url.url': expected an http(s) URL",
    ],
    [
      part({ type: 'image_url', image_url: { url: 'https://a', detail: 'huge' } }),
      'invalid_value',
      'messages[0].content[0].image_url.detail',
      "Invalid value: 'huge'.",
    ],
    [
      part({ type: 'input_audio', input_audio: { format: 'wav' } }),
      'missing_required_parameter',
      'messages[0].content[0].input_audio.data',
      'Missing',
    ],
    [
      part({ type: 'input_audio', input_audio: { data: 'AA==', format: 'ogg' } }),
      'invalid_value',
      'messages[0].content[0].input_audio.format',
      "Invalid value: 'ogg'. Supported values are: 'wav' and 'mp3'.",
    ],
    [part({ type: 'file' }), 'missing_required_parameter', 'messages[0].content[0].file', 'Missing'],
    // Calls and their answers
    [messages(USER, { role: 'assistant', tool_calls: [] }), 'empty_array', 'messages[1].tool_calls', 'Invalid'],
    [messages(USER, { role: 'assistant', tool_calls: {} }), 'invalid_type', 'messages[1].tool_calls', 'Invalid type'],
    [
      messages(USER, { role: 'assistant', tool_calls: [{ ...CALL, id: undefined }] }),
      'missing_required_parameter',
      'messages[1].tool_calls[0].id',
      'Missing',
    ],
    [messages(USER, { role: 'assistant', tool_calls: [{ ...CALL, id: '' }] }), 'empty_string', 'messages[1].tool_calls[0].id', 'Invalid'],
    [
      messages(USER, { role: 'assistant', tool_calls: [{ ...CALL, type: 'custom' }] }),
      'unsupported_value',
      'messages[1].tool_calls[0].type',
      'Unsupported value',
    ],
    [
      messages(USER, { role: 'assistant', tool_calls: [{ ...CALL, function: undefined }] }),
      'missing_required_parameter',
      'messages[1].tool_calls[0].function',
      'Missing',
    ],
    [
      messages(USER, { role: 'assistant', tool_calls: [{ ...CALL, function: { name: 'look' } }] }),
      'missing_required_parameter',
      'messages[1].tool_calls[0].function.arguments',
      'Missing',
    ],
    [
      messages(USER, { role: 'assistant', tool_calls: [{ ...CALL, function: { name: 'look', arguments: {} } }] }),
      'invalid_type',
      'messages[1].tool_calls[0].function.arguments',
      'Invalid type',
    ],
    [
      messages(USER, { role: 'assistant', function_call: { name: '', arguments: '' } }),
      'empty_string',
      'messages[1].function_call.name',
      'Invalid',
    ],
    [messages(USER, ASKS, { role: 'tool', content: 'x' }), 'missing_required_parameter', 'messages[2].tool_call_id', 'Missing'],
    [
      messages(USER, ASKS),
      'tool_messages_missing',
      'messages',
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: call_1",
    ],
    [messages(USER, ASKS, USER), 'tool_messages_missing', 'messages', 'An assistant message'],
    [
      messages(USER, { role: 'tool', tool_call_id: 'call_1', content: 'x' }),
      'tool_message_orphan',
      'messages.[1].role',
      "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    ],
    [
      messages(USER, ASKS, { role: 'tool', tool_call_id: 'call_2', content: 'x' }),
      'tool_message_orphan',
      'messages.[2].role',
      'Invalid parameter',
    ],
    // Numbers and words
    [
      body({ temperature: 'hot' }),
      'invalid_type',
      'temperature',
      "Invalid type for 'temperature': expected a decimal, but got a string instead.",
    ],
    [
      body({ temperature: -1 }),
      'decimal_below_min_value',
      'temperature',
      "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
    ],
    [
      body({ temperature: 2.1 }),
      'decimal_above_max_value',
      'temperature',
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.1 instead.",
    ],
    [body({ top_p: 1.5 }), 'decimal_above_max_value', 'top_p', 'Invalid'],
    [body({ presence_penalty: -3 }), 'decimal_below_min_value', 'presence_penalty', 'Invalid'],
    [body({ frequency_penalty: 3 }), 'decimal_above_max_value', 'frequency_penalty', 'Invalid'],
    [
      body({ max_tokens: 0 }),
      'integer_below_min_value',
      'max_tokens',
      "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    ],
    [
      body({ max_completion_tokens: 1.5 }),
      'invalid_type',
      'max_completion_tokens',
      "Invalid type for 'max_completion_tokens': expected an integer, but got a decimal instead.",
    ],
    [body({ max_tokens: '100' }), 'invalid_type', 'max_tokens', 'Invalid type'],
    [body({ n: 0 }), 'integer_below_min_value', 'n', 'Invalid'],
    [body({ n: 129 }), 'integer_above_max_value', 'n', "Invalid 'n': integer above maximum value."],
    [body({ seed: 1.5 }), 'invalid_type', 'seed', 'Invalid type'],
    [body({ seed: 1e30 }), 'integer_above_max_value', 'seed', 'Invalid'],
    [body({ logprobs: 'yes' }), 'invalid_type', 'logprobs', "Invalid type for 'logprobs': expected a boolean"],
    [body({ logprobs: true, top_logprobs: 21 }), 'integer_above_max_value', 'top_logprobs', 'Invalid'],
    [
      body({ top_logprobs: 2 }),
      'invalid_value',
      'top_logprobs',
      "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
    ],
    [body({ logit_bias: [] }), 'invalid_type', 'logit_bias', 'Invalid type'],
    [body({ logit_bias: { 50256: -101 } }), 'integer_below_min_value', 'logit_bias.50256', 'Invalid'],
    [body({ stop: 5 }), 'invalid_type', 'stop', "Invalid type for 'stop': expected a string or an array of strings"],
    [body({ stop: [] }), 'empty_array', 'stop', 'Invalid'],
    [body({ stop: ['a', 'b', 'c', 'd', 'e'] }), 'array_above_max_length', 'stop', 'Invalid'],
    [body({ stop: ['a', 5] }), 'invalid_type', 'stop[1]', 'Invalid type'],
    [body({ stream: 'true' }), 'invalid_type', 'stream', 'Invalid type'],
    [
      body({ stream_options: {} }),
      'stream_options_without_stream',
      'stream_options',
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    ],
    [body({ stream: true, stream_options: { include_usage: 1 } }), 'invalid_type', 'stream_options.include_usage', 'Invalid type'],
    [
      body({ reasoning_effort: 'huge' }),
      'invalid_value',
      'reasoning_effort',
      "Invalid value: 'huge'. Supported values are: 'none', 'minimal'",
    ],
    [body({ verbosity: 5 }), 'invalid_type', 'verbosity', 'Invalid type'],
    [body({ modalities: ['text', 'smell'] }), 'invalid_value', 'modalities[1]', "Invalid value: 'smell'."],
    [body({ metadata: { a: 5 } }), 'invalid_type', 'metadata.a', 'Invalid type'],
    [
      body({ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, ''])) }),
      'invalid_value',
      'metadata',
      "Invalid 'metadata': too many properties.",
    ],
    [body({ user: 5 }), 'invalid_type', 'user', 'Invalid type'],
    [body({ store: 'no' }), 'invalid_type', 'store', 'Invalid type'],
    [body({ prediction: 'x' }), 'invalid_type', 'prediction', 'Invalid type'],
    // Formats
    [body({ response_format: 'json' }), 'invalid_type', 'response_format', 'Invalid type'],
    [body({ response_format: {} }), 'missing_required_parameter', 'response_format.type', 'Missing'],
    [body({ response_format: { type: 'xml' } }), 'invalid_value', 'response_format.type', "Invalid value: 'xml'."],
    [
      body({ response_format: { type: 'json_object' } }),
      'json_word_missing',
      'messages',
      "'messages' must contain the word 'json' in some form",
    ],
    [body({ response_format: { type: 'json_schema' } }), 'missing_required_parameter', 'response_format.json_schema', 'Missing'],
    [
      body({ response_format: { type: 'json_schema', json_schema: {} } }),
      'missing_required_parameter',
      'response_format.json_schema.name',
      'Missing',
    ],
    [
      body({ response_format: { type: 'json_schema', json_schema: { name: 'a b' } } }),
      'invalid_value',
      'response_format.json_schema.name',
      "Invalid 'response_format.json_schema.name': string does not match pattern.",
    ],
    [
      body({ response_format: { type: 'json_schema', json_schema: { name: 'a', schema: [] } } }),
      'invalid_type',
      'response_format.json_schema.schema',
      'Invalid type',
    ],
    [
      body({ response_format: { type: 'json_schema', json_schema: { name: 'a', strict: 'yes' } } }),
      'invalid_type',
      'response_format.json_schema.strict',
      'Invalid type',
    ],
    [
      body({ response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'array' } } } }),
      'invalid_json_schema',
      'response_format',
      "Invalid schema for response_format 'a': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
    ],
    // Tools
    [body({ tools: {} }), 'invalid_type', 'tools', 'Invalid type'],
    [
      tools(TOOL, TOOL, TOOL, TOOL, TOOL),
      'array_above_max_length',
      'tools',
      "Invalid 'tools': array too long. Expected an array with maximum length 4",
    ],
    [tools({}), 'missing_required_parameter', 'tools[0].type', 'Missing'],
    [
      tools({ type: 'web_search' }),
      'invalid_value',
      'tools[0].type',
      "Invalid value: 'web_search'. Supported values are: 'function' and 'custom'.",
    ],
    [tools({ type: 'function' }), 'missing_required_parameter', 'tools[0].function', 'Missing'],
    [tools({ type: 'function', function: {} }), 'missing_required_parameter', 'tools[0].function.name', 'Missing'],
    [
      tools({ type: 'function', function: { name: 'a b' } }),
      'invalid_value',
      'tools[0].function.name',
      "Invalid 'tools[0].function.name': string does not match pattern.",
    ],
    [tools({ type: 'function', function: { name: 'a'.repeat(65) } }), 'string_above_max_length', 'tools[0].function.name', 'Invalid'],
    [tools({ type: 'function', function: { name: 'a', description: 5 } }), 'invalid_type', 'tools[0].function.description', 'Invalid type'],
    [tools({ type: 'function', function: { name: 'a', parameters: [] } }), 'invalid_type', 'tools[0].function.parameters', 'Invalid type'],
    [
      tools({ type: 'function', function: { name: 'a', parameters: { type: 'string' } } }),
      'invalid_function_parameters',
      'tools[0].function.parameters',
      "Invalid schema for function 'a': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.",
    ],
    [tools({ type: 'function', function: { name: 'a', strict: 1 } }), 'invalid_type', 'tools[0].function.strict', 'Invalid type'],
    [
      body({ tool_choice: 'required' }),
      'invalid_value',
      'tool_choice',
      "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
    ],
    [body({ ...tools(TOOL), tool_choice: 'always' }), 'invalid_value', 'tool_choice', "Invalid value: 'always'."],
    [body({ ...tools(TOOL), tool_choice: 5 }), 'invalid_type', 'tool_choice', 'Invalid type'],
    [body({ ...tools(TOOL), tool_choice: { type: 'function' } }), 'missing_required_parameter', 'tool_choice.function', 'Missing'],
    [
      body({ ...tools(TOOL), tool_choice: { type: 'function', function: {} } }),
      'missing_required_parameter',
      'tool_choice.function.name',
      'Missing',
    ],
    [
      body({ ...tools(TOOL), tool_choice: { type: 'function', function: { name: 'nope' } } }),
      'invalid_value',
      'tool_choice',
      "Invalid value for 'tool_choice': tool choice 'nope' not found in 'tools' parameter.",
    ],
    [
      body({ ...tools(TOOL), tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } } }),
      'empty_array',
      'tool_choice.allowed_tools.tools',
      'Invalid',
    ],
    [
      body({ ...tools(TOOL), tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'none', tools: [TOOL] } } }),
      'invalid_value',
      'tool_choice.allowed_tools.mode',
      "Invalid value: 'none'.",
    ],
    [body({ ...tools(TOOL), parallel_tool_calls: 'no' }), 'invalid_type', 'parallel_tool_calls', 'Invalid type'],
    [body({ functions: [] }), 'empty_array', 'functions', 'Invalid'],
    [body({ functions: [TOOL.function], tools: [TOOL] }), 'invalid_value', 'functions', "'functions' and 'tools' cannot be sent together."],
    [body({ functions: [TOOL.function], function_call: 'required' }), 'invalid_value', 'function_call', "Invalid value: 'required'."],
    [body({ functions: [TOOL.function], function_call: {} }), 'missing_required_parameter', 'function_call.name', 'Missing'],
    [
      body({ functions: [TOOL.function], function_call: { name: 'nope' } }),
      'invalid_value',
      'function_call',
      "Invalid value for 'function_call': no function named 'nope'",
    ],
  ])('%j', (request, kind, param, message) => {
    const error = refusal(request);
    expect([error.kind, error.details.param]).toEqual([kind, param]);
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.status).toBe(400);
  });
});

describe('taken', () => {
  test.each<[string, Record<string, unknown>]>([
    ['the least', body()],
    ['empty texts', messages({ role: 'user', content: '' }, { role: 'assistant', content: '' })],
    [
      'all roles',
      messages(
        { role: 'developer', content: 'a' },
        { role: 'system', content: [{ type: 'text', text: 'b' }] },
        USER,
        ASKS,
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'c' }] },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
      ),
    ],
    ['a refusal alone', messages(USER, { role: 'assistant', content: null, refusal: 'no' }, USER)],
    [
      'the deprecated pair',
      messages(
        USER,
        { role: 'assistant', content: null, function_call: { name: 'look', arguments: '' } },
        { role: 'function', name: 'look', content: null },
      ),
    ],
    [
      'two calls, answered in another order',
      messages(
        USER,
        { role: 'assistant', tool_calls: [CALL, { ...CALL, id: 'call_2' }] },
        { role: 'tool', tool_call_id: 'call_2', content: '' },
        { role: 'tool', tool_call_id: 'call_1', content: '' },
      ),
    ],
    [
      'all parts',
      messages({
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'file', file: { file_id: 'file-1' } },
        ],
      }),
    ],
    [
      'borders',
      body({
        temperature: 2,
        top_p: 0,
        presence_penalty: -2,
        frequency_penalty: 2,
        n: 128,
        max_tokens: 1,
        logprobs: true,
        top_logprobs: 20,
      }),
    ],
    ['seeds at the ends of an int64', body({ seed: -(2 ** 63) })],
    ['a large seed', body({ seed: 2 ** 63 })],
    [
      'the word json in a part',
      body({ messages: [{ role: 'user', content: [{ type: 'text', text: 'as JSON' }] }], response_format: { type: 'json_object' } }),
    ],
    ['a schema needs no word', body({ response_format: SCHEMA })],
    ['a function named like a property of objects', tools({ type: 'function', function: { name: 'constructor' } })],
    [
      'a choice among tools',
      body({ ...tools(TOOL), tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [TOOL] } } }),
    ],
    ['no tools at all', body({ tools: [], tool_choice: 'auto' })],
    ['a custom tool', tools({ type: 'custom', custom: { name: 'sql' } })],
  ])('%s', (_name, request) => {
    expect(checkChatRequest(request, LIMITS)).toEqual(request);
  });

  test('nulls at the top mean "not sent", for every field', () => {
    const nulls = Object.fromEntries(
      requestFields()
        .filter((field) => field !== 'model' && field !== 'messages')
        .map((field) => [field, null]),
    );
    const request = body(nulls);
    expect(checkChatRequest(request, LIMITS)).toEqual(body());
    expect(request).toHaveProperty('temperature', null);
  });

  test('unknown fields stay, whatever they are called', () => {
    const request = JSON.parse(
      '{"model":"m","messages":[{"role":"user","content":"Hi"}],"enable_thinking":true,"__proto__":{"a":1},"toString":2,"x":null}',
    ) as Record<string, unknown>;
    const taken = checkChatRequest(request, LIMITS);
    expect(Object.keys(taken)).toEqual(['model', 'messages', 'enable_thinking', '__proto__', 'toString']);
    expect(Object.getPrototypeOf(taken)).toBe(Object.prototype);
  });
});

describe('anything at all', () => {
  const fields = [...requestFields(), 'unheard_of'];
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom<unknown>([], {}, '', 0, -1, 1.5, true, null, [USER], [TOOL], { type: 'function' }, [
      { role: 'assistant', tool_calls: [{}] },
    ]),
  );

  test('is taken, or refused with a 400 that names a field', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), anything, { maxKeys: 6 }), fc.boolean(), (extra, good) => {
        const request = good ? { ...extra, ...body() } : extra;
        try {
          checkChatRequest(request, LIMITS);
        } catch (error) {
          if (!(error instanceof OpenAIError)) throw error;
          expect(error.status).toBe(400);
          expect(error.details.param).toMatch(/^[a-z]/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test.each(fields.filter((field) => field !== 'unheard_of' && field !== 'messages'))(
    "what is taken for '%s' is right by OpenAI's schema too",
    (field) => {
      fc.assert(
        fc.property(anything, (value) => {
          const request = body({ [field]: value });
          try {
            checkChatRequest(request, LIMITS);
          } catch {
            return;
          }
          if (value === null || LOOSER.includes(field)) return;
          expect(validateRequest(request)).toEqual([]);
        }),
        { numRuns: 200 },
      );
    },
  );

  /** Objects and words that the relay drops unread, and tools, which it takes empty. */
  const LOOSER = [
    'audio',
    'prediction',
    'web_search_options',
    'service_tier',
    'prompt_cache_options',
    'prompt_cache_retention',
    'moderation',
    'tools',
    'stream_options',
  ];
});
