import { describe, expect, test } from 'vitest';
import { type Ask, BOX_TOOL, chatBody, type Json, openDesk, saying, type Told } from './glm-desk.ts';

const ask = (text: string, difference: Record<string, unknown> = {}, more: Partial<Ask> = {}): Told =>
  openDesk().ask({ body: saying(text, { stream: true, ...difference }), ...more });
const TWO_CALLS = '[[sim:call name=count_boxes args={"hall":"B"}]] [[sim:call name=count_boxes args={"hall":"C"}]]';
const tools = { tools: [BOX_TOOL] };
const delta = (event: Json): Json => event['choices']!['0']!['delta']!;
const finishOf = (event: Json): unknown => event['choices']!['0']!['finish_reason'];
const joined = (events: readonly Json[], key: string): string =>
  events.map((event) => (typeof event === 'string' ? '' : String(delta(event)[key] ?? ''))).join('');

interface Fragment {
  readonly id?: string;
  readonly index: number;
  readonly type?: string;
  readonly function: { readonly name?: string; readonly arguments: string };
}
const fragments = (events: readonly Json[]): Fragment[] =>
  events.flatMap((event) => (typeof event === 'string' ? [] : ((delta(event)['tool_calls'] ?? []) as unknown as Fragment[])));

/** Puts fragments together by index, as every client must. */
function assembled(list: readonly Fragment[]): string[] {
  const texts: string[] = [];
  for (const { index, function: part } of list) texts[index] = (texts[index] ?? '') + part.arguments;
  return texts;
}

describe('frames', () => {
  const told = ask('[[sim:think n=3]] [[sim:say text="The Loire."]] river');
  const [first] = told.events;
  const last = told.events.at(-2)!;
  const middle = told.events.slice(0, -2);

  test('are data lines with compact JSON, ended by [DONE]', () => {
    expect(told.type).toBe('text/event-stream;charset=UTF-8');
    for (const frame of told.frames) expect(frame).toMatch(/^data: .+\n\n$/);
    expect(told.frames.at(-1)).toBe('data: [DONE]\n\n');
  });

  test('have the recorded key order, byte for byte', () => {
    const id = String(first!['id']);
    expect(id).toMatch(/^20260901101530[0-9a-f]{16}$/);
    const head = `{"id":"${id}","created":1788228930,"object":"chat.completion.chunk","model":"glm-4.7","choices":[{"index":0,`;
    expect(told.frames[0]).toBe(`data: ${head}"delta":${JSON.stringify(delta(first!))}}]}\n\n`);
    const { promptTokens: prompt, completionTokens: completion, reasoningTokens: reasoning } = told.accounting;
    expect(told.frames.at(-2)).toBe(
      `data: ${head}"finish_reason":"stop","delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion},"total_tokens":${prompt + completion},"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":${reasoning}}}}\n\n`,
    );
  });

  test('carry the role on every text delta, reasoning first, and no finish_reason key before the end', () => {
    for (const event of middle) {
      expect(Object.keys(delta(event))).toEqual(['role', expect.stringMatching(/^(reasoning_)?content$/)]);
      expect(event['choices']!['0']).not.toHaveProperty('finish_reason');
      expect(event).not.toHaveProperty('usage');
      expect(event).not.toHaveProperty('request_id');
    }
    const kinds = middle.map((event) => ('content' in delta(event) ? 'content' : 'reasoning'));
    expect(kinds).toEqual([...kinds].sort().reverse());
    expect(joined(middle, 'content')).toBe('The Loire.');
    expect(finishOf(last)).toBe('stop');
  });

  test('say the same as the whole answer', () => {
    const text = 'Tell me about rivers';
    const whole = openDesk().ask({ body: saying(text) });
    const message = whole.json['choices']!['0']!['message']!;
    const streamed = ask(text);
    expect(joined(streamed.events, 'content')).toBe(message['content']);
    expect(joined(streamed.events, 'reasoning_content')).toBe(message['reasoning_content']);
    expect(streamed.accounting).toEqual({ ...whole.accounting, stream: true });
  });

  test('usage comes without being asked for, and stream_options changes nothing', () => {
    const options = ask('hi', { stream_options: { include_usage: true } });
    expect(options.text).toBe(ask('hi').text);
    expect(options.events.filter((event) => event['usage'] !== undefined)).toHaveLength(1);
  });

  test('profiles: 2025 begins with an empty chunk, old has no object', () => {
    const at = (value: string) => ask('hi', {}, { faults: [{ name: 'profile', args: { value } }] }).events[0]!;
    expect(delta(at('2025'))).toEqual({ role: 'assistant', content: '', reasoning_content: '\n' });
    expect(at('old')).not.toHaveProperty('object');
    expect(delta(at('old'))).not.toHaveProperty('reasoning_content');
  });

  test('search results ride on the first chunk', () => {
    const search = { type: 'web_search', web_search: { enable: true, search_engine: 'search_pro' } };
    const { events } = ask('hi', { tools: [search] });
    expect(events[0]!['web_search']).toHaveLength(3);
    expect(events.slice(1).some((event) => 'web_search' in Object(event))).toBe(false);
  });
});

