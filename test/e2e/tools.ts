import type { ChatCompletionTool } from 'openai/resources/chat/completions';

/** Functions that the tests offer. */
const fn = (name: string, description: string, properties: Record<string, unknown>): ChatCompletionTool => ({
  type: 'function',
  function: {
    name,
    description,
    parameters: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
  },
});

export const WEATHER = fn('get_weather', 'The weather in a city', { city: { type: 'string' }, days: { type: 'integer' } });
export const TIME = fn('get_time', 'The time in a city', { city: { type: 'string' } });
/** A name that one vendor keeps for itself. */
export const SEARCH = fn('search', 'Searches', { query: { type: 'string' } });

/** A prompt that makes the simulated model call both, with these arguments. */
export const BOTH =
  'Go. [[sim:call name=get_weather args={"city":"Zürich \\"HB\\" 🚉","days":2}]] [[sim:call name=get_time args={"city":"北京"}]]';
export const BOTH_ARGS = [{ city: 'Zürich "HB" 🚉', days: 2 }, { city: '北京' }];
