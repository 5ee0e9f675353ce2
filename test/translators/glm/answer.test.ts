import { describe, expect, test } from 'vitest';
import type { ChatEvents } from '../../../openai/chat/events.ts';
import { InlineThinking, WithoutMarks } from '../../../translators/compatible/inline-marks.ts';
import { glmV4 } from '../../../translators/glm/v4.ts';
import { checkCompletion, checkStream, validateCompletion } from '../../contract/openai-schema.ts';
import { cuts, fixtures, replay, replayWhole } from '../replay.ts';

const streams = fixtures('glm', 'stream');
const bodies = fixtures('glm', 'whole');

describe.each(streams)('stream $name', ({ name, bytes, expected }) => {
  test('comes out as recorded, and fits the contract', async () => {
    const { out } = replay(glmV4, bytes);
    expect(checkStream(out, { includeUsage: true }).problems).toEqual([]);
    await expect(out).toMatchFileSnapshot(expected);
  });

  test.each([1, 7])('is the same when bytes arrive %i at a time', (size) => {
    expect(replay(glmV4, bytes, { size }).out).toBe(replay(glmV4, bytes).out);
  });

  test('fits the contract without usage', () => {
    expect(checkStream(replay(glmV4, bytes, { includeUsage: false }).out, { includeUsage: false }).problems).toEqual([]);
  });

  test('cut anywhere, never looks whole', () => {
    expect(cuts(glmV4, bytes)).toEqual([]);
  });

  test('shows no thought where none is to be shown', () => {
    expect(replay(glmV4, bytes, { head: { showReasoning: false } }).out).not.toContain('reasoning_content');
    if (/^(z1-(thinking|one-piece|unclosed)|thinking)$/.test(name)) expect(replay(glmV4, bytes).out).toContain('reasoning_content');
  });
});

describe.each(bodies)('body $name', ({ bytes, expected }) => {
  test('comes out as recorded, and fits the contract', async () => {
    const { out, error } = replayWhole(glmV4, bytes);
    if (error === null) {
      const completion: unknown = JSON.parse(out);
      expect([...validateCompletion(completion), ...checkCompletion(completion)]).toEqual([]);
    }
    await expect(error === null ? out : `${error.status} ${JSON.stringify(error)}`).toMatchFileSnapshot(expected);
  });
});

test('the folder holds what the tests are about', () => {
  expect(streams.length).toBeGreaterThanOrEqual(40);
  expect(bodies.length).toBeGreaterThanOrEqual(20);
});

const named = (name: string) =>
  streams.find((fixture) => fixture.name === name)?.bytes ?? bodies.find((fixture) => fixture.name === name)?.bytes;

test.each([
  ['network-error', 'upstream_truncated', 'network_error', true],
  ['network-error-first', 'upstream_truncated', 'network_error', true],
  ['error-first', 'upstream_rate_limit_requests', '1302', true],
  ['error-first-closed', 'upstream_overloaded', '1305', true],
  ['error-midway', 'upstream_overloaded', '1234', true],
  ['error-bare', 'upstream_out_of_credit', '1113', true],
  ['error-success-false', 'upstream_overloaded', '500', true],
  ['error-filter', 'content_filter', '1301', false],
  ['no-finish', 'upstream_truncated', undefined, true],
  ['nothing-but-done', 'upstream_truncated', undefined, true],
  ['malformed', 'upstream_invalid_response', undefined, true],
])('stream %s fails with %s', (name, kind, code, fallback) => {
  const { error, out } = replay(glmV4, named(name) as Buffer);
  expect([error?.kind, error?.details.upstreamCode, error?.details.fallback]).toEqual([kind, code, fallback]);
  expect(out).not.toMatch(/\[DONE\]|"finish_reason":"/);
});

test.each([
  ['whole-network-error', 'upstream_truncated'],
  ['whole-error', 'upstream_rate_limit_requests'],
  ['whole-success-false', 'upstream_overloaded'],
  ['whole-no-finish', 'upstream_invalid_response'],
  ['whole-empty', 'upstream_invalid_response'],
])('%s fails with %s', (name, kind) => {
  expect(replayWhole(glmV4, named(name) as Buffer).error?.kind).toBe(kind);
});

test.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['sensitive', 'content_filter'],
  ['model_context_window_exceeded', 'length'],
  ['tool_calls', 'stop'],
  ['anything_else', 'stop'],
  ['constructor', 'stop'],
])('finish word %s → %s', (word, reason) => {
  const frame = { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: word }] };
  expect(replay(glmV4, Buffer.from(`data: ${JSON.stringify(frame)}\n\n`)).out).toContain(`"finish_reason":"${reason}"`);
});

