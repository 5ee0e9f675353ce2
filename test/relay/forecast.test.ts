import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../openai/chat/request.ts';
import { ChatForecast } from '../../relay/chat/forecast.ts';
import { Calibration } from '../../relay/quota/calibration.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';

const SERVED = { vendor: 'v', model: 'm' };
const REQUEST: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'x' }] };
const fresh = () => new Calibration({ charsPerToken: () => null, known: () => true });

test.each([
  { reserve: null, max: undefined, expected: 2048 },
  { reserve: null, max: 700, expected: 700 },
  { reserve: null, max: 65_536, expected: 2048 },
  { reserve: 500, max: undefined, expected: 500 },
  { reserve: 500, max: 300, expected: 300 },
  { reserve: 500, max: 700, expected: 500 },
  { reserve: 5000, max: undefined, expected: 5000 },
])('outputReserve $reserve and max_tokens $max reserve $expected a choice', ({ reserve, max, expected }) => {
  const request = { ...REQUEST, n: 3, ...(max === undefined ? {} : { max_tokens: max }) };
  expect(new ChatForecast(request, fresh()).expected(reserve, SERVED)).toEqual({ prompt: 29, completion: 3 * expected });
});

describe('what the vendor counted', () => {
  const record = (more: Partial<RequestRecord>) =>
    ({
      reason: 'done',
      attempts: [SERVED],
      usage: { promptTokens: 100, completionTokens: 6000, source: 'vendor' },
      ...more,
    }) as unknown as RequestRecord;
  const lesson = (learned: RequestRecord, request: ChatRequest, asked = true) => {
    const calibration = fresh();
    const first = new ChatForecast(request, calibration);
    if (asked) first.expected(null, SERVED);
    first.learn(learned);
    const { prompt, completion } = new ChatForecast(REQUEST, calibration).expected(null, SERVED);
    return { prompt: prompt > 29, completion: completion > 2048 };
  };
  const usage = { promptTokens: 100, completionTokens: 6000, source: 'estimated' } as RequestRecord['usage'];

  test.each<[string, Partial<RequestRecord>, ChatRequest, { prompt: boolean; completion: boolean }]>([
    ['teaches the next estimate', {}, REQUEST, { prompt: true, completion: true }],
    ['is shared by the choices', {}, { ...REQUEST, n: 4 }, { prompt: true, completion: false }],
    ['of a bounded answer says nothing of open ones', {}, { ...REQUEST, max_tokens: 2048 }, { prompt: true, completion: false }],
    ['of a large bound is as good as of none', {}, { ...REQUEST, max_completion_tokens: 65_536 }, { prompt: true, completion: true }],
    ['of a cut answer teaches nothing', { reason: 'client_gone' }, REQUEST, { prompt: false, completion: false }],
    ['of a failed one neither', { reason: 'vendor_error' }, REQUEST, { prompt: false, completion: false }],
    ['but our own count does not', { usage }, REQUEST, { prompt: false, completion: false }],
    [
      'goes to the vendor that answered',
      { attempts: [{ vendor: 'w', model: 'm' }] as never },
      REQUEST,
      { prompt: false, completion: false },
    ],
  ])('%s', (_name, more, request, expected) => expect(lesson(record(more), request)).toEqual(expected));

  test('of a request that nobody estimated teaches nothing', () =>
    expect(lesson(record({}), REQUEST, false)).toEqual({ prompt: false, completion: false }));
});
