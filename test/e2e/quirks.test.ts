import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCompletion, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { expectBrokenStream, expectRefusal } from './refusals.ts';
import { type Rig, startRig, user } from './rig.ts';
import { BOTH, BOTH_ARGS, TIME, WEATHER } from './tools.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

type VendorName = 'qwen' | 'ernie' | 'glm';
const SAY = 'Der alte Turm, 灯塔 und 🗼 am Meer.';

function fault(vendor: VendorName, text: string): void {
  for (const one of text.split(', ')) {
    const [name = '', ...args] = one.split(' ');
    rig.simulator.setFault({ name, vendor, args: Object.fromEntries(args.map((arg) => arg.split('='))) });
  }
}

/** Oddities of each vendor's good answers; a caller must see nothing of them. */
const HARMLESS: readonly [VendorName, string][] = [
  ['qwen', 'usage-always'],
  ['qwen', 'fragments variant=empty-id'],
  ['qwen', 'fragments variant=repeat-id'],
  ['qwen', 'fragments variant=null-name'],
  ['qwen', 'fragments variant=null-arguments'],
  ['qwen', 'fragments variant=trailing'],
  ['ernie', 'variant value=A'],
  ['ernie', 'variant value=B'],
  ['ernie', 'variant value=C'],
  ['ernie', 'usage value=finish'],
  ['ernie', 'usage value=every'],
  ['ernie', 'usage value=own'],
  ['ernie', 'object value=chat.completion'],
  ['ernie', 'model-echo value=somebody-else'],
  ['ernie', 'tool-args value=split'],
  ['ernie', 'tool-args value=split, tool-index value=missing'],
  ['ernie', 'tool-index value=missing'],
  ['ernie', 'event-line'],
  ['ernie', 'done-tail'],
  ['ernie', 'rate-headers value=both'],
  ['ernie', 'flag value=1'],
  ['ernie', 'variant value=B, event-line, crlf, split bytes=3'],
  ['glm', 'profile value=2025'],
  ['glm', 'profile value=old'],
  ['glm', 'profile value=strict'],
  ['glm', 'tool-args value=dup-id'],
  ['glm', 'tool-args value=last-on-finish'],
  ['glm', 'tool-args value=object'],
  ['glm', 'shape value=model to=glm-5.3'],
  ['glm', 'tool-args value=dup-id, crlf, comments, split bytes=5'],
];

describe.each(HARMLESS)('%s: %s', (vendor, text) => {
  const model = `${vendor}-chat`;

  test('text', async () => {
    fault(vendor, text);
    const body = { model, messages: [user(`[[sim:say text="${SAY}"]]`)] };
    const whole = await rig.raw(body);
    expect(whole.status, whole.text).toBe(200);
    expect(checkCompletion(whole.json())).toEqual([]);
    expect(whole.json()['model']).toBe(model);
    const seen = (await rig.raw({ ...body, stream: true, stream_options: { include_usage: true } })).stream(true);
    expect(seen.problems).toEqual([]);
    for (const { choices, usage } of [foldCompletion(whole.json()), foldStream(seen.chunks)]) {
      expect(choices).toMatchObject([{ index: 0, refusal: null, finish_reason: 'stop' }]);
      // GLM's answers of 2025 begin with an empty line, which is the vendor's text like any other.
      expect(choices[0]?.content?.replace(/^\n/, '')).toBe(SAY);
      expect(usage?.['completion_tokens']).toBeGreaterThan(5);
    }
    expect(foldStream(seen.chunks).usage).toEqual(foldCompletion(whole.json()).usage);
  });

  test('tool calls', async () => {
    fault(vendor, text);
    const body = { model, messages: [user(BOTH)], tools: [WEATHER, TIME] };
    const whole = await rig.raw(body);
    expect(checkCompletion(whole.json())).toEqual([]);
    const seen = (await rig.raw({ ...body, stream: true })).stream();
    expect(seen.problems).toEqual([]);
    for (const { choices } of [foldCompletion(whole.json()), foldStream(seen.chunks)]) {
      expect(choices[0]?.finish_reason).toBe('tool_calls');
      expect(choices[0]?.tool_calls?.map((call) => call.function.name)).toEqual(['get_weather', 'get_time']);
      expect(choices[0]?.tool_calls?.map((call) => JSON.parse(call.function.arguments) as unknown)).toEqual(BOTH_ARGS);
    }
  });
});

