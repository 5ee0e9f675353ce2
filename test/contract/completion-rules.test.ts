import { describe, expect, test } from 'vitest';
import { checkCompletion } from './openai-schema.ts';
import { damage, textAnswer, toolAnswer } from './samples.ts';

describe('checkCompletion', () => {
  test('good answers pass', () => {
    expect(checkCompletion(textAnswer())).toEqual([]);
    expect(checkCompletion(toolAnswer())).toEqual([]);
  });

  test('an answer cut by its token limit may end inside the arguments', () => {
    const cut = damage(
      damage(toolAnswer(), 'choices.0.finish_reason', 'length'),
      'choices.0.message.tool_calls.1.function.arguments',
      '{"ha',
    );
    expect(checkCompletion(cut)).toEqual([]);
  });

  const calls = 'choices.0.message.tool_calls';
  test.each<[string, unknown, string]>([
    ['a foreign id', damage(textAnswer(), 'id', 'as-123'), '/id "as-123" is not chatcmpl-…'],
    ['a null reason', damage(textAnswer(), 'choices.0.finish_reason', null), '/choices/0/finish_reason null is not one of the five'],
    [
      "a vendor's reason",
      damage(textAnswer(), 'choices.0.finish_reason', 'sensitive'),
      '/choices/0/finish_reason "sensitive" is not one of the five',
    ],
    ['tool_calls []', damage(textAnswer(), calls, []), '/choices/0/message/tool_calls is [], must be absent when none'],
    ['tool_calls null', damage(textAnswer(), calls, null), '/choices/0/message/tool_calls is null, must be absent when none'],
    [
      'text beside tool calls',
      damage(toolAnswer(), 'choices.0.message.content', ''),
      '/choices/0/message/content must be null beside tool_calls',
    ],
    [
      'stop beside tool calls',
      damage(toolAnswer(), 'choices.0.finish_reason', 'stop'),
      '/choices/0/finish_reason is stop beside tool_calls',
    ],
    [
      'tool_calls promised, none there',
      damage(textAnswer(), 'choices.0.finish_reason', 'tool_calls'),
      '/choices/0/finish_reason is tool_calls without tool_calls',
    ],
    [
      'null content without a reason',
      damage(textAnswer(), 'choices.0.message.content', null),
      '/choices/0/message/content is null without tool_calls, refusal or audio',
    ],
    ['one id for two calls', damage(toolAnswer(), `${calls}.1.id`, 'call_a'), '/choices/0/message/tool_calls/1/id "call_a" repeats'],
    ['an empty call id', damage(toolAnswer(), `${calls}.0.id`, ''), '/choices/0/message/tool_calls/0/id is empty'],
    ['index in a call', damage(toolAnswer(), `${calls}.0.index`, 0), '/choices/0/message/tool_calls/0/index is not a known key'],
    [
      'arguments as an object',
      damage(toolAnswer(), `${calls}.0.function.arguments`, {}),
      '/choices/0/message/tool_calls/0/function/arguments is not a string',
    ],
    [
      'arguments that are no JSON',
      damage(toolAnswer(), `${calls}.0.function.arguments`, ''),
      '/choices/0/message/tool_calls/0/function/arguments does not parse as JSON',
    ],
    ['no usage', damage(textAnswer(), 'usage'), '/usage is missing'],
    ['a wrong sum', damage(textAnswer(), 'usage.total_tokens', 17), '/usage/total_tokens is 17, expected 12 + 4'],
    ['no prompt details', damage(textAnswer(), 'usage.prompt_tokens_details'), '/usage/prompt_tokens_details is missing'],
    [
      'null cached tokens',
      damage(textAnswer(), 'usage.prompt_tokens_details.cached_tokens', null),
      '/usage/prompt_tokens_details/cached_tokens is no integer of at least 0',
    ],
    [
      'no reasoning tokens',
      damage(textAnswer(), 'usage.completion_tokens_details.reasoning_tokens'),
      '/usage/completion_tokens_details/reasoning_tokens is no integer of at least 0',
    ],
    ["a vendor's usage key", damage(textAnswer(), 'usage.plugins', {}), '/usage/plugins is not a known key'],
    ["a vendor's top key", damage(textAnswer(), 'request_id', 'x'), '/request_id is not a known key'],
    ["a vendor's choice key", damage(textAnswer(), 'choices.0.flag', 0), '/choices/0/flag is not a known key'],
    ["a vendor's message key", damage(textAnswer(), 'choices.0.message.name', 'x'), '/choices/0/message/name is not a known key'],
    ['a wrong index', damage(textAnswer(), 'choices.0.index', 1), '/choices/0/index is 1, expected 0'],
    ['logprobs of the wrong shape', damage(textAnswer(), 'choices.0.logprobs', []), '/choices/0/logprobs must be object'],
    ['no choices', damage(textAnswer(), 'choices', []), '/choices is empty'],
    ['no object at all', 'x', '/ must be object'],
  ])('%s is found', (_name, value, problem) => {
    expect(checkCompletion(value)).toContain(problem);
  });
});