test('what the audit withdraws is not shown', () => {
  expect(replay(glmV4, named('sensitive') as Buffer).out).not.toContain('withheld');
  expect(replayWhole(glmV4, named('whole-sensitive') as Buffer).out).not.toContain('withheld');
});

/** Plays a text in pieces and gives back what came out, joined by kind. */
function play(make: (next: ChatEvents) => ChatEvents, pieces: readonly string[]): string {
  const out: [string, string][] = [];
  const add = (kind: string, text: string): void => {
    const last = out.at(-1);
    if (last?.[0] === kind) last[1] += text;
    else if (text !== '') out.push([kind, text]);
  };
  const events = make({
    text: (_choice, text) => add('text', text),
    reasoning: (_choice, text) => add('reasoning', text),
    tool: (_choice, _call, _id, name) => add('tool', name),
    args() {},
    citations() {},
    finish: (_choice, reason) => add('finish', reason),
    usage() {},
  });
  for (const piece of pieces) events.text(0, piece);
  events.finish(0, 'stop');
  return out.map(([kind, text]) => `${kind}:${text}`).join('|');
}

describe('marks in texts, split at every place', () => {
  const think = (next: ChatEvents) => new InlineThinking(next);
  const box = (next: ChatEvents) => new WithoutMarks(next, ['<|begin_of_box|>', '<|end_of_box|>']);
  test.each([
    ['a thought', think, ' \n<think>\nHm </thin>.\n</think>\n\nYes <think>.', 'reasoning:Hm </thin>.\n|text:Yes <think>.|finish:stop'],
    ['an empty thought', think, '<think>\n\n</think>\nYes', 'text:Yes|finish:stop'],
    ['a thought without end', think, '<think>Hm </thin', 'reasoning:Hm </thin|finish:stop'],
    ['nothing but a beginning', think, '  <thi', 'text:  <thi|finish:stop'],
    ['no thought', think, 'Yes <think>no</think>', 'text:Yes <think>no</think>|finish:stop'],
    ['much white space', think, `${' '.repeat(80)}<think>no`, `text:${' '.repeat(80)}<think>no|finish:stop`],
    ['boxes', box, 'a <|begin_of_box|>4<|end_of_box|> <|end', 'text:a 4 <|end|finish:stop'],
    ['lone signs', box, '1 < 2 <| 3 <', 'text:1 < 2 <| 3 <|finish:stop'],
  ])('%s', (_what, make, text, expected) => {
    expect(play(make, [text])).toBe(expected);
    expect(play(make, [...text])).toBe(expected);
    for (let at = 1; at < text.length; at++) expect(play(make, [text.slice(0, at), text.slice(at)])).toBe(expected);
  });

  test('choices do not mix, and a call flushes what is held', () => {
    const out: string[] = [];
    const events = new InlineThinking({
      text: (choice, text) => void out.push(`${choice} text ${text}`),
      reasoning: (choice, text) => void out.push(`${choice} reasoning ${text}`),
      tool: (choice, _call, _id, name) => void out.push(`${choice} tool ${name}`),
      args: (choice, _call, piece) => void out.push(`${choice} args ${piece}`),
      citations() {},
      finish() {},
      usage: (usage) => void out.push(`usage ${usage.prompt}`),
    });
    events.text(0, '<think>A');
    events.text(1, '<thi');
    events.tool(1, 0, '', 'look');
    events.args(1, 0, '{}');
    events.text(0, '</think>B');
    events.usage({ prompt: 1, completion: 1, cached: 0, reasoning: 0 });
    expect(out).toEqual(['0 reasoning A', '1 text <thi', '1 tool look', '1 args {}', '0 text B', 'usage 1']);
  });
});
