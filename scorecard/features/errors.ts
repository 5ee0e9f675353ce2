import type { Answer } from '../answer.ts';
import { parsed } from '../contract/shape.ts';
import type { Feature, Json, Refusal } from '../feature.ts';
import { must, user } from './prompts.ts';

const row = (id: string, title: string, probes: Feature['probes']): Feature => ({
  id,
  group: 'Errors',
  title,
  kind: 'chat',
  fields: [],
  shows: true,
  probes,
});

/** What the caller does wrong: OpenAI's own refusal, and nothing is sent to the vendor. */
const mistake = (id: string, title: string, fields: Json, refusal: Refusal): Feature =>
  row(id, title, () => [
    {
      ask: { body: { messages: [user('Hello.')], ...fields } },
      refusal,
      judge: (_answer, { sent }) => must(sent === null || sent.length === 0, 'the vendor was asked all the same'),
    },
  ]);

/** What the vendor says, in its own words, of a call: whole and streamed it is one status. */
const fault = (
  id: string,
  title: string,
  directive: string,
  refusal: Refusal | ((vendor: string) => Refusal),
  judge?: (answer: Answer) => readonly string[],
): Feature =>
  row(id, title, (sim, { vendor }) =>
    sim
      ? [false, true].map((stream) => ({
          ask: { body: { messages: [user(`Hello. [[sim:${directive}]]`)], stream } },
          refusal: typeof refusal === 'function' ? refusal(vendor) : refusal,
          ...(judge === undefined ? {} : { judge: (answer: Answer) => judge(answer) }),
        }))
      : [],
  );

/** Zhipu has one code for both limits. */
const tokenLimit = (vendor: string): Refusal => ({
  status: 429,
  code: 'rate_limit_exceeded',
  type: vendor === 'glm' ? 'requests' : 'tokens',
});

const waits = ({ retryAfter }: Answer): readonly string[] => must(Number(retryAfter) >= 1, 'nobody is told when to try again');
const noRetry = ({ shouldRetry }: Answer): readonly string[] => must(shouldRetry === 'false', 'the SDKs would try again');

/** A stream that breaks: the text so far, then one error event, and no `[DONE]`. */
const brokenStream = (id: string, title: string, directive: string, code: string): Feature =>
  row(id, title, (sim) =>
    sim
      ? [
          {
            ask: { body: { messages: [user(`[[sim:tokens n=40]] [[sim:${directive}]]`)], stream: true } },
            refusal: { status: 200, code },
            judge: ({ reply }) =>
              must(reply?.choices.every(({ finish }) => finish === null) === true, 'a broken answer ends as if it were whole'),
          },
        ]
      : [],
  );

export const ERRORS: readonly Feature[] = [
  row('error-key', 'A key that is none', () => [
    { ask: { body: { messages: [user('Hello.')] }, key: 'wrong' }, refusal: { status: 401, code: 'invalid_api_key' } },
  ]),
  row('error-json', 'A body that is no JSON', () => [{ ask: { raw: '{"model":' }, refusal: { status: 400, code: null } }]),
  row('error-path', 'A path that is none', () => [{ ask: { path: '/chat/nothing', body: {} }, refusal: { status: 404, code: null } }]),
  mistake('error-model', 'A model that is none', { model: 'no-such-model' }, { status: 404, code: 'model_not_found' }),
  mistake(
    'error-missing',
    'messages left out',
    { messages: undefined },
    { status: 400, code: 'missing_required_parameter', param: 'messages' },
  ),
  mistake('error-type', 'A field of another type', { max_tokens: 'many' }, { status: 400, code: 'invalid_type', param: 'max_tokens' }),
  mistake(
    'error-range',
    'A field out of range',
    { temperature: 3 },
    { status: 400, code: 'decimal_above_max_value', param: 'temperature' },
  ),
  mistake(
    'error-role',
    'A role that is none',
    { messages: [{ role: 'wizard', content: 'x' }] },
    { status: 400, code: 'invalid_value', param: 'messages[0].role' },
  ),
  mistake(
    'error-stop-5',
    'stop: five words, one more than OpenAI takes',
    { stop: ['a', 'b', 'c', 'd', 'e'] },
    { status: 400, code: 'array_above_max_length', param: 'stop' },
  ),
  mistake(
    'error-word-json',
    'json_object without the word json',
    { response_format: { type: 'json_object' } },
    { status: 400, code: null, param: 'messages' },
  ),
  mistake(
    'error-stream-options',
    'stream_options without stream',
    { stream_options: { include_usage: true } },
    { status: 400, code: null, param: 'stream_options' },
  ),
  fault('vendor-key', 'The vendor refuses the relay’s key', 'dead-key', { status: 502, code: 'upstream_auth' }, noRetry),
  fault('vendor-credit', 'The vendor’s account has no money', 'arrears', { status: 503, code: 'upstream_out_of_credit' }, noRetry),
  fault(
    'vendor-rate',
    'The vendor’s limit of requests',
    'rate-limit kind=rpm',
    { status: 429, code: 'rate_limit_exceeded', type: 'requests' },
    waits,
  ),
  fault('vendor-tokens', 'The vendor’s limit of tokens', 'rate-limit kind=tpm', tokenLimit, waits),
  fault('vendor-overload', 'The vendor has no capacity', 'overload', { status: 503, code: 'upstream_overloaded' }, waits),
  fault('vendor-internal', 'An accident of the vendor', 'internal', { status: 503, code: 'upstream_overloaded' }),
  fault('vendor-retired', 'The vendor has retired the model', 'retired', { status: 502, code: 'upstream_model_unavailable' }, noRetry),
  fault('vendor-moderation', 'The vendor’s moderation refuses the prompt', 'moderation where=input', {
    status: 400,
    code: 'content_filter',
  }),
  fault('vendor-context', 'The prompt is too long', 'context-length', { status: 400, code: 'context_length_exceeded' }),
  row('vendor-moderation-out', 'The vendor’s moderation withdraws the answer', (sim) =>
    sim
      ? [false, true].map((stream) => ({
          ask: { body: { messages: [user('[[sim:tokens n=30]] [[sim:moderation where=output]]')], stream } },
          orError: 'content_filter',
          judge: ({ reply }) => [
            ...must(reply?.choices[0]?.finish === 'content_filter', 'the answer does not end in content_filter'),
            // What had been streamed before is with the caller.
            ...must(stream || (reply?.choices[0]?.content ?? '') === '', 'the text that was withdrawn is passed on'),
          ],
        }))
      : [],
  ),
  brokenStream('stream-error', 'An error in mid-stream', 'mid-error after=5', 'upstream_overloaded'),
  brokenStream('stream-cut', 'The connection breaks in mid-stream', 'cut after=5', 'upstream_truncated'),
  brokenStream('stream-garbage', 'Garbage in mid-stream', 'garbage after=5', 'upstream_invalid_response'),
  brokenStream('stream-end', 'A stream that stops without its end', 'end after=5', 'upstream_truncated'),
  row('whole-cut', 'The connection breaks within a whole answer', (sim) =>
    sim
      ? [
          {
            ask: { body: { messages: [user('[[sim:tokens n=40]] [[sim:cut after=5]]')] } },
            refusal: { status: 502, code: 'upstream_truncated' },
            judge: ({ text }) => must(parsed(text) !== undefined, 'the error is no JSON'),
          },
        ]
      : [],
  ),
];