describe('tool calls', () => {
  test('come whole by default: one chunk a call, no role, 24 hex digits of id', () => {
    const { events } = ask(TWO_CALLS, tools);
    const chunks = events.filter((event) => typeof event !== 'string' && 'tool_calls' in delta(event));
    expect(chunks.map((event) => Object.keys(delta(event)))).toEqual([['tool_calls'], ['tool_calls']]);
    expect(fragments(events)).toEqual([
      {
        id: expect.stringMatching(/^call_[0-9a-f]{24}$/),
        index: 0,
        type: 'function',
        function: { name: 'count_boxes', arguments: '{"hall":"B"}' },
      },
      {
        id: expect.stringMatching(/^call_[0-9a-f]{24}$/),
        index: 1,
        type: 'function',
        function: { name: 'count_boxes', arguments: '{"hall":"C"}' },
      },
    ]);
    expect(fragments(events)[0]!.id).not.toBe(fragments(events)[1]!.id);
    expect(Object.keys(fragments(events)[0]!)).toEqual(['id', 'index', 'type', 'function']);
    expect(finishOf(events.at(-2)!)).toBe('tool_calls');
  });

  test('come in fragments with tool_stream', () => {
    const list = fragments(ask(TWO_CALLS, { ...tools, tool_stream: true }).events);
    expect(list.length).toBeGreaterThan(4);
    expect(assembled(list)).toEqual(['{"hall":"B"}', '{"hall":"C"}']);
    const heads = list.filter((fragment) => fragment.id !== undefined);
    expect(heads.map((head) => [head.index, head.type, head.function])).toEqual([
      [0, 'function', { name: 'count_boxes', arguments: '' }],
      [1, 'function', { name: 'count_boxes', arguments: '' }],
    ]);
  });

  test('stay whole with tool_stream where the family has none, and where nothing streams', () => {
    expect(fragments(ask(TWO_CALLS, { ...tools, tool_stream: true, model: 'glm-4.5' }).events)).toHaveLength(2);
    const whole = openDesk().ask({ body: saying(TWO_CALLS, { ...tools, tool_stream: true }) });
    expect(whole.json['choices']!['0']!['message']!['tool_calls']).toHaveLength(2);
  });

  test('dup-id repeats the id on every fragment', () => {
    const list = fragments(ask(`[[sim:tool-args value=dup-id]] ${TWO_CALLS}`, tools).events);
    expect(new Set(list.map((fragment) => fragment.id)).size).toBe(2);
    expect(list.length).toBeGreaterThan(4);
    expect(assembled(list)).toEqual(['{"hall":"B"}', '{"hall":"C"}']);
  });

  test('last-on-finish puts the last fragment on the finish chunk', () => {
    const { events } = ask(`[[sim:tool-args value=last-on-finish]] ${TWO_CALLS}`, tools);
    expect(finishOf(events.at(-2)!)).toBe('tool_calls');
    expect(delta(events.at(-2)!)['tool_calls']).toBeDefined();
    expect(assembled(fragments(events))).toEqual(['{"hall":"B"}', '{"hall":"C"}']);
    expect(assembled(fragments(events.slice(0, -2)))).not.toEqual(['{"hall":"B"}', '{"hall":"C"}']);
  });

  test('no-call finishes with tool_calls and shows none', () => {
    const { events } = ask(`[[sim:tool-args value=no-call]] ${TWO_CALLS}`, tools);
    expect(fragments(events)).toEqual([]);
    expect(finishOf(events.at(-2)!)).toBe('tool_calls');
  });
});

