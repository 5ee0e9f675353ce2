import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Usage } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import type { CallListener, UpstreamCall } from '../../relay/upstream/upstream-call.ts';
import { SplitRun } from '../../relay/vectors/split-run.ts';
import type { Share } from '../../translators/vectors-translator.ts';

/** Calls that were made, answered by hand. */
interface Made {
  readonly path: string;
  readonly body: { readonly from: number };
  readonly id: string;
  readonly listener: CallListener;
  aborted: boolean;
  /** A connection is not free for it. */
  unsent: boolean;
  /** It has been silent for too long. */
  overdue: boolean;
}

let made: Made[] = [];
let taken: Share[] = [];
beforeEach(() => {
  made = [];
  taken = [];
});
/** However a run ended, no call of it goes on. */
afterEach(() => expect(made.filter((call) => !call.aborted && !over.has(call))).toEqual([]));
const over = new WeakSet<Made>();

const usage = (prompt: number): Usage => ({ prompt, completion: 0, cached: 0, reasoning: 0 });

function run(
  calls: number,
  tell: (share: Share) => Usage | null = () => usage(10),
  write: (from: number) => object = (from) => ({ from }),
) {
  const shares = Array.from({ length: calls }, (_, index) => ({ from: index, to: index + 1 }));
  return new SplitRun({
    plan: { path: '/p', shares, body: ({ from }) => write(from) as Record<string, unknown> },
    requestId: 'req_1',
    post: (path, body, id, listener) => {
      const call: Made = { path, body: JSON.parse(body), id, listener, aborted: false, unsent: false, overdue: false };
      made.push(call);
      const upstream = {
        abort: () => void (call.aborted = true),
        get unsent() {
          return call.unsent;
        },
        get overdue() {
          return call.overdue;
        },
      };
      return upstream as unknown as UpstreamCall;
    },
    take: (body, share) => {
      if ((body as { bad?: true }).bad)
        throw new OpenAIError('upstream_invalid_response', 'The backend sent nothing of use.', { fallback: true });
      taken.push(share);
      return tell(share);
    },
    failure: ({ status, body }, { from }) => new OpenAIError('invalid_value', `${status} ${body} secret`, { param: `input[${from}]` }),
    estimate: () => ({ ...usage(3), estimated: true }),
    redact: (text) => text.replace('secret', '***'),
  });
}

