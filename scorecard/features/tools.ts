import type { Choice } from '../contract/reply.ts';
import { isDict, parsed } from '../contract/shape.ts';
import type { Feature, Json } from '../feature.ts';
import { both, must, probe, prompt, reached, user } from './prompts.ts';

const fn = (name: string, description: string, properties: Json): Json => ({
  type: 'function',
  function: {
    name,
    description,
    parameters: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
  },
});
const WEATHER = fn('get_weather', 'The weather in a city', { city: { type: 'string' } });
const TIME = fn('get_time', 'The time in a city', { city: { type: 'string' } });
const TOOLS = [WEATHER, TIME];

const row = (id: string, title: string, probes: Feature['probes'], fields: readonly string[] = ['tools', 'tool_choice']): Feature => ({
  id,
  group: 'Tools',
  title,
  kind: 'chat',
  fields,
  shows: true,
  probes,
});

const ONE = (sim: boolean): Json => prompt(sim, 'Get the weather of Paris.', '[[sim:call name=get_weather args={"city":"Paris"}]]');
const TWO = (sim: boolean): Json =>
  prompt(
    sim,
    'Get the weather of Zürich and, at the same time, the time in 北京.',
    '[[sim:call name=get_weather args={"city":"Zürich"}]] [[sim:call name=get_time args={"city":"北京"}]]',
  );
const TALK = (sim: boolean): Json => prompt(sim, 'Tell me about lighthouses.', '[[sim:tokens n=12]]');

/** Exactly these functions are called, each with a city. */
function calls(...names: readonly string[]): (choice: Choice) => readonly string[] {
  return ({ calls: made, finish }) => [
    ...must(
      made.map(({ name }) => name).join() === names.join(),
      `calls of ${names.join() || 'nothing'} are due, ${made.map(({ name }) => name).join() || 'none'} came`,
    ),
    ...must(names.length === 0 || finish === 'tool_calls' || finish === 'stop', `finish_reason is ${finish}`),
    ...made.flatMap((call) => {
      const args = parsed(call.arguments);
      return must(isDict(args) && typeof args['city'] === 'string', `the arguments of ${call.name} do not follow its schema`);
    }),
  ];
}

const arguments_ =
  (...cities: readonly string[]) =>
  ({ calls: made }: Choice): readonly string[] =>
    made.flatMap((call, place) => {
      const args = parsed(call.arguments);
      return must(
        isDict(args) && args['city'] === cities[place],
        `the arguments of call ${place} are not those of the model: ${call.arguments}`,
      );
    });

const legacy = (choice: Choice): readonly string[] => [
  ...must(choice.legacyCall?.name === 'get_weather', 'no function_call of get_weather came'),
  ...must(isDict(parsed(choice.legacyCall?.arguments ?? '')), 'the arguments are no JSON'),
];

export const TOOL_FEATURES: readonly Feature[] = [
  row('tools', 'Tools, the model decides', (sim) => [
    probe({ messages: [ONE(sim)], tools: TOOLS, tool_choice: 'auto' }, (choice) => [
      ...calls('get_weather')(choice),
      ...arguments_('Paris')(choice),
    ]),
    probe({ messages: [TALK(sim)], tools: TOOLS }, calls()),
  ]),
  row('tools-stream', 'Tools, streamed', (sim) => [
    probe({ messages: [ONE(sim)], tools: TOOLS, stream: true }, (choice) => [
      ...calls('get_weather')(choice),
      ...arguments_('Paris')(choice),
    ]),
  ]),
  row('tools-required', 'tool_choice: required', (sim) =>
    both({ messages: [TALK(sim)], tools: TOOLS, tool_choice: 'required' }, calls('get_weather')),
  ),
  row('tools-named', 'tool_choice: a named function', (sim) =>
    both({ messages: [TALK(sim)], tools: TOOLS, tool_choice: { type: 'function', function: { name: 'get_time' } } }, calls('get_time')),
  ),
  row('tools-none', 'tool_choice: none', () =>
    both({ messages: [user('Please get_weather of Paris.')], tools: TOOLS, tool_choice: 'none' }, calls()),
  ),
  row('tools-allowed', 'tool_choice: allowed_tools', (sim) =>
    both(
      {
        messages: [TALK(sim)],
        tools: TOOLS,
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'get_time' } }] },
        },
      },
      calls('get_time'),
    ),
  ),
  row(
    'tools-parallel',
    'Parallel calls, which are OpenAI’s default',
    (sim) =>
      both({ messages: [TWO(sim)], tools: TOOLS }, (choice) => [
        ...calls('get_weather', 'get_time')(choice),
        ...arguments_('Zürich', '北京')(choice),
      ]),
    ['tools', 'parallel_tool_calls'],
  ),
  row(
    'tools-one',
    'parallel_tool_calls: false',
    (sim) => both({ messages: [TWO(sim)], tools: TOOLS, parallel_tool_calls: false }, calls('get_weather')),
    ['tools', 'parallel_tool_calls'],
  ),
  row(
    'tools-loop',
    'Results of calls are sent back',
    () =>
      both(
        {
          messages: [
            user('What is the weather?'),
            {
              role: 'assistant',
              content: null,
              tool_calls: [
                { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
                { id: 'call_b', type: 'function', function: { name: 'get_time', arguments: '{"city":"Rome"}' } },
              ],
            },
            { role: 'tool', tool_call_id: 'call_b', content: [{ type: 'text', text: 'half past noon' }] },
            { role: 'tool', tool_call_id: 'call_a', content: 'rain of 7 degrees' },
          ],
          tools: TOOLS,
        },
        ({ content }, _answer, seen) => [
          ...reached(seen, 'half past noon', 'rain of 7 degrees'),
          ...must(/7/.test(content ?? ''), 'the answer does not know the results'),
        ],
      ),
    ['tools', 'messages'],
  ),
  row('tools-name', 'A function called search', (sim) => [
    probe(
      {
        messages: [prompt(sim, 'search for the city of Paris', '')],
        tools: [fn('search', 'Searches a city', { city: { type: 'string' } })],
      },
      calls('search'),
    ),
  ]),
  row('tools-bare', 'A function without description and parameters', () => [
    probe({ messages: [user('Now ping.')], tools: [{ type: 'function', function: { name: 'ping' } }] }, ({ calls: made }) =>
      must(made[0]?.name === 'ping' && made[0].arguments === '{}', 'ping is not called without arguments'),
    ),
  ]),
  row('tools-strict', 'strict functions', (sim) => [
    probe(
      { messages: [ONE(sim)], tools: [{ type: 'function', function: { ...(WEATHER['function'] as Json), strict: true } }] },
      calls('get_weather'),
    ),
  ]),
  row('tools-custom', 'Custom tools', () => [
    probe({ messages: [user('Use it.')], tools: [{ type: 'custom', custom: { name: 'note', description: 'Takes a text' } }] }),
  ]),
  row(
    'functions',
    'The deprecated functions and function_call',
    (sim) =>
      both({ messages: [ONE(sim)], functions: TOOLS.map((tool) => tool['function']), function_call: { name: 'get_weather' } }, legacy),
    ['functions', 'function_call', 'tools', 'tool_choice'],
  ),
  row(
    'tools-thinking',
    'tool_choice: required with reasoning_effort',
    (sim) =>
      both({ messages: [TALK(sim)], tools: TOOLS, tool_choice: 'required', reasoning_effort: 'low' }, (choice) => [
        ...calls('get_weather')(choice),
        ...(choice.reasoning === '' ? [{ lack: 'the model does not think before the call' }] : []),
      ]),
    ['tools', 'tool_choice', 'reasoning_effort'],
  ),
];
