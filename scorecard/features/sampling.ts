import type { Answer } from '../answer.ts';
import type { Choice } from '../contract/reply.ts';
import type { Feature, Finding, Json, Probe } from '../feature.ts';
import { both, must, probe, prompt, say, user } from './prompts.ts';

/** A field whose effect no single answer shows: its way to the vendor is followed. */
const carried = (id: string, title: string, fields: Json): Feature => ({
  id,
  group: 'Sampling',
  title,
  kind: 'chat',
  fields: Object.keys(fields),
  shows: false,
  probes: () => both({ messages: [user('Hello.')], ...fields }),
});

const shown = (id: string, title: string, fields: readonly string[], probes: Feature['probes']): Feature => ({
  id,
  group: 'Choices and limits',
  title,
  kind: 'chat',
  fields,
  shows: true,
  probes,
});

const NUMBERS = 'one two three four five six seven eight nine';

const stop = (id: string, title: string, words: unknown, expected: string): Feature =>
  shown(id, title, ['stop'], (sim) =>
    both({ messages: [say(sim, NUMBERS)], stop: words }, ({ content, finish }) =>
      must(content === expected && finish === 'stop', `"${expected}" is due, "${content}" (${finish}) came`),
    ),
  );

const choices =
  (count: number) =>
  (_choice: Choice, { reply }: Answer): readonly string[] =>
    must(
      reply?.choices.map(({ index }) => index).join() === Array.from({ length: count }, (_, index) => index).join(),
      `${count} choices are due, ${reply?.choices.length} came`,
    );

/** A limit of 10 on an answer of 60 tokens: it ends there, and says so. */
function limit(id: string, title: string, field: string, effort: Json): Feature {
  return shown(id, title, [field], (sim) =>
    both(
      { messages: [prompt(sim, 'Count to a thousand.', '[[sim:tokens n=60]]')], [field]: 10, ...effort },
      ({ finish, reasoning }, { reply }): readonly Finding[] => {
        const count = Number(reply?.usage?.['completion_tokens'] ?? 0);
        return [
          ...must(finish === 'length', `finish_reason is ${finish}`),
          ...must(count <= 10, `${count} tokens came`),
          ...('reasoning_effort' in effort && reasoning === '' ? [{ lack: 'the model does not think' }] : []),
        ];
      },
    ),
  );
}

const logprobs = (body: Json): Probe =>
  probe({ messages: [user('Hello.')], logprobs: true, ...body }, ({ logprobs: tokens }, _answer, { changes }): readonly Finding[] =>
    changes.some(({ field }) => field === 'logprobs')
      ? must(tokens === null, 'probabilities came, and the receipt says that none do')
      : must((tokens ?? []).length > 0, 'no probabilities came, and the receipt is silent'),
  );

export const SAMPLING: readonly Feature[] = [
  carried('temperature', 'temperature: 0.7', { temperature: 0.7 }),
  carried('temperature-0', 'temperature: 0', { temperature: 0 }),
  carried('temperature-2', 'temperature: 2', { temperature: 2 }),
  carried('top-p', 'top_p: 0.9', { top_p: 0.9 }),
  carried('top-p-0', 'top_p: 0', { top_p: 0 }),
  carried('presence-penalty', 'presence_penalty', { presence_penalty: 0.5 }),
  carried('frequency-penalty', 'frequency_penalty', { frequency_penalty: 0.5 }),
  carried('seed', 'seed', { seed: 42 }),
  carried('seed-negative', 'seed below 0', { seed: -7 }),
  carried('logit-bias', 'logit_bias', { logit_bias: { '50256': -100 } }),
  { ...shown('logprobs', 'logprobs', ['logprobs'], () => [logprobs({})]), group: 'Sampling' },
  {
    ...shown('top-logprobs', 'top_logprobs: 3', ['top_logprobs', 'logprobs'], () => [logprobs({ top_logprobs: 3 })]),
    group: 'Sampling',
  },
  shown('n', 'n: 2', ['n'], (sim) => [probe({ messages: [say(sim, 'one')], n: 2 }, choices(2))]),
  shown('n-stream', 'n: 2, streamed', ['n'], (sim) => [probe({ messages: [say(sim, 'one')], n: 2, stream: true }, choices(2))]),
  shown('n-many', 'n: 6', ['n'], (sim) => [probe({ messages: [say(sim, 'one')], n: 6 }, choices(6))]),
  stop('stop', 'stop: one word', 'three', 'one two '),
  stop('stop-4', 'stop: four words', ['nine', 'eight', 'four', 'three'], 'one two '),
  stop('stop-long', 'stop: a word of 30 characters', ['three four five six seven eight'], 'one two '),
  stop('stop-stop', 'stop: no word of the answer', ['absent'], NUMBERS),
  limit('max-tokens', 'max_tokens', 'max_tokens', {}),
  limit('max-completion-tokens', 'max_completion_tokens', 'max_completion_tokens', {}),
  limit('max-completion-thinking', 'max_completion_tokens bounds thinking too', 'max_completion_tokens', { reasoning_effort: 'low' }),
  shown('max-tokens-huge', 'max_tokens beyond the model’s own', ['max_tokens'], (sim) =>
    both({ messages: [say(sim, 'one')], max_tokens: 10_000_000 }, ({ content }) => must(content === 'one', `"${content}" came`)),
  ),
];
