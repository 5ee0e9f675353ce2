import { expect, test } from 'vitest';
import { OpenAIError } from '../../../openai/errors.ts';
import type { Failed } from '../../../relay/attempts/call.ts';
import { Course } from '../../../relay/attempts/course.ts';
import type { Candidate } from '../../../relay/routing/route-table.ts';
import { Receipt } from '../../../translators/receipt.ts';

const unsent = (error: OpenAIError, full: Failed['full'] = null): Failed =>
  ({ kind: 'failed', failure: error, attempt: { unsent: true }, receipt: new Receipt(false), sent: false, full }) as unknown as Failed;
const candidate = (): Candidate => ({}) as Candidate;

test.each([
  ['first', true],
  ['last', false],
])('no call was made: one, asked %s, could not carry the request, and the other had no room: the receipt is of the one', (_, first) => {
  const refused = unsent(new OpenAIError('unsupported_parameter', 'x'));
  const error = new OpenAIError('backend_limit_requests', 'x', { retryAfterMs: 1_000 });
  const noRoom = unsent(error, { error } as Failed['full']);
  const course = new Course();
  course.begin();
  for (const failed of first ? [refused, noRoom] : [noRoom, refused]) course.failed(candidate(), failed);
  const { error: told, receipt } = course.ended(false);
  expect(told).toBe(error);
  expect(receipt).toBe(refused.receipt);
});

test('the time is over in the moment before the first call: no fault of ours', () => {
  const course = new Course();
  course.begin();
  expect(course.ended(true).error).toMatchObject({ kind: 'overloaded', status: 503 });
});
