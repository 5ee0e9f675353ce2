import { describe, expect, test } from 'vitest';
import type { ChatEvents } from '../../openai/chat/events.ts';
import { JsonGuard } from '../../relay/emulation/json-guard.ts';
import { MustCall } from '../../relay/emulation/must-call.ts';
import { StopCutter } from '../../relay/emulation/stop-cutter.ts';
import { probabilitiesOf } from '../../relay/emulation/token-probabilities.ts';

/** The probabilities of tokens go with the text that an emulation lets through, and with no other. */

const entries = (...tokens: string[]) => tokens.map((token) => ({ token, logprob: -0.1, bytes: null, top_logprobs: [] }));
const words = (list: readonly unknown[] | undefined): string[] | undefined => list?.map((entry) => (entry as { token: string }).token);

/** Texts that came out, each with the tokens it was told of. */
function listen(): { out: [string, string[] | undefined][]; events: ChatEvents } {
  const out: [string, string[] | undefined][] = [];
  const silent = () => {};
  const events: ChatEvents = {
    text: (_choice, text, logprobs) => void out.push([text, words(logprobs)]),
    reasoning: silent,
    tool: silent,
    args: silent,
    citations: silent,
    finish: silent,
    usage: silent,
  };
  return { out, events };
}

test.each<[string, string[], number, number, string[]]>([
  ['all', ['a', 'bc'], 0, 3, ['a', 'bc']],
  ['the first', ['a', 'bc'], 0, 1, ['a']],
  ['the second', ['a', 'bc'], 1, 3, ['bc']],
  ['a token across the border', ['ab', 'cd', 'ef'], 1, 3, ['ab', 'cd']],
  ['tokens that do not make up the text', ['\\xe7', '\\x95'], 0, 1, ['\\xe7', '\\x95']],
])('%s', (_name, tokens, start, end, expected) => {
  const text = tokens[0]?.startsWith('\\x') ? '界!' : tokens.join('');
  expect(words(probabilitiesOf(entries(...tokens), text, start, end))).toEqual(expected);
});

describe('the JSON guard', () => {
  test('leaves out those of prose and fences', () => {
    const { out, events } = listen();
    const guard = new JsonGuard(events, null, async () => null);
    guard.text(0, 'Here:', entries('Here', ':'));
    guard.text(0, ' ```{"a"', entries(' ', '```', '{"', 'a"'));
    guard.text(0, ':1}', entries(':', '1', '}'));
    guard.text(0, '``` Done', entries('```', ' Done'));
    expect(out).toEqual([
      ['{"a"', ['{"', 'a"']],
      [':1}', [':', '1', '}']],
    ]);
  });

  test('the value’s end', () => {
    const { out, events } = listen();
    new JsonGuard(events, null, async () => null).text(0, '{} or {}', entries('{', '}', ' or', ' {}'));
    expect(out).toEqual([['{}', ['{', '}']]]);
  });
});

test('stop words: those up to the cut', () => {
  const { out, events } = listen();
  const cutter = new StopCutter(events, ['END']);
  cutter.text(0, 'a b', entries('a', ' b'));
  cutter.text(0, ' c END d', entries(' c', ' ', 'END', ' d'));
  expect(out).toEqual([
    ['a b', ['a', ' b']],
    [' c ', [' c', ' ']],
  ]);
});

test('a call that must come: they wait with the text', () => {
  const { out, events } = listen();
  const must = new MustCall(events, null);
  must.text(0, 'I ', entries('I', ' '));
  must.text(0, 'call', entries('call'));
  must.tool(0, 0, 'id', 'f');
  must.finish(0, 'tool_calls');
  expect(out).toEqual([['I call', ['I', ' ', 'call']]]);
});
