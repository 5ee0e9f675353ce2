import { describe, expect, test } from 'vitest';
import { OpenAIError } from '../../openai/errors.ts';
import type { Emulation } from '../../translators/translator.ts';
import { completion, roleFrame, textFrame } from './backends.ts';
import { JSON_TYPE, type Posted, rig, SSE, usage } from './run-rig.ts';

describe('several legs for `n`', () => {
  test('each has its own id; choices are numbered; the prompt counts once, what was paid for every time', async () => {
    const { run, posted } = rig({ emulation: { choices: 3 }, body: { seed: 2 ** 31 - 1 } });
    const result = run.start();
    expect(new Set(posted.map(({ id }) => id)).size).toBe(3);
    expect(new Set(posted.map(({ body }) => body['seed'])).size).toBe(3);
    for (const { body } of posted) expect(body['seed']).toBeLessThan(2 ** 31);
    posted.forEach(({ listener, say }, index) => {
      listener.onHead(200, JSON_TYPE);
      say(completion(`answer ${index}`));
    });
    // They end in any order.
    for (const { listener } of posted.toReversed()) listener.onEnd();
    const { json, usage: merged, paid } = await result;
    const body = JSON.parse(json as string) as { choices: { index: number; message: { content: string } }[]; usage: object };
    expect(body.choices.map(({ index, message }) => `${index} ${message.content}`)).toEqual(['0 answer 0', '1 answer 1', '2 answer 2']);
    expect(body.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 });
    expect(merged).toMatchObject({ prompt: 3, completion: 6 });
    expect(paid.map(({ prompt }) => prompt)).toEqual([3, 3, 3]);
  });

  test('one that fails ends all', async () => {
    const { run, posted } = rig({ emulation: { choices: 2 } });
    const result = run.start();
    const [first, second] = posted as [Posted, Posted];
    first.listener.onFail(new OpenAIError('upstream_overloaded', 'busy'));
    await expect(result).rejects.toMatchObject({ kind: 'upstream_overloaded' });
    expect(second.did).toEqual(['abort']);
    second.listener.onHead(200, JSON_TYPE);
    second.say(completion('late'));
    second.listener.onEnd();
  });

  test('in a stream that has begun, one that is refused costs nothing, and the others what they are likely to', async () => {
    const { run, posted } = rig({ stream: true, emulation: { choices: 3 } });
    const result = run.start();
    const [first, second, third] = posted as [Posted, Posted, Posted];
    first.listener.onHead(200, SSE);
    first.say(roleFrame, textFrame('a'));
    third.waiting = true;
    second.listener.onFail(new OpenAIError('upstream_overloaded', 'busy'));
    expect(await result).toMatchObject({ error: { kind: 'upstream_overloaded' }, paid: [{ completion: 1, estimated: true }] });
    expect(run.sent).toBe(2);
  });

  test('those that are silent for as long as the one that was given up cost nothing, whoever has begun does', async () => {
    const { run, posted } = rig({ stream: true, emulation: { choices: 4 } });
    const result = run.start();
    const [first, second, third] = posted as [Posted, Posted, Posted];
    first.listener.onHead(200, SSE);
    first.say(roleFrame, textFrame('a'));
    for (const late of [first, second, third]) late.overdue = true;
    second.listener.onFail(new OpenAIError('upstream_timeout', 'late'));
    expect((await result).paid.map(({ completion }) => completion)).toEqual([1, 0]);
  });

  test('one that breaks off costs what had come of it', async () => {
    const { run, posted } = rig({ stream: true });
    const result = run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, SSE);
    leg.say(roleFrame, textFrame('a'));
    leg.listener.onFail(new OpenAIError('upstream_truncated', 'cut'));
    expect((await result).paid).toMatchObject([{ completion: 1, estimated: true }]);
  });

  test.each<[string, Emulation, string]>([
    ['a call that must come', { mustCall: { name: null } }, 'I would rather talk about it.'],
    ['a JSON mode', { json: { schema: null } }, 'Here it comes:'],
    ['a stop word', { stop: ['###'] }, '##'],
  ])('what is held back for %s costs like all that came', async (_, emulation, text) => {
    const { run, posted } = rig({ emulation });
    const result = run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, SSE);
    leg.say(roleFrame, textFrame(text));
    leg.listener.onFail(new OpenAIError('upstream_truncated', 'cut'));
    await expect(result).rejects.toMatchObject({ kind: 'upstream_truncated' });
    expect(run.paid).toMatchObject([{ completion: Math.ceil(text.length / 4), estimated: true }]);
  });

  test('a fault of ours in the making of one is told as such, and ends those that were sent', async () => {
    const fault = new TypeError('x');
    const { run, posted } = rig({
      emulation: { choices: 3 },
      before: (made) => {
        if (made === 1) throw fault;
      },
    });
    await expect(run.start()).rejects.toMatchObject({ kind: 'internal_error', status: 500, cause: fault });
    expect(posted.map(({ did }) => did)).toEqual([['abort']]);
    expect(run.paid).toHaveLength(1);
  });

  test('fewer choices than were asked for is no whole answer', async () => {
    const { run, posted } = rig({ body: { n: 2 } });
    const result = run.start();
    const [leg] = posted as [Posted];
    leg.listener.onHead(200, JSON_TYPE);
    leg.say(completion('only one'));
    leg.listener.onEnd();
    await expect(result).rejects.toMatchObject({ kind: 'upstream_truncated', details: { param: 'n' } });
  });
});