/** Ends that are no good answer: a finish reason that says so, or an error, whole and streamed. */
test.each([
  ['ernie', 'flag value=2', 'content_filter'],
  ['ernie', 'flag value=3', 'content_filter'],
  ['ernie', 'flag value=4', 'content_filter'],
  ['ernie', 'flag value=3 as=string', 'content_filter'],
  ['ernie', 'need-clear-history, flag value=2', 'content_filter'],
  ['ernie', 'finish value=content_filter', 'content_filter'],
  ['ernie', 'finish value=length', 'length'],
  ['glm', 'finish value=sensitive', 'content_filter'],
  ['glm', 'finish value=length', 'length'],
  ['glm', 'finish value=model_context_window_exceeded', 'length'],
] as const)('%s %s finishes with %s', async (vendor, text, expected) => {
  fault(vendor, text);
  const body = { model: `${vendor}-chat`, messages: [user('[[sim:tokens n=20]]')] };
  const whole = await rig.raw(body);
  expect(whole.status, whole.text).toBe(200);
  expect(checkCompletion(whole.json())).toEqual([]);
  expect(foldCompletion(whole.json()).choices[0]?.finish_reason).toBe(expected);
  const seen = (await rig.raw({ ...body, stream: true })).stream();
  expect(seen.problems).toEqual([]);
  expect(foldStream(seen.chunks).choices[0]?.finish_reason).toBe(expected);
});

test('text that the vendor withdraws before it is shown stays out', async () => {
  fault('ernie', 'flag value=3');
  const body = { model: 'ernie-chat', messages: [user(`[[sim:say text="${SAY}"]]`)] };
  for (const stream of [false, true]) expect((await rig.raw({ ...body, stream })).text).not.toContain('Meer');
});

/** Streams that fail in a vendor's own way after some text. */
test.each([
  ['ernie', 'mid-error after=3 as=data', 'upstream_overloaded'],
  ['ernie', 'mid-error after=3 as=bare', 'upstream_overloaded'],
  ['ernie', 'mid-error after=3 as=close', 'upstream_truncated'],
  ['ernie', 'mid-error after=3 code=rpm_rate_limit_exceeded', 'limit_requests'],
  ['ernie', 'finish value=none', 'upstream_truncated'],
  ['glm', 'mid-error after=3 form=data', 'upstream_overloaded'],
  ['glm', 'mid-error after=3 form=data done=true', 'upstream_overloaded'],
  ['glm', 'mid-error after=3 form=event', 'upstream_overloaded'],
  ['glm', 'mid-error after=3 form=close', 'upstream_truncated'],
  ['glm', 'mid-error after=3 form=finish', 'upstream_truncated'],
  ['glm', 'mid-error after=3 code=1113', 'upstream_out_of_credit'],
  ['glm', 'finish value=network_error', 'upstream_truncated'],
  ['glm', 'finish value=null', 'upstream_truncated'],
  ['qwen', 'mid-error after=3 code=limit_requests', 'limit_requests'],
  ['qwen', 'mid-error after=3 code=Arrearage', 'upstream_out_of_credit'],
] as const)('%s %s: one error event', async (vendor, text, name) => {
  fault(vendor, text);
  expectBrokenStream(await rig.raw({ model: `${vendor}-chat`, messages: [user('[[sim:tokens n=20]]')], stream: true }), name);
});

/** The same before any text: a status. */
test.each([
  ['ernie', 'mid-error after=0 as=bare', 'upstream_overloaded'],
  ['glm', 'form value=data code=1113', 'upstream_out_of_credit'],
  ['glm', 'form value=event code=1302', 'limit_requests'],
  ['glm', 'form value=json code=1261', 'context_length_exceeded'],
  ['glm', 'form value=close', 'upstream_truncated'],
  ['glm', 'form value=finish', 'upstream_truncated'],
] as const)('%s %s as the first frame: %s', async (vendor, text, name) => {
  fault(vendor, text);
  const answer = await rig.raw({ model: `${vendor}-chat`, messages: [user('[[sim:tokens n=20]]')], stream: true });
  expectRefusal(answer, name);
});

test('a stream asked for and a whole answer given is told as a stream', async () => {
  fault('ernie', 'shape value=json');
  const answer = await rig.raw({ model: 'ernie-chat', messages: [user(`[[sim:say text="${SAY}"]]`)], stream: true });
  expect(answer.stream()).toMatchObject({ problems: [], error: null, done: true });
  expect(foldStream(answer.stream().chunks).choices[0]?.content).toBe(SAY);
});

test('a vendor that tells no usage is counted by estimate, and the stream stays good', async () => {
  fault('ernie', 'usage value=never');
  const answer = await rig.raw({
    model: 'ernie-chat',
    messages: [user('[[sim:tokens n=40]]')],
    stream: true,
    stream_options: { include_usage: true },
  });
  expect(answer.stream(true).problems).toEqual([]);
  const { usage } = answer.record();
  expect(usage).toMatchObject({ source: 'estimated' });
  expect(usage?.completionTokens).toBeGreaterThanOrEqual(40);
});
