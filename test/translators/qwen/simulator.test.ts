import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadCatalog } from '../../../catalog/catalog.ts';
import { CHAT_MODELS } from '../../../simulator/qwen/models.ts';
import { qwenCompatible } from '../../../translators/qwen/compatible.ts';
import { checkCompletion, checkStream, foldCompletion, foldStream } from '../../contract/openai-schema.ts';
import { type Desk, openDesk } from '../../simulator/qwen-desk.ts';
import { replay, replayWhole } from '../replay.ts';
import { type Asked, ask, refusal, type Situation, TOOLS } from './ask.ts';
import { requests } from './requests.ts';

const catalog = loadCatalog();
const MODELS = [...CHAT_MODELS.values()].filter((model) => !model.retired).map((model) => model.id);

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk(() => 1_790_000_000_000);
});
afterAll(() => desk.close());

const send = (asked: Asked) => desk.post(asked.path, asked.body);

/** The account's own limit on answers: the vendor's pages disagree for some models. */
const situationOf = (model: string): Situation => ({ model, facts: { maxOutputTokens: CHAT_MODELS.get(model)?.maxOutput ?? null } });

/** Its unlisted fields, late system messages and part lists are refusals; marks of the prompt cache need part lists. */
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
        let asked: Asked;
        try {
          asked = ask({ ...raw, messages }, { ...situationOf(model), thinking });
        } catch {
          // The refusal names a field; a test of its own looks at that.
          expect(refusal({ ...raw, messages }, { ...situationOf(model), thinking }).status).toBe(400);
          kinds.set('refused', (kinds.get('refused') ?? 0) + 1);
          return;
        }
        const answer = await send(asked);
        expect([answer.status, answer.status === 200 ? '' : answer.text, asked.body]).toEqual([200, '', asked.body]);
        const kind = asked.stream ? 'stream' : 'whole';
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if (asked.stream) {
          const { out, error } = replay(qwenCompatible, Buffer.from(answer.text));
          expect([error, checkStream(Buffer.from(out), { includeUsage: true }).problems]).toEqual([null, []]);
        } else {
          const { out, error } = replayWhole(qwenCompatible, Buffer.from(answer.text));
          expect([error, checkCompletion(JSON.parse(out)).filter((problem) => !problem.includes('must be null beside'))]).toEqual([
            null,
            [],
          ]);
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
    if ('tools' in request && catalog.model('qwen', model).tools === false) continue;
    if ('tools' in request && CHAT_MODELS.get(model)?.tools === false) continue;
    const situation = { ...situationOf(model), thinking: 'default' } as const;
    if ('tools' in request && model === 'qwen-long') continue;
    const streamed = replay(qwenCompatible, Buffer.from((await send(ask({ ...request, stream: true }, situation))).text));
    expect([streamed.error, checkStream(Buffer.from(streamed.out), { includeUsage: true }).problems]).toEqual([null, []]);
    const asked = ask(request, situation);
    if (asked.stream) continue;
    const whole = replayWhole(qwenCompatible, Buffer.from((await send(asked)).text));
    const completion: unknown = JSON.parse(whole.out);
    expect(checkCompletion(completion)).toEqual([]);
    expect(streamed.usage?.prompt).toBe(whole.usage?.prompt);
    const { chunks } = checkStream(streamed.out, { includeUsage: true });
    expect(foldStream(chunks).choices[0]?.content).toBe(foldCompletion(completion).choices[0]?.content);
  }
});
