/** Event sequences that obey the contract of `ChatEvents`, played to an encoder and a collector alike. */
import fc from 'fast-check';
import { ChunkEncoder } from '../../openai/chat/chunk-encoder.ts';
import { CompletionCollector } from '../../openai/chat/completion-collector.ts';
import type { AnswerHead, ChatEvents, FinishReason, Usage } from '../../openai/chat/events.ts';

export const HEAD: AnswerHead = {
  id: 'chatcmpl-test',
  created: 1_790_000_000,
  model: 'gpt-4o "quoted" ☃',
  legacyFunctions: false,
  showReasoning: true,
};

export type Event = (events: ChatEvents) => void;

export function encode(events: readonly Event[], includeUsage: boolean, head: Partial<AnswerHead> = {}): string {
  const encoder = new ChunkEncoder({ ...HEAD, ...head }, includeUsage);
  let out = '';
  for (const event of events) {
    event(encoder);
    out += encoder.take();
  }
  encoder.done();
  return out + encoder.take();
}

export function collect(events: readonly Event[], head: Partial<AnswerHead> = {}): { text: string; value: unknown } {
  const collector = new CompletionCollector({ ...HEAD, ...head });
  for (const event of events) event(collector);
  const text = collector.json();
  return { text, value: JSON.parse(text) };
}

/** Text cut anywhere, between the halves of a character too. */
const pieces = (text: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.tuple(text, fc.array(fc.nat(30), { maxLength: 4 })).map(([whole, places]) => {
    const cuts = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
    return [...cuts, whole.length].map((cut, index) => whole.slice(index === 0 ? 0 : cuts[index - 1], cut));
  });

const speech = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', 'a "quote"\n\\', '😀你好👩‍👧', '\u2028\u0000</script>', '\ud83d', 'x\ude00'),
);

const token = fc.record({
  token: fc.string({ maxLength: 4 }),
  logprob: fc.double({ min: -20, max: 0, noNaN: true }),
  bytes: fc.constant(null),
  top_logprobs: fc.constant([]),
});

type Step = (choice: number) => Event;

const texts = pieces(speech).map((list): Step[] => list.map((piece) => (choice) => (events) => events.text(choice, piece)));
const tokens = fc
  .tuple(fc.string({ maxLength: 5 }), fc.array(token, { minLength: 1, maxLength: 3 }))
  .map(([text, list]): Step[] => [(choice) => (events) => events.text(choice, text, list)]);
const thoughts = pieces(speech).map((list): Step[] => list.map((piece) => (choice) => (events) => events.reasoning(choice, piece)));
const call = fc.tuple(
  fc.constantFrom('', 'vendor'),
  fc.constantFrom('look', 'say_it'),
  pieces(fc.dictionary(fc.string({ maxLength: 3 }), speech, { maxKeys: 2 }).map((value) => JSON.stringify(value))),
);

/** One choice: thinking, text, calls in any order of blocks, then its end; `stop` and `tool_calls` as the calls have it. */
const choice = fc
  .tuple(
    fc.array(fc.oneof(texts, tokens, thoughts), { maxLength: 4 }),
    fc.array(call, { maxLength: 3 }),
    fc.constantFrom('end', 'length', 'content_filter'),
  )
  .map(([blocks, calls, end]): Step[] => {
    const steps = blocks.flat();
    for (const [number, [id, name, args]] of calls.entries()) {
      steps.push((index) => (events) => events.tool(index, number, id && `${id}_${index}_${number}`, name));
      for (const piece of args) steps.push((index) => (events) => events.args(index, number, piece));
    }
    const reason = (end === 'end' ? (calls.length > 0 ? 'tool_calls' : 'stop') : end) as FinishReason;
    steps.push((index) => (events) => events.finish(index, reason));
    return steps;
  });

const counts: fc.Arbitrary<Usage> = fc
  .tuple(fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6))
  .map(([prompt, completion, cached, reasoning]) => ({
    prompt,
    completion,
    cached: Math.min(cached, prompt),
    reasoning: Math.min(reasoning, completion),
  }));

/** Some choices, interleaved, with usage anywhere. */
export const answers: fc.Arbitrary<Event[]> = fc
  .tuple(
    fc.array(choice, { minLength: 1, maxLength: 3 }),
    fc.array(fc.nat(2), { maxLength: 60 }),
    fc.array(counts, { minLength: 1, maxLength: 3 }),
    fc.nat(),
  )
  .map(([choices, order, usages, place]) => {
    const queues = choices.map((steps, index) => steps.map((step) => step(index)));
    const out: Event[] = [];
    for (const pick of [...order, ...queues.flatMap((queue, index) => queue.map(() => index))]) {
      const event = queues[pick % queues.length]?.shift();
      if (event !== undefined) out.push(event);
    }
    for (const usage of usages.slice(0, -1)) out.splice(place % (out.length + 1), 0, (events) => events.usage(usage));
    const last = usages.at(-1) as Usage;
    return [...out, (events) => events.usage(last)];
  });
