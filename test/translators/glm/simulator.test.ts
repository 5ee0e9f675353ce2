import { expect, test } from 'vitest';
import { MODELS } from '../../../simulator/glm/models.ts';
import { glmV4 } from '../../../translators/glm/v4.ts';
import { checkCompletion, checkStream, foldCompletion, foldStream, validateCompletion } from '../../contract/openai-schema.ts';
import { openDesk } from '../../simulator/glm-desk.ts';
import { replay, replayWhole } from '../replay.ts';
import { ask, TOOLS } from './ask.ts';

const CHATS = MODELS.filter((model) => model.kind === 'chat');

/** Every simulated model, asked through the translator: streamed and whole answers must say the same, in OpenAI's form. */
test.each(CHATS.map((model) => [model.name, model] as const))('%s', (name, model) => {
  const region = model.regions[0] as string;
  for (const request of [{}, { reasoning_effort: 'none' }, ...(model.tools === 'none' ? [] : [{ tools: TOOLS }])]) {
    const answers = [true, false].map((stream) => {
      const { body } = ask({ ...request, stream }, { model: name, region });
      return openDesk().ask({ body, region });
    });
    const streamed = replay(glmV4, Buffer.from(answers[0]?.text ?? ''));
    const { problems, chunks } = checkStream(streamed.out, { includeUsage: true });
    expect([problems, streamed.error]).toEqual([[], null]);
    const whole = replayWhole(glmV4, Buffer.from(answers[1]?.text ?? ''));
    const completion = JSON.parse(whole.out) as never;
    expect([...validateCompletion(completion), ...checkCompletion(completion)]).toEqual([]);
    expect(streamed.usage).toEqual(whole.usage);
    const [left, right] = [foldStream(chunks as never), foldCompletion(completion)].map((folded) =>
      JSON.stringify(folded).replace(/call_-?[0-9a-f]+/g, 'call'),
    );
    expect(left).toBe(right);
    if (model.thinking === 'inline') expect(left).toMatch(/reasoning.{0,12}":"[^"]/);
  }
});
