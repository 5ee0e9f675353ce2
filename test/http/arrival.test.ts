import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { checkErrorResponse } from '../contract/openai-schema.ts';
import { digestOf, HELLO, KEY, openSimulated } from './desk.ts';

const DEADLINE_MS = 100;
const REST = `models: { gpt-4o: [qwen/qwen-plus], vectors: [qwen/text-embedding-v4] }
teams: { t: { permit: { vendors: [qwen], regions: ['*'] } } }
keys: [{ name: app, team: t, key: '${digestOf(KEY)}' }]
`;

test.each([
  ['/v1/chat/completions', HELLO],
  ['/v1/embeddings', { model: 'vectors', input: ['hello'] }],
])('the deadline of a request counts from its arrival, the time for its body included: %s', async (path, body) => {
  const desk = await openSimulated(`totalDeadlineMs: ${DEADLINE_MS}`, REST);
  try {
    const sent = request(`${desk.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', expect: '100-continue' },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).once('error', reject));
    sent.flushHeaders();
    // It has arrived by then.
    await new Promise((resolve) => sent.once('continue', resolve));
    await new Promise((resolve) => setTimeout(resolve, 2 * DEADLINE_MS));
    sent.end(JSON.stringify(body));
    const answer = await answered;
    const error: unknown = JSON.parse(await text(answer));
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(error).toMatchObject({ error: { code: 'overloaded' } });
    expect(checkErrorResponse(503, error)).toEqual([]);
    expect(desk.simulator.journal()).toEqual([]);
    expect(desk.records).toMatchObject([{ reason: 'refused', attempts: [] }]);
  } finally {
    await desk.close();
  }
});