function answer(number: number, body: unknown = {}, status = 200): void {
  const call = made[number] as Made;
  over.add(call);
  try {
    call.listener.onHead(status, { 'x-request-id': `vendor-${number}` });
    call.listener.onData(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
    call.listener.onEnd();
  } catch (error) {
    call.listener.onFail(error as OpenAIError);
  }
}

describe('a run', () => {
  test('has four calls at a time at most, in order, each under an id of its own', async () => {
    const running = run(9);
    const result = running.start();
    for (let next = 0; next < 9; next++) {
      expect(made.length).toBe(Math.min(9, next + 4));
      answer(next);
    }
    expect(await result).toEqual({
      error: null,
      usage: { ...usage(90), estimated: false },
      paid: new Array(9).fill(usage(10)),
      firstByteAtMs: null,
      gone: false,
    });
    expect(running.signals).toEqual({ vendorRequestId: 'vendor-0' });
    expect(made.map(({ body }) => body.from)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(made.map(({ id }) => id)).toEqual(['req_1', ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `req_1-${number}`)]);
    expect(new Set(made.map(({ path }) => path))).toEqual(new Set(['/p']));
  });

  test('does not mind the order of the answers', async () => {
    const result = run(4).start();
    for (const number of [2, 0, 3, 1]) answer(number);
    await result;
    expect(taken.map(({ from }) => from)).toEqual([2, 0, 3, 1]);
  });

  test('estimates what the vendor does not count', async () => {
    const result = run(2, ({ from }) => (from === 0 ? usage(10) : null)).start();
    answer(0);
    answer(1);
    expect((await result).usage).toEqual({ ...usage(13), estimated: true });
  });

  test('fails as a whole: the others are cancelled and booked by estimate, and none is made any more', async () => {
    const running = run(9);
    const result = running.start();
    answer(1);
    answer(0, 'no', 400);
    await expect(result).rejects.toMatchObject({ message: '400 no ***', details: { param: 'input[0]' } });
    expect(made.length).toBe(5);
    expect(made.map(({ aborted }) => aborted)).toEqual([false, false, true, true, true]);
    // The vendor works on those; the one that failed costs nothing.
    expect(running.told).toEqual([usage(10), ...new Array(3).fill({ ...usage(3), estimated: true })]);
    expect(running.sent).toBe(5);
    answer(2);
    expect(taken.length).toBe(1);
  });

  test.each<[string, OpenAIError, number]>([
    ['overload: the others may be worked on', new OpenAIError('upstream_overloaded', 'x'), 3],
    ['a bad key: the others are refused, too', new OpenAIError('upstream_auth', 'x'), 0],
    ['an empty account: the others are refused, too', new OpenAIError('upstream_out_of_credit', 'x'), 0],
    ['a wrong text: the others have texts of their own', new OpenAIError('invalid_value', 'x'), 3],
  ])('%s', async (_, error, paid) => {
    const running = run(4);
    const result = running.start();
    over.add(made[0] as Made);
    made[0]?.listener.onFail(error);
    await expect(result).rejects.toBe(error);
    expect([running.told.length, running.sent]).toEqual([paid, 4]);
  });

  test('a fault of ours in the making of one is told as such, and ends the others', async () => {
    const fault = new TypeError('x');
    const running = run(4, undefined, (from) => {
      if (from === 2) throw fault;
      return { from };
    });
    await expect(running.start()).rejects.toMatchObject({ kind: 'internal_error', status: 500, cause: fault });
    expect(made.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test('silence: those that have been silent for as long cost nothing, either', async () => {
    const running = run(4);
    const result = running.start();
    for (const number of [0, 1, 2]) (made[number] as Made).overdue = true;
    over.add(made[0] as Made);
    made[0]?.listener.onFail(new OpenAIError('upstream_timeout', 'x'));
    await expect(result).rejects.toMatchObject({ kind: 'upstream_timeout' });
    expect([running.told.length, running.sent]).toEqual([1, 4]);
  });

  test.each<[string, unknown]>([
    ['of no use', { bad: true }],
    ['no JSON', '{'],
  ])('fails for an answer that is %s', async (_, body) => {
    const result = run(1).start();
    answer(0, body);
    await expect(result).rejects.toMatchObject({ kind: 'upstream_invalid_response', details: { fallback: true } });
  });
});

describe('a caller who leaves', () => {
  test('ends the calls; those under way are booked by estimate, the rest is not made', async () => {
    const running = run(9);
    const result = running.start();
    answer(0);
    running.callerGone(false);
    expect(made.filter(({ aborted }) => aborted).length).toBe(4);
    expect(await result).toEqual({
      error: null,
      usage: { ...usage(10 + 4 * 3), estimated: true },
      paid: [usage(10), ...new Array(4).fill({ ...usage(3), estimated: true })],
      firstByteAtMs: null,
      gone: true,
    });
    expect(made.length).toBe(5);
  });

  test('in the moment in which the time of a call is over: it is booked all the same', async () => {
    const running = run(1);
    const result = running.start();
    (made[0] as Made).overdue = true;
    running.callerGone(false);
    expect((await result).paid).toHaveLength(1);
  });

  test('before the start: nothing is sent', async () => {
    const running = run(9);
    running.callerGone(false);
    expect(await running.start()).toMatchObject({ gone: true, paid: [], usage: usage(0) });
    expect(made).toEqual([]);
  });

  test('drain: what was asked is read to learn its cost, and nothing more is asked', async () => {
    const running = run(9);
    const result = running.start();
    answer(0);
    running.callerGone(true);
    for (const next of [1, 2, 3, 4]) {
      expect(made[next]?.aborted).toBe(false);
      answer(next);
    }
    expect(await result).toMatchObject({ gone: true, drained: true, error: null, usage: usage(50), paid: new Array(5).fill(usage(10)) });
    expect(made).toHaveLength(5);
  });

  test('drain, then the end of the process: what is on its way is booked by estimate', async () => {
    const running = run(9);
    const result = running.start();
    running.callerGone(true);
    answer(0);
    running.cut(new OpenAIError('draining', 'The relay is shutting down.'));
    const ended = await result;
    expect(ended).toMatchObject({ gone: true, error: { kind: 'draining' }, usage: { ...usage(19), estimated: true } });
    expect(ended).not.toHaveProperty('drained');
    expect(made).toHaveLength(4);
  });

  test('drain: a failure then ends the others, which are booked by estimate, and no other backend asked', async () => {
    const running = run(6);
    const result = running.start();
    answer(0);
    running.callerGone(true);
    answer(1, 'no', 500);
    expect(await result).toMatchObject({ gone: true, error: { message: '500 no ***' }, usage: { ...usage(10 + 3 * 3), estimated: true } });
  });
});

describe('calls that wait for a connection', () => {
  const wait = (...numbers: number[]): void => {
    for (const number of numbers) (made[number] as Made).unsent = true;
  };

  test.each([true, false])('cost nothing when the caller leaves, drain %s', async (drain) => {
    const running = run(3);
    const result = running.start();
    wait(0, 1, 2);
    running.callerGone(drain);
    expect(await result).toMatchObject({ gone: true, error: null, paid: [] });
    expect(running.sent).toBe(0);
  });

  test('are not made for a caller who has left; those that were are drained', async () => {
    const running = run(9);
    const result = running.start();
    wait(2, 3);
    running.callerGone(true);
    expect(made.map(({ aborted }) => aborted)).toEqual([false, false, true, true]);
    answer(0);
    answer(1);
    expect(await result).toMatchObject({ gone: true, drained: true, paid: [usage(10), usage(10)] });
    expect(running.sent).toBe(2);
    expect(made).toHaveLength(4);
  });

  test('cost nothing when another fails', async () => {
    const running = run(4);
    const result = running.start();
    wait(2, 3);
    answer(0, 'no', 500);
    await expect(result).rejects.toMatchObject({ message: '500 no ***' });
    expect(running.told).toEqual([{ ...usage(3), estimated: true }]);
    expect(running.sent).toBe(2);
  });
});

test.each([true, false])('a caller who left before the start costs nothing, drain %s', async (drain) => {
  const running = run(2);
  running.callerGone(drain);
  expect(await running.start()).toMatchObject({ gone: true, paid: [] });
  expect(made).toEqual([]);
});
