import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHAT_MODELS } from '../../../../simulator/qwen/models.ts';
import { type Simulator, startSimulator } from '../../../../simulator/simulator.ts';
import { qwenNative } from '../../../../translators/qwen/native.ts';
import { checkCompletion, checkStream, foldCompletion, foldStream } from '../../../contract/openai-schema.ts';
import { replay, replayWhole } from '../../replay.ts';
import { refusal, type Situation, TOOLS } from '../ask.ts';
import { requests } from '../requests.ts';
import { type AskedNative, askNative } from './ask.ts';

const MODELS = [...CHAT_MODELS.values()].filter((model) => !model.retired).map((model) => model.id);

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ vendors: ['qwen'], now: () => 1_790_000_000_000 });
});
afterAll(() => simulator.close());

async function send({ path, body, headers = {} }: AskedNative): Promise<{ status: number; text: string }> {
  const { protocolUrls, key } = simulator.vendors.qwen ?? {};
  const response = await fetch(`${protocolUrls?.['native']}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

/** The account's own limit on answers: the vendor's pages disagree for some models. */
const situationOf = (model: string): Situation => ({ model, facts: { maxOutputTokens: CHAT_MODELS.get(model)?.maxOutput ?? null } });

const STRICT = { role: 'user', content: 'as json [[sim:profile value=strict]]' };

test('what is sent is what the vendor takes, also when it is strict', async () => {
  const kinds = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      requests,
      fc.constantFrom(...MODELS),
      fc.constantFrom('default' as const, 'none' as const, 'high' as const),
      async (raw, model, thinking) => {
        const messages = JSON.stringify(raw).includes('cache_control')
          ? (raw['messages'] as object[])
          : [...(raw['messages'] as object[]), STRICT];
        const situation = { ...situationOf(model), thinking };
        let asked: AskedNative;
        try {
          asked = askNative({ ...raw, messages }, situation);
        } catch {
          // The refusal names a field; a test of its own looks at that.
          expect(refusal({ ...raw, messages }, { ...situation, translator: qwenNative }).status).toBe(400);
          kinds.set('refused', (kinds.get('refused') ?? 0) + 1);
          return;
        }
        const answer = await send(asked);
        expect([answer.status, answer.status === 200 ? '' : answer.text, asked.body]).toEqual([200, '', asked.body]);
        const kind = asked.stream ? 'stream' : 'whole';
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if (asked.stream) {
          const { out, error } = replay(qwenNative, Buffer.from(answer.text));
          expect([error?.details.cause, asked.body]).toEqual([undefined, asked.body]);
          expect(checkStream(Buffer.from(out), { includeUsage: true }).problems).toEqual([]);
        } else {
          const { out, error } = replayWhole(qwenNative, Buffer.from(answer.text));
          expect(error).toBeNull();
          expect(checkCompletion(JSON.parse(out)).filter((problem) => !problem.includes('must be null beside'))).toEqual([]);
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(Math.min(kinds.get('stream') ?? 0, kinds.get('whole') ?? 0)).toBeGreaterThan(50);
}, 60_000);

/** Streamed and whole answers must say the same, in OpenAI's form. */
test.each(MODELS)('%s answers a plain call', async (model) => {
  for (const request of [{}, { reasoning_effort: 'low' }, { reasoning_effort: 'none' }, { tools: TOOLS }]) {
    if ('tools' in request && CHAT_MODELS.get(model)?.tools === false) continue;
    const situation = { ...situationOf(model), thinking: 'default' } as const;
    if ('tools' in request && model === 'qwen-long') continue;
    const streamed = replay(qwenNative, Buffer.from((await send(askNative({ ...request, stream: true }, situation))).text));
    expect([streamed.error?.details.cause, checkStream(Buffer.from(streamed.out), { includeUsage: true }).problems]).toEqual([
      undefined,
      [],
    ]);
    const asked = askNative(request, situation);
    if (asked.stream) continue;
    const whole = replayWhole(qwenNative, Buffer.from((await send(asked)).text));
    const completion: unknown = JSON.parse(whole.out);
    expect(checkCompletion(completion)).toEqual([]);
    expect(streamed.usage).toEqual(whole.usage);
    const { chunks } = checkStream(streamed.out, { includeUsage: true });
    expect(foldStream(chunks).choices[0]?.content).toBe(foldCompletion(completion).choices[0]?.content);
  }
});
