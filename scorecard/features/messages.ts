import type { Feature, Json, Seen } from '../feature.ts';
import { both, must, probe, prompt, reached, say, sentMessages, textOf, user } from './prompts.ts';

const row = (id: string, title: string, probes: Feature['probes'], fields: readonly string[] = ['messages']): Feature => ({
  id,
  group: 'Messages',
  title,
  kind: 'chat',
  fields,
  shows: true,
  probes,
});

const SYSTEM = 'You speak of lighthouses.';
const LATER = 'From now on you speak of whales.';
const assistant = (content: unknown): Json => ({ role: 'assistant', content });
const SAID = 'one lantern';

export const MESSAGES: readonly Feature[] = [
  row(
    'text',
    'A text, whole',
    (sim) => [probe({ messages: [say(sim, SAID)] }, ({ content }) => must(content === SAID, `"${SAID}" is due, "${content}" came`))],
    ['messages', 'stream'],
  ),
  row(
    'text-stream',
    'A text, streamed',
    (sim) => [
      probe({ messages: [say(sim, SAID)], stream: true }, ({ content }) => must(content === SAID, `"${SAID}" is due, "${content}" came`)),
    ],
    ['messages', 'stream'],
  ),
  row('unicode', 'Characters beyond ASCII and the basic plane', (sim) =>
    both({ messages: [say(sim, '灯塔 é 🚉🗼')] }, ({ content }) => must(content === '灯塔 é 🚉🗼', `"${content}" came`)),
  ),
  row('system', 'A system message', (sim) =>
    both({ messages: [{ role: 'system', content: SYSTEM }, say(sim, SAID)] }, (_choice, _answer, seen) => [
      ...reached(seen, SYSTEM),
      ...must(roleOf(seen, SYSTEM) === 'system', 'the vendor did not get it as a system message'),
    ]),
  ),
  row('developer', 'A developer message', (sim) =>
    both({ messages: [{ role: 'developer', content: SYSTEM }, say(sim, SAID)] }, (_choice, _answer, seen) => [
      ...reached(seen, SYSTEM),
      ...must(roleOf(seen, SYSTEM) === 'system', 'the vendor did not get it as a system message'),
    ]),
  ),
  row('systems', 'Several system messages', (sim) =>
    both(
      { messages: [{ role: 'system', content: SYSTEM }, { role: 'system', content: LATER }, say(sim, SAID)] },
      (_choice, _answer, seen) => reached(seen, SYSTEM, LATER),
    ),
  ),
  row('system-later', 'A system message in mid-conversation', (sim) =>
    both(
      { messages: [user('Hello.'), assistant('Hello!'), { role: 'system', content: LATER }, say(sim, SAID)] },
      (_choice, _answer, seen) => reached(seen, LATER),
    ),
  ),
  row('turns', 'Turns of user and assistant', (sim) =>
    both(
      { messages: [user('First.'), assistant('Second.'), user('Third.'), assistant('Fourth.'), say(sim, SAID)] },
      (_choice, _answer, seen) => reached(seen, 'First.', 'Second.', 'Third.', 'Fourth.'),
    ),
  ),
  row('same-role', 'Two messages of one role in a row', (sim) =>
    both(
      { messages: [user('First.'), user('Second.'), assistant('Third.'), assistant('Fourth.'), say(sim, SAID)] },
      (_choice, _answer, seen) => reached(seen, 'First.', 'Second.', 'Third.', 'Fourth.'),
    ),
  ),
  row('assistant-first', 'An assistant’s message first', (sim) =>
    both({ messages: [assistant('Welcome.'), say(sim, SAID)] }, (_choice, _answer, seen) => reached(seen, 'Welcome.')),
  ),
  row('assistant-last', 'An assistant’s message last', (sim) =>
    both({ messages: [prompt(sim, 'Count.', '[[sim:tokens n=9]]'), assistant('One.')] }, (_choice, _answer, seen) => reached(seen, 'One.')),
  ),
  row('empty', 'A user message without text', (sim) =>
    both({ messages: [user('First.'), assistant('Second.'), user(''), assistant('Third.'), say(sim, SAID)] }, (_choice, _answer, seen) =>
      reached(seen, 'First.', 'Second.', 'Third.'),
    ),
  ),
  row('parts', 'Text in parts', (sim) =>
    both(
      {
        messages: [
          user([
            { type: 'text', text: 'Part one.' },
            { type: 'text', text: 'Part two.' },
          ]),
          assistant('Yes.'),
          say(sim, SAID),
        ],
      },
      (_choice, _answer, seen) => reached(seen, 'Part one.', 'Part two.'),
    ),
  ),
  row('names', 'Names of participants', (sim) =>
    both({ messages: [{ ...say(sim, SAID), name: 'ada' }] }, (_choice, _answer, seen) => {
      if (sentMessages(seen)?.some(({ name }) => name === 'ada') !== false) return [];
      const told = seen.changes.some(({ field }) => field === 'messages[0].name');
      return told ? [{ lack: 'the backend takes no names of participants' }] : ['the name is lost, and the receipt is silent'];
    }),
  ),
  row(
    'usage-stream',
    'Usage at the end of a stream',
    (sim) => [
      probe({ messages: [say(sim, SAID)], stream: true, stream_options: { include_usage: true } }, (_choice, { reply }) =>
        must(Number(reply?.usage?.['completion_tokens']) > 0, 'no tokens are counted'),
      ),
    ],
    ['stream_options'],
  ),
];

function roleOf(seen: Seen, text: string): unknown {
  const messages = sentMessages(seen);
  return messages === null ? 'system' : messages.find((message) => textOf(message).includes(text))?.['role'];
}
