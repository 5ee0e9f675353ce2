import { describe, expect, test } from 'vitest';
import { type Answer, readAnswer } from '../../scorecard/answer.ts';
import type { CardModel, Change, Feature, Json, Probe, Seen } from '../../scorecard/feature.ts';
import { judge, VERDICTS, worse } from '../../scorecard/verdict.ts';

const ID = `req_${'0'.repeat(32)}`;
const MODEL: CardModel = {
  backend: 'b',
  vendor: 'ernie',
  protocol: 'compatible',
  model: 'm',
  kind: 'chat',
  alias: 'a',
  retired: false,
};
const USAGE = {
  prompt_tokens: 1,
  completion_tokens: 2,
  total_tokens: 3,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
};
const message = (content: string): Json => ({ role: 'assistant', content, refusal: null });
const completion = (more: Json = {}): Json => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'a',
  choices: [{ index: 0, message: message('hi'), logprobs: null, finish_reason: 'stop' }],
  usage: USAGE,
  ...more,
});
const refusal = (param: string | null, code = 'unsupported_parameter'): Json => ({
  error: { message: 'No.', type: 'invalid_request_error', param, code },
});

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const all = { 'x-request-id': ID, 'content-type': 'application/json', ...headers };
  return readAnswer(new Response(null, { status, headers: all }), JSON.stringify(body), {}, true);
}

const feature = (more: Partial<Feature> = {}): Feature => ({
  id: 'f',
  group: 'g',
  title: 't',
  kind: 'chat',
  fields: ['temperature'],
  shows: false,
  probes: () => [],
  ...more,
});
const PROBE: Probe = { ask: { body: { temperature: 0 } } };
const change = (fate: string, more: Partial<Change> = {}): Change => ({
  field: 'temperature',
  fate,
  reason: 'why',
  alters: false,
  ...more,
});
const seen = (body: Json | null, ...changes: Change[]): Seen => ({ sent: body === null ? null : [{ path: '/', body }], changes });
const GOOD = answer(200, completion());

