import { describe, expect, test } from 'vitest';
import type { ChatEvents, Usage } from '../../openai/chat/events.ts';
import type { ChatRequest } from '../../openai/chat/request.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { ChatLeg, type LegOwner } from '../../relay/chat/chat-leg.ts';
import { estimatedUsage, mergedUsage } from '../../relay/chat/estimate.ts';
import { LegMeter } from '../../relay/chat/legs.ts';
import { qwenCompatible } from '../../translators/qwen/compatible.ts';
import { qwenNative } from '../../translators/qwen/native.ts';
import { completion, DONE, finishFrame, roleFrame, textFrame, usageFrame } from './backends.ts';
import { JSON_TYPE, type Posted, rig, SSE, usage } from './run-rig.ts';

describe('one leg', () => {
  test('a caller who had left before the start: nothing is sent, nothing used, nothing stays behind', async () => {
    for (const stream of [false, true]) {
      const { run, posted, wheel, out } = rig({ stream });
      run.callerGone(false);
      const result = await run.start();
      expect(result).toMatchObject({ json: null, error: null, gone: true, usage: usage(0, 0), firstByteAtMs: null });
      expect(posted).toHaveLength(0);
      expect(wheel.size).toBe(0);
      expect(out).toEqual([]);
    }
  });

  test('it settles once, whatever comes after', async () => {
    const { run, posted, out, wheel } = rig({ stream: true });
    const result = run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, SSE);
    leg.say(roleFrame, textFrame('a'), finishFrame(), usageFrame, DONE);
    leg.listener.onEnd();
    const before = out.length;
    leg.listener.onFail(new OpenAIError('upstream_truncated', 'late'));
    leg.say(textFrame('late'));
    run.callerGone(false);
    expect(await result).toMatchObject({ error: null, gone: false, usage: { prompt: 3, completion: 2 } });
    expect(out).toHaveLength(before);
    expect(out.at(-1)).toMatch(/\[DONE\]\n\n<end>$/);
    expect(wheel.size).toBe(0);
  });

  test('a status in a comment of the stream reaches the translator before the event it is of', async () => {
    const { run, posted } = rig({ stream: true, translator: qwenNative });
    const result = run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, SSE);
    // No table knows the code: only the status says whose fault it is.
    const event = 'data:{"code":"SomethingNew","message":"The words","request_id":"r"}\n\n';
    expect(() => leg.say('id:1\nevent:error\n:HTTP_STATUS/', `400\n${event}`)).toThrowError(
      expect.objectContaining({ kind: 'invalid_request' }),
    );
    run.callerGone(false);
    await result;
  });

  test('events of a stream that came as anything else are read as a refusal', async () => {
    const { run, posted } = rig({ stream: true, translator: qwenNative });
    const result = run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, JSON_TYPE);
    leg.say('id:1\nevent:error\n:HTTP_STATUS/429\ndata:{"code":"Throttling.RateQuota","message":"m","request_id":"r"}\n\n');
    expect(() => leg.listener.onEnd()).toThrowError(expect.objectContaining({ kind: 'upstream_rate_limit_requests' }));
    run.callerGone(false);
    await result;
  });

  test('after the finish the backend has five seconds for the usage', async () => {
    const { run, posted } = rig({ stream: true });
    void run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, SSE);
    leg.say(roleFrame, textFrame('a'));
    expect(leg.did).toEqual([]);
    leg.say(finishFrame());
    expect(leg.did).toEqual(['hurry 5000']);
  });

  test('back-pressure pauses every leg once, and drain resumes it', async () => {
    const { run, posted, fill, drain } = rig({ stream: true, emulation: { choices: 2 } });
    void run.start();
    const [first, second] = posted as [Posted, Posted];
    for (const { listener } of posted) listener.onHead(200, SSE);
    fill();
    first.say(textFrame('a'));
    second.say(textFrame('b'));
    // What one read brought leaves in one write, after it.
    await new Promise(setImmediate);
    expect([first.did, second.did]).toEqual([['pause'], ['pause']]);
    drain();
    expect([first.did, second.did]).toEqual([
      ['pause', 'resume'],
      ['pause', 'resume'],
    ]);
  });
});