test('a call that is given up since its caller has left is paid, also in the moment in which its time is over', async () => {
  const { run, posted } = rig();
  const result = run.start();
  (posted[0] as Posted).overdue = true;
  run.callerGone(false);
  expect((await result).paid).toHaveLength(1);
});

describe.each([true, false])('calls that wait for a connection when the caller leaves, drain %s', (drain) => {
  const left = (...waiting: boolean[]) => {
    const { run, posted } = rig({ emulation: { choices: waiting.length } });
    const result = run.start();
    for (const [number, is] of waiting.entries()) (posted[number] as Posted).waiting = is;
    run.callerGone(drain);
    return { run, posted, result };
  };

  test('all of them: none is sent any more, and none is paid', async () => {
    const { result, posted } = left(true, true);
    expect(await result).toMatchObject({ gone: true, error: null, paid: [], usage: usage(0, 0) });
    expect(posted.map(({ did }) => did)).toEqual([['abort'], ['abort']]);
  });

  test('some: none of those is sent any more', () => {
    const { posted } = left(false, true, true);
    expect(posted.map(({ did }) => did.includes('abort'))).toEqual([!drain, true, true]);
  });

  test('some: those that were sent are paid', async () => {
    const { run, result } = left(false, true, true);
    run.cut(new OpenAIError('draining', 'x'));
    const { paid } = await result;
    expect(paid).toMatchObject([{ estimated: true }]);
  });
});

describe('a caller who drains leaves while one call waits for a connection: the answer ends with what was sent', () => {
  const drained = { gone: true, error: null, drained: true, paid: [{ prompt: 3, completion: 2 }] };
  const finish = ({ listener, say }: Posted): void => {
    listener.onHead(200, JSON_TYPE);
    say(completion('one'));
    listener.onEnd();
  };

  test.each([
    ['before', true],
    ['after', false],
  ])('which had ended %s: %s', async (_, before) => {
    const { run, posted } = rig({ emulation: { choices: 2 } });
    const result = run.start();
    const [sent, waiting] = posted as [Posted, Posted];
    waiting.waiting = true;
    if (before) finish(sent);
    run.callerGone(true);
    if (!before) finish(sent);
    expect(await result).toMatchObject(drained);
  });
});

test.each([true, false])('a caller who left before the start costs nothing, drain %s', async (drain) => {
  const { run, posted } = rig();
  run.callerGone(drain);
  expect(await run.start()).toMatchObject({ gone: true, paid: [] });
  expect(posted).toEqual([]);
});