describe('failures inside a 200 stream', () => {
  const mid = 'mid-error after=2 code=1302';

  test('data: an ordinary data frame, then the close', () => {
    const told = ask(`[[sim:${mid}]] hi`);
    expect(told.events).toHaveLength(3);
    expect(told.events[2]).toEqual({ error: { code: '1302', message: expect.any(String) } });
    expect([told.status, told.accounting.errorCode]).toEqual([200, '1302']);
  });

  test('data with [DONE]', () => {
    expect(ask(`[[sim:${mid} done]] hi`).events.at(-1)).toBe('[DONE]');
  });

  test('data as the first and only frame, with the code of a code fault', () => {
    const told = ask('[[sim:code value=1305]] [[sim:form value=data]] hi');
    expect([told.status, told.type]).toEqual([200, 'text/event-stream;charset=UTF-8']);
    expect(told.events).toEqual([{ error: { code: '1305', message: expect.any(String) } }]);
  });

  test('event: an error event, then [DONE]', () => {
    const told = ask(`[[sim:${mid}]] [[sim:form value=event]] hi`, { request_id: 'relay-000001' });
    expect(told.frames.at(-2)).toMatch(
      /^event: error\ndata: \{"error":\{"code":"1302","message":"[^"]+"\},"request_id":"relay-000001"\}\n\n$/,
    );
    expect(told.frames.at(-1)).toBe('data: [DONE]\n\n');
    expect(told.frames).toHaveLength(4);
  });

  test('json: a whole JSON body with status 200', () => {
    const told = ask('[[sim:code value=1305]] [[sim:form value=json]] hi');
    expect([told.status, told.type]).toEqual([200, 'application/json; charset=UTF-8']);
    expect(told.json).toEqual({ error: { code: '1305', message: expect.any(String) } });
  });

  test('close: no finish chunk and no [DONE]', () => {
    const told = ask('[[sim:mid-error after=2 form=close]] hi');
    expect(told.frames).toHaveLength(2);
    expect(told.text).not.toContain('finish_reason');
  });

  test('finish: only the finish reason tells', () => {
    const told = ask('[[sim:mid-error after=2 form=finish]] hi');
    expect(told.events.map((event) => (typeof event === 'string' ? event : finishOf(event)))).toEqual([
      undefined,
      undefined,
      'network_error',
      '[DONE]',
    ]);
  });

  test('not streamed, the forms become a status, a 200 body or a finish reason', () => {
    const whole = (text: string) => openDesk().ask({ body: saying(text) });
    expect(whole('[[sim:form value=data]]')).toMatchObject({ status: 500, json: { error: { code: '1234' } } });
    expect(whole('[[sim:form value=json]]')).toMatchObject({ status: 200, json: { error: { code: '1234' } } });
    expect(finishOf(whole('[[sim:form value=finish]]').json)).toBe('network_error');
  });

  test.each(['network_error', 'model_context_window_exceeded', 'length'])('finish value=%s', (value) => {
    const told = ask(`[[sim:finish value=${value}]] hi`);
    expect(finishOf(told.events.at(-2)!)).toBe(value);
    expect(told.events.at(-2)!['usage']).toMatchObject({ prompt_tokens: told.accounting.promptTokens });
  });

  test('finish value=null ends without a finish reason', () => {
    expect(finishOf(ask('[[sim:finish value=null]] hi').events.at(-2)!)).toBeUndefined();
  });

  test('sensitive: text half out, usage null, content_filter', () => {
    const told = ask('[[sim:moderation where=output]] [[sim:say text="one two three four"]] hi', { thinking: { type: 'disabled' } });
    const last = told.events.at(-2)!;
    expect(finishOf(last)).toBe('sensitive');
    expect(last['usage']).toBeNull();
    expect(last['content_filter']).toEqual([{ role: 'assistant', level: 1 }]);
    expect(joined(told.events, 'content')).toMatch(/^one/);
    expect(joined(told.events, 'content')).not.toContain('four');
  });
});

test('content flags mark text and tool frames only, so that wire faults can count them', () => {
  const body = chatBody({ stream: true, thinking: { type: 'disabled' }, messages: [{ role: 'user', content: '[[sim:say text="a b"]]' }] });
  expect(openDesk().ask({ body }).contentFlags).toEqual([true, true, false, false]);
});