test('a stop word ends the call at once', async () => {
  const { run, posted, out } = rig({ stream: true, emulation: { stop: ['END'] } });
  const result = run.start();
  const [leg] = posted as [Posted];
  leg.listener.onHead(200, SSE);
  leg.say(roleFrame, textFrame('one E'), textFrame('N'));
  expect(out.join('')).not.toContain('E"');
  leg.say(textFrame('D two'));
  expect(await result).toMatchObject({ error: null, usage: { estimated: true } });
  expect(leg.did).toEqual(['abort']);
  expect(out.join('')).toContain('"finish_reason":"stop"');
  expect(out.join('')).not.toContain('two');
  expect(out.at(-1)).toMatch(/\[DONE\]\n\n<end>$/);
});

describe('a leg', () => {
  const owner = () => {
    const told: string[] = [];
    const it: LegOwner = {
      progressed: () => void told.push('progressed'),
      ended: () => void told.push('ended'),
      failed: (_leg, error) => void told.push(`failed ${error.kind}`),
    };
    return { told, it };
  };
  const sink = new Proxy({}, { get: () => () => undefined }) as ChatEvents;

  test('tells its owner of one end, and of nothing once it was aborted', () => {
    const { told, it } = owner();
    const leg = new ChatLeg(qwenCompatible, sink, it, (text) => text);
    leg.onHead(200, SSE);
    leg.onData(Buffer.from(textFrame('a')));
    leg.abort();
    expect(leg.over).toBe(true);
    leg.onData(Buffer.from(textFrame('b')));
    leg.onEnd();
    leg.onFail(new OpenAIError('upstream_timeout', 'late'));
    expect(told).toEqual(['progressed']);
  });

  test.each([201, 202, 206])('an answer with status %d is one', (status) => {
    const { told, it } = owner();
    const leg = new ChatLeg(qwenCompatible, sink, it, (text) => text);
    leg.onHead(status, JSON_TYPE);
    leg.onData(Buffer.from(completion('x')));
    leg.onEnd();
    expect(told).toEqual(['ended']);
  });

  test.each([301, 304, 400, 500])('one with status %d is a refusal', (status) => {
    const { it } = owner();
    const leg = new ChatLeg(qwenCompatible, sink, it, (text) => text);
    leg.onHead(status, JSON_TYPE);
    leg.onData(Buffer.from('{}'));
    expect(() => leg.onEnd()).toThrow(OpenAIError);
  });
});

describe('usage', () => {
  test('of several legs', () => {
    expect(mergedUsage([])).toEqual(usage(0, 0));
    expect(mergedUsage([usage(5, 2)])).toEqual(usage(5, 2));
    const second = { prompt: 9, completion: 3, cached: 7, reasoning: 1, estimated: true };
    expect(mergedUsage([{ prompt: 5, completion: 2, cached: 4, reasoning: 2 }, second])).toEqual({
      prompt: 5,
      completion: 5,
      cached: 4,
      reasoning: 3,
      estimated: true,
    });
  });

  const metered = (...texts: string[]): LegMeter => {
    const meter = new LegMeter(new Proxy({}, { get: () => () => undefined }) as ChatEvents);
    for (const text of texts) meter.text(0, text);
    return meter;
  };
  const asked = (content: string): ChatRequest => ({ model: 'm', messages: [{ role: 'user', content }] }) as unknown as ChatRequest;

  test('estimates: marked, never nothing for a prompt, more for more, more for Chinese', () => {
    const of = (content: string, ...texts: string[]): Usage => estimatedUsage(asked(content), metered(...texts));
    expect(of('')).toMatchObject({ estimated: true, completion: 0 });
    expect(of('').prompt).toBeGreaterThan(0);
    expect(of('a'.repeat(4000)).prompt - of('').prompt).toBe(1000);
    expect(of('你'.repeat(1500)).prompt - of('').prompt).toBe(1000);
    expect(of('', 'x'.repeat(400)).completion).toBe(100);
    expect(of('', ...Array.from({ length: 50 }, () => 'x')).completion).toBe(50);
  });

  test('a large prompt is estimated in linear time', () => {
    const startedAt = performance.now();
    estimatedUsage(asked('a b '.repeat(1_000_000)), metered());
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
