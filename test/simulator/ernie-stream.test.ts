import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asked, at, type Client, chatBody, events, frames, type Json, json, startClient } from './ernie-client.ts';

const CHAT = '/v2/chat/completions';
const SAY = '[[sim:say text="one two"]]';
const TOOL = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: { zone: { type: 'string' } } } } };
let client: Client;
beforeAll(async () => {
  client = await startClient();
});
afterAll(() => client.close());

async function stream(text: string, part: Json = {}): Promise<Asked> {
  const asked = await client.ask(CHAT, chatBody(text, { stream: true, ...part }));
  expect(asked.status, asked.text).toBe(200);
  return asked;
}
const WITH_USAGE = { stream_options: { include_usage: true } };
const choices = (asked: Asked): Json[] => frames(asked).flatMap((frame) => (at(frame, 'choices') as Json[]) ?? []);
const joined = (asked: Asked, key: string): string =>
  choices(asked)
    .map((choice) => String(at(choice, 'delta', key) ?? ''))
    .join('');

describe('variants', () => {
  test('A: role first, finish on the last text frame, usage on its own frame, [DONE]', async () => {
    const asked = await stream(SAY, WITH_USAGE);
    expect(asked.headers['content-type']).toBe('text/event-stream');
    const head = {
      id: expect.stringMatching(/^as-/),
      object: 'chat.completion.chunk',
      created: 1_764_000_000,
      model: 'ernie-4.5-turbo-128k',
    };
    expect(frames(asked)).toEqual([
      { ...head, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null, flag: 0 }], usage: null },
      { ...head, choices: [{ index: 0, delta: { content: 'one' }, finish_reason: null, flag: 0 }], usage: null },
      { ...head, choices: [{ index: 0, delta: { content: ' two' }, finish_reason: 'stop', flag: 0 }], usage: null },
      { ...head, choices: [], usage: expect.objectContaining({ completion_tokens: 2 }) },
    ]);
    expect(events(asked).at(-1)).toBe('[DONE]');
  });

  test('A without include_usage says nothing of usage', async () => {
    expect(frames(await stream(SAY)).some((frame) => 'usage' in frame)).toBe(false);
  });

  test('B: no chunk in object, no role, is_end in the choice, zero usage until the end, normal', async () => {
    const asked = await stream(`${SAY} [[sim:variant value=B]]`);
    const zero = { prompt_tokens: expect.any(Number), completion_tokens: 0, total_tokens: expect.any(Number) };
    expect(frames(asked).map(({ object, usage, choices }) => ({ object, usage, choices }))).toEqual([
      {
        object: 'chat.completion',
        choices: [{ index: 0, delta: { content: 'one' }, is_end: false, need_clear_history: false }],
        usage: zero,
      },
      {
        object: 'chat.completion',
        choices: [{ index: 0, delta: { content: ' two' }, is_end: true, need_clear_history: false, finish_reason: 'normal' }],
        usage: expect.objectContaining({ completion_tokens: 2 }),
      },
    ]);
  });

  test('C: usage on the finishing frame, no flag', async () => {
    const list = frames(await stream(`${SAY} [[sim:variant value=C]]`));
    expect(list.map((frame) => at(frame, 'usage', 'completion_tokens'))).toEqual([undefined, undefined, 2]);
    expect(at(list.at(-1), 'choices', 0)).toEqual({ index: 0, delta: { content: ' two' }, finish_reason: 'stop' });
  });

  test.each<[string, Json, (number | null | undefined)[]]>([
    ['usage value=own', {}, [undefined, undefined, undefined, 2]],
    ['usage value=finish', WITH_USAGE, [null, null, 2]],
    ['usage value=every', {}, [0, 1, 2]],
    ['usage value=never', WITH_USAGE, [null, null, null]],
    ['profile value=2025', {}, [undefined, undefined, 2]],
    ['variant value=A', { stream_options: { include_usage: true, chunk_include_usage: true } }, [0, 1, 2, 2]],
  ])('%s with %j: completion tokens %j', async (fault, part, expected) => {
    const list = frames(await stream(`${SAY} [[sim:${fault}]]`, part));
    expect(list.map((frame) => (frame['usage'] === null ? null : at(frame, 'usage', 'completion_tokens')))).toEqual(expected);
  });

  test('object can be spelled either way', async () => {
    expect(frames(await stream(`${SAY} [[sim:object value=chat.completion]]`))[0]?.['object']).toBe('chat.completion');
  });

  test('small models send sentences', async () => {
    const text = '[[sim:say text="One two. Three four. Five"]]';
    const sentences = choices(await stream(text, { model: 'ernie-char-8k' })).map((choice) => at(choice, 'delta', 'content'));
    expect(sentences).toEqual(['', 'One two.', ' Three four.', ' Five']);
  });
});

