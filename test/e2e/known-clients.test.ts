/** Requests as well-known chat UIs, agents and libraries send them are answered by every vendor. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkCompletion, checkErrorResponse, foldCompletion, foldStream } from '../contract/openai-schema.ts';
import { KNOWN_REQUESTS } from './known-clients.ts';
import { REFUSED_REQUESTS } from './known-refusals.ts';
import { type Rig, startRig } from './rig.ts';
import { VENDOR_CASES } from './vendors.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ keyOptions: { strict: { strict: true } } });
});
beforeEach(() => rig.reset());
afterAll(() => rig.close());

describe.each(VENDOR_CASES)('$vendor', ({ chat, thinker }) => {
  test.each(KNOWN_REQUESTS)('$client: $what', async ({ body, headers = {}, calls, says }) => {
    for (const model of [chat, thinker]) {
      const answer = await rig.raw({ ...body, model }, { headers });
      expect(answer.status, answer.text).toBe(200);
      const options = body['stream_options'] as { include_usage?: boolean } | null | undefined;
      const seen = body['stream'] === true ? answer.stream(options?.include_usage === true) : null;
      expect(seen === null ? checkCompletion(answer.json()) : seen.problems).toEqual([]);
      const folded = seen === null ? foldCompletion(answer.json()) : foldStream(seen.chunks);
      const [choice] = folded.choices;
      expect(choice?.tool_calls?.map((made) => made.function.name)).toEqual(calls === undefined ? undefined : [calls]);
      expect(choice?.finish_reason).toBe(calls === undefined ? 'stop' : 'tool_calls');
      if (says !== undefined) expect(choice?.content).toContain(says);
      for (const { body: sent } of rig.seen()) expect(JSON.stringify(sent)).not.toContain(':null');
    }
  });

  test('nulls stand in no receipt, and a strict key may send them', async () => {
    const message = { role: 'user', content: 'Hi' };
    const bare = await rig.raw({ model: chat, messages: [message] });
    const written = { ...message, name: null, audio: null };
    const answer = await rig.raw({ model: chat, messages: [written], stop: null, tools: null }, { key: 'strict' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('x-estafet-receipt')).toBe(bare.headers.get('x-estafet-receipt'));
  });

  test.each(REFUSED_REQUESTS)('refused as OpenAI does, $client: $what', async ({ body, param, code }) => {
    const answer = await rig.raw({ ...body, model: chat });
    expect(answer.status, answer.text).toBe(400);
    expect(checkErrorResponse(400, answer.json())).toEqual([]);
    expect(answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param, code } });
    expect(rig.seen()).toEqual([]);
  });
});
