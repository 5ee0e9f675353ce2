import { expect, test } from 'vitest';
import type { Citation } from '../../openai/chat/events.ts';
import { buildChain } from '../../relay/chat/legs.ts';
import type { Emulation } from '../../translators/translator.ts';
import { Recorder } from './recorder.ts';

/** The pages an answer rests on go through every emulation, and never after the finish. */

const PAGES: readonly Citation[] = [{ url: 'https://a.example/', title: 'A', mark: '[1]' }];
const USAGE = { prompt: 1, completion: 1, cached: 0, reasoning: 0 };

test.each<[string, Emulation]>([
  ['nothing', {}],
  ['stop words', { stop: ['never'] }],
  ['a JSON mode', { json: { schema: null } }],
  ['a call that must come', { mustCall: { name: null } }],
  ['one call', { firstCallOnly: true }],
  ['renamed calls', { functionNames: new Map([['search_', 'search']]) }],
  ['all at once', { stop: ['never'], json: { schema: null }, mustCall: { name: null }, firstCallOnly: true }],
])('through %s', async (_name, emulation) => {
  const recorder = new Recorder();
  const chain = buildChain(recorder, 2, emulation, async () => null, 1);
  chain.first.citations(0, PAGES);
  chain.first.citations(1, PAGES);
  chain.first.tool(0, 0, 'call_a', 'search_');
  chain.first.text(0, '{}');
  chain.first.finish(0, 'tool_calls');
  chain.first.usage(USAGE);
  await chain.guard?.settle();
  expect(recorder.events.filter((event) => event.startsWith('citations'))).toEqual(['citations 2 https://a.example/']);
  expect(recorder.events.at(-1)).toMatch(/^finish 2/);
});

test('what comes after a stop word has cut the choice is not told', () => {
  const recorder = new Recorder();
  const chain = buildChain(recorder, 0, { stop: ['END'] }, async () => null, 1);
  chain.first.text(0, 'a END');
  chain.first.citations(0, PAGES);
  expect(recorder.events).toEqual(['text 0 a ', 'finish 0 stop']);
});