describe('thinking', () => {
  test('reasoning frames come first; a frame carries one or the other', async () => {
    const list = choices(await stream('[[sim:think n=4]] [[sim:tokens n=3]]', { model: 'ernie-x1.1' })).map(
      (choice) => choice['delta'] as Json,
    );
    const kinds = list.slice(1).map((delta) => Object.keys(delta).join());
    expect(kinds).toEqual([...Array<string>(4).fill('reasoning_content'), ...Array<string>(3).fill('content')]);
  });

  test('out of tokens while thinking: empty content, length', async () => {
    const asked = await stream('[[sim:think n=40]]', { model: 'ernie-x1.1', max_completion_tokens: 5 });
    expect(joined(asked, 'content')).toBe('');
    expect(choices(asked).at(-1)).toEqual({ index: 0, delta: { content: '' }, finish_reason: 'length', flag: 0 });
  });
});

describe('tools', () => {
  const calls = async (text: string, tools = [TOOL]): Promise<Json[]> =>
    choices(await stream(text, { tools })).flatMap((choice) => (at(choice, 'delta', 'tool_calls') as Json[]) ?? []);

  test('whole: one fragment with index, id, name and all arguments', async () => {
    const [only, ...rest] = await calls('get_time [[sim:call name=get_time args={"zone":"UTC"}]]');
    expect(rest).toEqual([]);
    expect(only).toEqual({
      index: 0,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      type: 'function',
      function: { name: 'get_time', arguments: '{"zone":"UTC"}' },
    });
  });

  test('split: the fragments join to the arguments, id and name come once', async () => {
    const list = await calls('[[sim:call name=get_time args={"zone":"UTC"}]] [[sim:tool-args value=split]]');
    expect(list.length).toBeGreaterThan(3);
    expect(list.map((part) => at(part, 'function', 'arguments')).join('')).toBe('{"zone":"UTC"}');
    expect(list.filter((part) => 'id' in part).length).toBe(1);
    expect(list.every((part) => part['index'] === 0)).toBe(true);
  });

  test('missing index: only the id tells two calls apart', async () => {
    const text =
      '[[sim:call name=get_time args={"zone":"UTC"}]] [[sim:call name=get_time args={"zone":"CST"}]] [[sim:tool-args value=split]] [[sim:tool-index value=missing]]';
    const list = await calls(text);
    expect(list.some((part) => 'index' in part)).toBe(false);
    const byId = new Map<unknown, string>();
    for (const part of list) byId.set(part['id'], (byId.get(part['id']) ?? '') + String(at(part, 'function', 'arguments')));
    expect([...byId.values()]).toEqual(['{"zone":"UTC"}', '{"zone":"CST"}']);
  });

  test.each([
    ['A', 'tool_calls'],
    ['B', 'tool_calls'],
  ])('variant %s finishes with %s', async (variant, finish) => {
    const asked = await stream(`get_time [[sim:variant value=${variant}]]`, { tools: [TOOL] });
    expect(choices(asked).at(-1)?.['finish_reason']).toBe(finish);
  });
});

