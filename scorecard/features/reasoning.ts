import type { Choice } from '../contract/reply.ts';
import { isDict } from '../contract/shape.ts';
import type { Feature, Finding, Json, Seen } from '../feature.ts';
import { both, must, probe, prompt, reached, say, sentMessages, user } from './prompts.ts';

const row = (id: string, title: string, fields: readonly string[], shows: boolean, probes: Feature['probes']): Feature => ({
  id,
  group: 'Reasoning',
  title,
  kind: 'chat',
  fields,
  shows,
  probes,
});

const THINK = (sim: boolean): Json => prompt(sim, 'How many lighthouses has Brittany?', '[[sim:think n=25]] [[sim:tokens n=12]]');

/** What came is no more and no less than what the receipt says of the effort. */
const effort = (level: string, thinks: boolean | 'either'): Feature =>
  row(`effort-${level}`, `reasoning_effort: ${level}`, ['reasoning_effort'], true, (sim) =>
    both({ messages: [THINK(sim)], reasoning_effort: level }, ({ reasoning }, _answer, { changes }) => {
      const came = reasoning !== '';
      const told = changes.some(
        ({ field, fate, alters }) => field === 'reasoning_effort' && (fate === 'dropped' || fate === 'clamped') && alters,
      );
      return must(
        thinks === 'either' || came === thinks || told,
        `the model ${came ? 'thinks' : 'does not think'}, and the receipt is silent`,
      );
    }),
  );

const thought = ({ reasoning }: Choice): readonly string[] => must(reasoning !== '', 'no reasoning_content came');

export const REASONING: readonly Feature[] = [
  effort('none', false),
  effort('minimal', 'either'),
  effort('low', true),
  effort('medium', true),
  effort('high', true),
  effort('xhigh', true),
  row('reasoning-shown', 'Reasoning is shown, whole and streamed', ['reasoning_effort'], true, (sim) =>
    both({ messages: [THINK(sim)], reasoning_effort: 'high' }, (choice, _answer, { changes }) =>
      changes.some(({ field, alters }) => field === 'reasoning_effort' && alters) ? [] : thought(choice),
    ),
  ),
  row('reasoning-tokens', 'Tokens of reasoning are counted', ['reasoning_effort'], true, (sim) => [
    probe({ messages: [THINK(sim)], reasoning_effort: 'high' }, ({ reasoning }, { reply }): readonly Finding[] => {
      const details = reply?.usage?.['completion_tokens_details'];
      const counted = isDict(details) ? Number(details['reasoning_tokens']) : 0;
      if (reasoning === '') return must(counted === 0, 'tokens of reasoning are counted, and there is none');
      return counted > 0 ? [] : [{ lack: 'usage: the backend does not tell how many tokens were reasoning' }];
    }),
  ]),
  row('reasoning-history', 'Reasoning of earlier turns may be sent back', ['messages'], true, (sim) =>
    both(
      { messages: [user('One.'), { role: 'assistant', content: 'Two.', reasoning_content: 'Because.' }, say(sim, 'three')] },
      (_choice, _answer, seen) => [...reached(seen, 'One.', 'Two.'), ...historyTold(seen)],
    ),
  ),
  row('reasoning-loop', 'Reasoning of a call is sent back with its result', ['messages'], true, () => [
    probe(
      {
        messages: [
          user('The weather?'),
          {
            role: 'assistant',
            content: null,
            reasoning_content: 'Because.',
            tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{}' } }],
          },
          { role: 'tool', tool_call_id: 'call_a', content: 'rain' },
        ],
        tools: [
          {
            type: 'function',
            function: { name: 'get_weather', description: 'The weather', parameters: { type: 'object', properties: {} } },
          },
        ],
      },
      (_choice, _answer, seen) => historyTold(seen),
    ),
  ]),
];

/** It goes along, or the receipt says that it does not. */
function historyTold(seen: Seen): readonly Finding[] {
  const messages = sentMessages(seen);
  const carried = messages === null || messages.some((message) => message['reasoning_content'] === 'Because.');
  if (carried) return [];
  const told = seen.changes.some(({ field }) => field.includes('reasoning'));
  return told
    ? [{ lack: 'the reasoning is not sent on: the backend does not read that of earlier turns' }]
    : ['the reasoning is lost, and the receipt is silent'];
}
