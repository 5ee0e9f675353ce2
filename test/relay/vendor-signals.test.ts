import { expect, test } from 'vitest';
import { signalsOf } from '../../relay/upstream/vendor-signals.ts';

test.each<[string, Record<string, string | string[]>, object]>([
  ['nothing', { 'content-type': 'application/json' }, {}],
  ['DashScope', { 'x-request-id': '5f0f6a2e-0000-9e11' }, { vendorRequestId: '5f0f6a2e-0000-9e11' }],
  ['Qianfan: its own id, not ours come back', { 'x-request-id': 'req_1', 'x-baidu-request-id': 'b7' }, { vendorRequestId: 'b7' }],
  ['a log id', { 'x-log-id': '2026' }, { vendorRequestId: '2026' }],
  ['an empty id', { 'x-baidu-request-id': '', 'x-request-id': 'a' }, { vendorRequestId: 'a' }],
  ['an id sent twice', { 'x-request-id': ['a', 'b'] }, { vendorRequestId: 'a' }],
  ['an id with line ends and Chinese', { 'x-request-id': 'a\n中 b' }, { vendorRequestId: 'a???b' }],
  ['an endless id', { 'x-request-id': 'a'.repeat(1000) }, { vendorRequestId: 'a'.repeat(128) }],
  [
    'Qianfan’s limits',
    {
      'x-ratelimit-limit-requests': '300',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-limit-input-tokens': '300000',
      'x-ratelimit-remaining-output-tokens': '12',
    },
    { rateLimits: { 'limit-requests': 300, 'remaining-requests': 0, 'limit-input-tokens': 300_000, 'remaining-output-tokens': 12 } },
  ],
  [
    'what is no count',
    {
      'x-ratelimit-limit-requests': '-1',
      'x-ratelimit-limit-tokens': '1e9',
      'x-ratelimit-reset-requests': '60',
      'x-ratelimit-limit-x': '1',
    },
    {},
  ],
])('%s', (_what, headers, expected) => expect(signalsOf(headers)).toEqual(expected));
