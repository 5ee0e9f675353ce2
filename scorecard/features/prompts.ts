import type { Answer } from '../answer.ts';
import type { Choice } from '../contract/reply.ts';
import type { Ask, Finding, Json, Probe, Seen } from '../feature.ts';

export const user = (content: unknown): Json => ({ role: 'user', content });

/** A prompt that makes the model say exactly this. */
export function say(simulated: boolean, text: string): Json {
  return user(simulated ? `Go on. [[sim:say text=${JSON.stringify(text)}]]` : `Answer with exactly this text and nothing else: ${text}`);
}

/** A prompt; what steers the simulated model follows it. */
export const prompt = (simulated: boolean, text: string, directive: string): Json => user(simulated ? `${text} ${directive}` : text);

type Judge = (choice: Choice, answer: Answer, seen: Seen) => readonly Finding[];

/** The first choice of an answer that came. */
export const first = (answer: Answer): Choice =>
  answer.reply?.choices[0] ?? {
    index: 0,
    finish: null,
    content: null,
    reasoning: '',
    calls: [],
    legacyCall: null,
    logprobs: null,
    citations: 0,
  };

export const probe = (body: Json, judge?: Judge, ask: Ask = {}): Probe => ({
  ask: { ...ask, body },
  ...(judge === undefined ? {} : { judge: (answer: Answer, seen: Seen) => judge(first(answer), answer, seen) }),
});

/** Asked twice, whole and streamed. */
export const both = (body: Json, judge?: Judge): readonly Probe[] => [probe(body, judge), probe({ ...body, stream: true }, judge)];

/** Empty when it holds. */
export const must = (holds: boolean, otherwise: string): readonly string[] => (holds ? [] : [otherwise]);

/** The messages as the vendor got them. */
export const sentMessages = ({ sent }: Seen): readonly Json[] | null =>
  sent === null ? null : ((sent[0]?.body['messages'] ?? []) as Json[]);

/** Text of a message as sent: contents are text or lists of parts. */
export const textOf = ({ content }: Json): string =>
  typeof content === 'string' ? content : ((content ?? []) as readonly Json[]).map((part) => String(part['text'] ?? '')).join('');

/** These texts must have reached the vendor, in this order. */
export function reached(seen: Seen, ...texts: readonly string[]): readonly string[] {
  const messages = sentMessages(seen);
  if (messages === null) return [];
  const all = messages.map(textOf).join('\n');
  let from = 0;
  for (const text of texts) {
    const at = all.indexOf(text, from);
    if (at < 0) return [`"${text}" did not reach the vendor in its place`];
    from = at + text.length;
  }
  return [];
}
