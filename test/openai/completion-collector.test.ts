import { describe, expect, test } from 'vitest';
import { CompletionCollector } from '../../openai/chat/completion-collector.ts';
import { checkCompletion } from '../contract/openai-schema.ts';
import { collect, type Event, HEAD } from './play.ts';

const USAGE: Event = (e) => e.usage({ prompt: 7, completion: 5, cached: 2, reasoning: 1 });

function first(events: readonly Event[], head = {}): Record<string, unknown> {
  const { value } = collect([...events, USAGE], head);
  expect(checkCompletion(value)).toEqual([]);
  return (value as { choices: Record<string, unknown>[] }).choices[0] as Record<string, unknown>;
}

describe('the message', () => {
  test('text, thinking and the end', () => {
    const choice = first([(e) => e.reasoning(0, 'Hm'), (e) => e.text(0, 'H'), (e) => e.text(0, 'i'), (e) => e.finish(0, 'length')]);
    expect(choice).toEqual({
      index: 0,
      message: { role: 'assistant', content: 'Hi', refusal: null, reasoning_content: 'Hm', annotations: [] },
      logprobs: null,
      finish_reason: 'length',
    });
  });

  test('calls: no index, content null, ids made where there are none', () => {
    const choice = first([
      (e) => e.tool(0, 0, 'call_a', 'look'),
      (e) => e.args(0, 0, '{}'),
      (e) => e.tool(0, 1, '', 'say'),
      (e) => e.args(0, 1, '{"a":1}'),
      (e) => e.finish(0, 'tool_calls'),
    ]);
    const message = choice['message'] as { content: unknown; tool_calls: { id: string }[] };
    expect(message.content).toBeNull();
    expect(message.tool_calls[0]).toEqual({ id: 'call_a', type: 'function', function: { name: 'look', arguments: '{}' } });
    expect(message.tool_calls[1]?.id).toMatch(/^call_[0-9a-f]{24}$/);
  });

  test('no calls: no tool_calls key', () => {
    expect(first([(e) => e.text(0, ''), (e) => e.finish(0, 'stop')])['message']).not.toHaveProperty('tool_calls');
  });

  test('the deprecated functions', () => {
    const choice = first([(e) => e.tool(0, 0, 'call_a', 'look'), (e) => e.args(0, 0, '{}'), (e) => e.finish(0, 'tool_calls')], {
      legacyFunctions: true,
    });
    expect(choice).toMatchObject({
      message: { content: null, function_call: { name: 'look', arguments: '{}' } },
      finish_reason: 'function_call',
    });
    expect(choice['message']).not.toHaveProperty('tool_calls');
  });

  test('what comes after the end does not count', () => {
    const choice = first([
      (e) => e.text(0, 'a'),
      (e) => e.finish(0, 'stop'),
      (e) => e.text(0, 'b'),
      (e) => e.tool(0, 0, 'x', 'y'),
      (e) => e.finish(0, 'length'),
    ]);
    expect(choice).toMatchObject({ message: { content: 'a' }, finish_reason: 'stop' });
  });

  test('logprobs are gathered, also more of them than a call takes arguments', () => {
    const many = Array.from({ length: 200_000 }, () => ({ token: 'a', logprob: 0, bytes: null, top_logprobs: [] }));
    const { value } = collect([(e) => e.text(0, 'a', many), (e) => e.finish(0, 'stop'), USAGE]);
    expect((value as { choices: { logprobs: { content: unknown[] } }[] }).choices[0]?.logprobs.content).toHaveLength(200_000);
  });
});

test('complete only when every choice has ended', () => {
  const collector = new CompletionCollector(HEAD);
  expect(collector.complete).toBe(false);
  collector.text(0, 'a');
  collector.text(1, 'b');
  collector.finish(0, 'stop');
  expect(collector.complete).toBe(false);
  collector.finish(1, 'stop');
  expect(collector.complete).toBe(true);
});

test.each<[string, Event]>([
  ['text', (e) => e.text(0, 'x'.repeat(60))],
  ['thinking', (e) => e.reasoning(0, 'x'.repeat(60))],
  ['arguments', (e) => e.args(0, 0, 'x'.repeat(60))],
  ['names', (e) => e.tool(0, 1, 'x'.repeat(60), 'y')],
  ['logprobs', (e) => e.text(0, '', [{ token: 'x'.repeat(60) }])],
])('%s without end is refused', (_name, event) => {
  const collector = new CompletionCollector(HEAD, 100);
  collector.tool(0, 0, 'a', 'b');
  event(collector);
  expect(() => event(collector)).toThrow(expect.objectContaining({ kind: 'upstream_invalid_response' }));
});
