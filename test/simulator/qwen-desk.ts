import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

/** A Qwen simulator and the few calls its tests make over real HTTP. */
export interface Desk {
  readonly simulator: Simulator;
  post(path: string, body: unknown, options?: PostOptions): Promise<Answer>;
  chat(change: Record<string, unknown>, options?: PostOptions): Promise<Answer>;
  close(): Promise<void>;
}

interface PostOptions {
  readonly key?: string | null;
  readonly region?: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: Body;
  /** JSON of every `data:` frame, `[DONE]` left out. */
  readonly frames: readonly Body[];
  readonly done: boolean;
}

/** What the tests look at in a body or a frame; taken for present: what is absent is undefined at run time. */
export interface Body {
  readonly id: string;
  readonly object: string;
  readonly request_id: string;
  readonly choices: readonly Choice[];
  readonly usage: UsageNumbers;
  readonly error: { readonly message: string; readonly type: string; readonly param: null; readonly code: string | null };
  readonly data: readonly { readonly id: string; readonly embedding: readonly number[] }[];
}

export interface Choice {
  readonly index: number;
  readonly finish_reason: string | null;
  readonly message: Message;
  readonly delta: Message;
}

interface Message {
  readonly content: string;
  readonly reasoning_content: string;
  readonly tool_calls: readonly [ToolCall, ...ToolCall[]];
}

interface ToolCall {
  readonly id: string;
  readonly index: number;
  readonly function: { readonly name: string; readonly arguments: string };
}

interface UsageNumbers {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly image_tokens: number };
}

/** The first choice of a body or frame. */
export function choiceOf(body: Body | undefined): Choice {
  const choice = body?.choices[0];
  if (choice === undefined) throw new Error(`no choice in ${JSON.stringify(body)}`);
  return choice;
}

export const KEY = 'sk-good-beijing-5f3a9c2e7d1b4068';
export const SINGAPORE_KEY = 'sk-good-singapore-a1e5c9d37b2f4086';

export async function openDesk(now: () => number): Promise<Desk> {
  const simulator = await startSimulator({ vendors: ['qwen'], now });
  const base = simulator.vendors.qwen;
  if (base === undefined) throw new Error('qwen is not served');
  const post: Desk['post'] = async (path, body, options = {}) => {
    const key = options.key === undefined ? KEY : options.key;
    const root = options.region === undefined ? base.baseUrl : `${base.url}/~${options.region}/compatible-mode/v1`;
    const method = options.method ?? 'POST';
    const response = await fetch(`${root}${path}`, {
      method,
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), 'content-type': 'application/json', ...options.headers },
      ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return read(response);
  };
  return {
    simulator,
    post,
    chat: (change, options) =>
      post('/chat/completions', { model: 'qwen-plus', messages: [{ role: 'user', content: 'Hello' }], ...change }, options),
    close: () => simulator.close(),
  };
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const events = text
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice(6));
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: parsed(text) as Body,
    frames: isStream ? events.filter((event) => event !== '[DONE]').map((event) => parsed(event) as Body) : [],
    done: events.at(-1) === '[DONE]',
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const user = (content: unknown): { messages: unknown[] } => ({ messages: [{ role: 'user', content }] });
export const says = (text: string): { messages: unknown[] } => user(`[[sim:say text=${JSON.stringify(text)}]]`);
export const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
export const callWeather = user('[[sim:call name=get_weather args={"city":"Paris today"}]]');