describe('safety in a stream', () => {
  test('flag 4 strikes in the middle', async () => {
    const asked = await stream('[[sim:say text="one two six ten"]] [[sim:flag value=4]]');
    const list = choices(asked);
    expect(list.map((choice) => choice['flag'])).toEqual([0, 0, 0, 4]);
    expect(list.at(-1)).toMatchObject({
      finish_reason: 'content_filter',
      ban_round: -1,
      delta: { content: expect.stringContaining('抱歉') },
    });
    expect(events(asked).at(-1)).toBe('[DONE]');
  });

  test('flag as a string; variant C shows it only when struck', async () => {
    const list = choices(await stream('[[sim:say text="one two"]] [[sim:flag value=2 as=string style=cut]] [[sim:variant value=C]]'));
    expect(list.map((choice) => choice['flag'])).toEqual([undefined, undefined, '2']);
  });

  test('flag 1 lets the text go on', async () => {
    const asked = await stream('[[sim:say text="one two"]] [[sim:flag value=1]]');
    expect([joined(asked, 'content'), choices(asked).map((choice) => choice['flag'])]).toEqual(['one two', [0, 0, 1]]);
  });
});

test('a search shows a status frame, results and marks', async () => {
  const web = { web_search: { enable: true, enable_status: true, enable_trace: true, enable_citation: true } };
  const list = frames(await stream(`${SAY} news`, web));
  expect(list.filter((frame) => at(frame, 'choices', 0, 'delta_tag') === 'search_status').length).toBe(1);
  expect(list.filter((frame) => 'search_results' in frame).length).toBe(1);
  expect(list.map((frame) => at(frame, 'choices', 0, 'delta', 'content')).join('')).toBe('one two^[1]^');
});

describe('broken streams', () => {
  test('mid-error after 1: one text frame, an error frame, no [DONE]', async () => {
    const asked = await stream(`${SAY} [[sim:mid-error after=1]]`);
    const last = JSON.parse(events(asked).at(-1) ?? '') as Json;
    expect(last).toEqual({ error: { code: 'internal_error', message: 'Internal error', type: 'Internal_error' }, id: expect.any(String) });
    expect([joined(asked, 'content'), asked.text.includes('[DONE]')]).toEqual(['one', false]);
  });

  test('bare: the error is a line of JSON without data:', async () => {
    const asked = await stream(`${SAY} [[sim:mid-error after=1 as=bare code=tpm_rate_limit_exceeded]]`);
    expect(asked.text.trimEnd().split('\n').at(-1)).toMatch(/^\{"error":\{"code":"tpm_rate_limit_exceeded"/);
  });

  test('close: the stream just ends', async () => {
    const asked = await stream(`${SAY} [[sim:mid-error after=1 as=close]]`);
    expect([joined(asked, 'content'), asked.text.includes('error'), asked.text.includes('[DONE]')]).toEqual(['one', false, false]);
  });

  test('a JSON answer although a stream was asked for', async () => {
    const asked = await stream(`${SAY} [[sim:shape value=json]]`);
    expect([asked.headers['content-type'], at(json(asked), 'choices', 0, 'message', 'content')]).toEqual(['application/json', 'one two']);
  });

  test.each([
    ['event-line', /^event: message\ndata: \{/],
    ['done-tail', /data: \[DONE\] ok\n\n$/],
    ['comments', /^: keep-alive\n\n/],
    ['no-space', /^data:\{/],
    ['crlf', /^data: .*\r\n\r\n/],
  ])('%s', async (fault, pattern) => {
    expect((await stream(`${SAY} [[sim:${fault}]]`)).text).toMatch(pattern);
  });

  test('no finish_reason at all', async () => {
    const list = choices(await stream(`${SAY} [[sim:finish value=none]]`));
    expect(list.map((choice) => choice['finish_reason'])).toEqual([null, null, null]);
  });
});
