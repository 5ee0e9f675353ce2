import { describe, expect, test } from 'vitest';
import type { OpenAIError } from '../../openai/errors.ts';
import { type CallListener, UpstreamCall } from '../../relay/upstream/upstream-call.ts';
import { wheelAt } from './wheel-by-hand.ts';

function call(timeouts = { firstByteMs: 100, idleMs: 50, totalMs: 1000 }) {
  const { wheel, at } = wheelAt();
  const heard: string[] = [];
  let listener: Partial<CallListener> = {};
  const made = new UpstreamCall(
    {
      onHead: (status) => {
        heard.push(`head ${status}`);
        listener.onHead?.(status, {});
      },
      onData: (chunk) => {
        heard.push(`data ${chunk}`);
        listener.onData?.(chunk);
      },
      onEnd: () => {
        heard.push('end');
        listener.onEnd?.();
      },
      onFail: (error: OpenAIError) => heard.push(`fail ${error.kind}`),
    },
    timeouts,
    wheel,
  );
  const did: string[] = [];
  const controller = {
    abort: () => did.push('abort'),
    pause: () => did.push('pause'),
    resume: () => did.push('resume'),
  } as never;
  return {
    made,
    wheel,
    at,
    heard,
    did,
    listen: (more: Partial<CallListener>) => {
      listener = more;
    },
    start: () => made.onRequestStart(controller),
    head: (status = 200) => made.onResponseStart(controller, status, {}),
    data: (text: string) => made.onResponseData(controller, Buffer.from(text)),
    end: () => made.onResponseEnd(),
    error: (error: Error) => made.onResponseError(controller, error),
  };
}

describe('time limits of a call', () => {
  test('no first byte', () => {
    const { at, heard, did, start, wheel } = call();
    start();
    at(99);
    expect(heard).toEqual([]);
    at(100);
    expect(heard).toEqual(['fail upstream_timeout']);
    expect(did).toEqual(['abort']);
    expect(wheel.size).toBe(0);
    at(5000);
    expect(heard).toHaveLength(1);
  });

  test('is overdue as soon as the time of one that began with it is over, and not once something has come', () => {
    const [silent, heard] = [call(), call()];
    for (const one of [silent, heard]) one.start();
    heard.head();
    heard.data('x');
    silent.at(49);
    expect(silent.made.overdue).toBe(false);
    silent.at(50);
    heard.at(200);
    expect([silent.made.overdue, heard.made.overdue]).toEqual([true, false]);
  });

  test('a head alone is no first byte', () => {
    const { at, heard, start, head } = call();
    start();
    at(90);
    head();
    at(100);
    expect(heard).toEqual(['head 200', 'fail upstream_timeout']);
  });

  test('silence within the body; each chunk moves the limit', () => {
    const { at, heard, start, head, data } = call();
    start();
    head();
    for (const ms of [40, 80, 120, 160]) {
      at(ms);
      data('x');
    }
    at(209);
    expect(heard.at(-1)).toBe('data x');
    at(210);
    expect(heard.at(-1)).toBe('fail upstream_timeout');
  });

  test('the whole call, however lively', () => {
    const { at, heard, start, head, data } = call({ firstByteMs: 100, idleMs: 50, totalMs: 200 });
    start();
    head();
    for (let ms = 10; ms < 200; ms += 10) {
      at(ms);
      data('x');
    }
    expect(heard.at(-1)).toBe('data x');
    at(200);
    expect(heard.at(-1)).toBe('fail upstream_timeout');
  });

  test('a total below the first byte', () => {
    const { at, heard, start } = call({ firstByteMs: 100, idleMs: 50, totalMs: 30 });
    start();
    at(30);
    expect(heard).toEqual(['fail upstream_timeout']);
  });

  test('while paused it is not the backend that is silent, but the total still counts', () => {
    const { made, at, heard, did, start, head, data } = call();
    start();
    head();
    at(10);
    data('x');
    made.pause();
    made.pause();
    data('in flight');
    at(500);
    made.resume();
    made.resume();
    expect(did).toEqual(['pause', 'resume']);
    at(549);
    expect(heard.at(-1)).toBe('data in flight');
    at(550);
    expect(heard.at(-1)).toBe('fail upstream_timeout');
    const paused = call();
    paused.start();
    paused.made.pause();
    paused.at(999);
    expect(paused.heard).toEqual([]);
    paused.at(1000);
    expect(paused.heard).toEqual(['fail upstream_timeout']);
  });

  test('hurry sets the end, however much is still said', () => {
    const { made, at, heard, start, head, data } = call();
    start();
    head();
    at(10);
    data('x');
    made.hurry(20);
    made.hurry(40);
    at(20);
    data('y');
    made.hurry(20);
    at(29);
    data('z');
    expect(heard.at(-1)).toBe('data z');
    at(30);
    expect(heard.at(-1)).toBe('fail upstream_timeout');
  });

  test('the hurry waits while paused: it is the caller who is slow', () => {
    const { made, at, heard, start, head, data } = call();
    start();
    head();
    at(10);
    data('x');
    made.hurry(20);
    at(15);
    made.pause();
    at(115);
    made.resume();
    at(129);
    expect(heard.at(-1)).toBe('data x');
    at(130);
    expect(heard.at(-1)).toBe('fail upstream_timeout');
  });
});

describe('exactly one end', () => {
  test('nothing is told after the end', () => {
    const { made, heard, did, start, head, data, end, error, at, wheel } = call();
    start();
    head();
    data('x');
    end();
    end();
    data('late');
    error(new Error('late'));
    made.abort();
    made.pause();
    at(10_000);
    expect(heard).toEqual(['head 200', 'data x', 'end']);
    expect(did).toEqual([]);
    expect(wheel.size).toBe(0);
  });

  test('an aborted call tells nothing', () => {
    const { made, heard, did, start, head, data, end, error, wheel } = call();
    start();
    head();
    made.abort();
    made.abort();
    data('late');
    end();
    error(new Error('aborted'));
    expect(heard).toEqual(['head 200']);
    expect(did).toEqual(['abort']);
    expect(wheel.size).toBe(0);
  });

  test('aborted before it had a socket: aborted at the socket', () => {
    const { made, heard, did, start } = call();
    made.abort();
    expect(did).toEqual([]);
    start();
    expect(did).toEqual(['abort']);
    expect(heard).toEqual([]);
  });

  test('an interim head is no answer', () => {
    const { heard, start, head } = call();
    start();
    head(103);
    head(100);
    head(200);
    expect(heard).toEqual(['head 200']);
  });

  test.each(['onHead', 'onData', 'onEnd'] as const)('what %s throws becomes the failure', (where) => {
    const { heard, did, listen, start, head, data, end } = call();
    listen({
      [where]: () => {
        throw new TypeError('a mistake');
      },
    });
    start();
    head();
    data('x');
    end();
    expect(heard.filter((entry) => entry.startsWith('fail'))).toEqual(['fail upstream_invalid_response']);
    expect(heard.at(-1)).toMatch(/^fail/);
    expect(did).toEqual(where === 'onEnd' ? [] : ['abort']);
  });

  test('a listener that aborts while it listens hears no more', () => {
    const { made, heard, listen, start, head, data, end } = call();
    listen({ onData: () => made.abort() });
    start();
    head();
    data('x');
    data('y');
    end();
    expect(heard).toEqual(['head 200', 'data x']);
  });
});