describe('a verdict', () => {
  test.each<[string, Feature, Probe, Answer, Seen, string, RegExp]>([
    ['nothing changed', feature(), PROBE, GOOD, seen({ temperature: 0 }), 'exact', /^$/],
    ['the receipt is silent', feature(), PROBE, GOOD, seen({}), 'failed', /silent/],
    ['another value, and the receipt is silent', feature(), PROBE, GOOD, seen({ temperature: 1 }), 'failed', /silent/],
    ['a clamp that is told', feature(), PROBE, GOOD, seen({ temperature: 0.01 }, change('clamped', { to: '0.01' })), 'degraded', /clamped/],
    [
      'a clamp that is told wrongly',
      feature(),
      PROBE,
      GOOD,
      seen({ temperature: 0.5 }, change('clamped', { to: '0.01' })),
      'failed',
      /0.01/,
    ],
    ['said to be dropped, and sent', feature(), PROBE, GOOD, seen({ temperature: 0 }, change('dropped')), 'failed', /dropped/],
    ['dropped as told', feature(), PROBE, GOOD, seen({}, change('dropped')), 'degraded', /dropped: why/],
    [
      'dropped, and the answer shows it to be kept',
      feature({ shows: true }),
      PROBE,
      GOOD,
      seen({}, change('dropped')),
      'emulated',
      /dropped/,
    ],
    ['dropped, and it alters', feature({ shows: true }), PROBE, GOOD, seen({}, change('dropped', { alters: true })), 'degraded', /dropped/],
    ['emulated', feature(), PROBE, GOOD, seen({}, change('emulated', { alters: true })), 'emulated', /emulated: why/],
    ['renamed', feature(), PROBE, GOOD, seen({ greedy: false }, change('renamed', { to: 'greedy=false' })), 'exact', /^$/],
    ['renamed, and not sent', feature(), PROBE, GOOD, seen({}, change('renamed', { to: 'greedy=false' })), 'failed', /greedy/],
    [
      'what is not its own and does not alter',
      feature(),
      PROBE,
      GOOD,
      seen({ temperature: 0 }, change('dropped', { field: 'x' })),
      'exact',
      /^$/,
    ],
    [
      'what is not its own and alters',
      feature(),
      PROBE,
      GOOD,
      seen({ temperature: 0 }, change('dropped', { field: 'x', alters: true })),
      'degraded',
      /^x/,
    ],
    ['nobody looks: the receipt is believed', feature(), PROBE, GOOD, seen(null), 'exact', /^$/],
    ['a refusal that names the field', feature(), PROBE, answer(400, refusal('temperature')), seen({}), 'refused', /No/],
    ['a refusal that names a part of it', feature(), PROBE, answer(400, refusal('temperature[0].x')), seen({}), 'refused', /No/],
    ['a refusal that names another field', feature(), PROBE, answer(400, refusal('temperature_2')), seen({}), 'failed', /400/],
    ['a refusal that names none', feature(), PROBE, answer(400, refusal(null)), seen({}), 'failed', /400/],
    ['a failure', feature(), PROBE, answer(502, refusal('temperature')), seen({}), 'failed', /502/],
    ['an error in another form', feature(), PROBE, answer(400, { detail: 'temperature' }), seen({}), 'failed', /form/],
    ['a broken contract', feature(), PROBE, answer(200, completion({ object: 'x' })), seen({ temperature: 0 }), 'failed', /object/],
    [
      'no request id',
      feature(),
      PROBE,
      answer(200, completion(), { 'x-request-id': '' }),
      seen({ temperature: 0 }),
      'failed',
      /request-id/,
    ],
    ['a broken promise', feature(), { ...PROBE, judge: () => ['no'] }, GOOD, seen({ temperature: 0 }), 'failed', /^no$/],
    ['a lack', feature(), { ...PROBE, judge: () => [{ lack: 'less' }] }, GOOD, seen({ temperature: 0 }), 'degraded', /^less$/],
    ['not to be judged', feature(), { ...PROBE, judge: () => [{ unjudged: 'how' }] }, GOOD, seen({ temperature: 0 }), 'untested', /^how$/],
    [
      'the error that is due',
      feature(),
      { ...PROBE, refusal: { status: 400, code: 'c', param: 'p' } },
      answer(400, refusal('p', 'c')),
      seen({}),
      'exact',
      /^$/,
    ],
    [
      'another error than is due',
      feature(),
      { ...PROBE, refusal: { status: 400, code: 'd' } },
      answer(400, refusal('p', 'c')),
      seen({}),
      'failed',
      /code c/,
    ],
    [
      'another status than is due',
      feature(),
      { ...PROBE, refusal: { status: 404, code: 'c' } },
      answer(400, refusal('p', 'c')),
      seen({}),
      'failed',
      /404/,
    ],
    [
      'another type than is due',
      feature(),
      { ...PROBE, refusal: { status: 400, code: 'c', type: 'tokens' } },
      answer(400, refusal('p', 'c')),
      seen({}),
      'failed',
      /type/,
    ],
    ['an answer where an error is due', feature(), { ...PROBE, refusal: { status: 400, code: 'c' } }, GOOD, seen({}), 'failed', /is due/],
    ['an error as good as an answer', feature(), { ...PROBE, orError: 'c' }, answer(400, refusal(null, 'c')), seen({}), 'exact', /^$/],
  ])('%s', (_name, row, probe, came, known, verdict, why) => {
    const judged = judge(row, probe, MODEL, came, known);
    expect(judged).toEqual({ verdict, why: expect.stringMatching(why) });
  });

  test('the worst wins, and what was not tried loses to everything', () => {
    const order = ['untested', 'exact', 'emulated', 'degraded', 'refused', 'failed'] as const;
    expect([...order].sort()).toEqual([...VERDICTS].sort());
    for (const [place, verdict] of order.entries())
      for (const [other, second] of order.entries()) expect(worse(verdict, second), `${verdict} → ${second}`).toBe(other > place);
  });
});
