/**
 * What the mock vendors answer: bytes made once, in the true shape of each vendor's documented answers (key order, which keys are there,
 * where usage stands), padded so that a whole answer and a chunk have the same size whoever sends them.
 */
export type Dialect = 'qwen' | 'ernie' | 'glm';

export const DIALECTS: readonly Dialect[] = ['qwen', 'ernie', 'glm'];

/** Path of each vendor's chat endpoint, as its own SDK calls it; without the last two segments it is the base URL. */
export const CHAT_PATHS: Readonly<Record<Dialect, string>> = {
  qwen: '/compatible-mode/v1/chat/completions',
  ernie: '/v2/chat/completions',
  glm: '/api/paas/v4/chat/completions',
};

/** A model of each vendor that the relay reaches by its own name. */
export const MODELS: Readonly<Record<Dialect, string>> = { qwen: 'qwen-plus', ernie: 'ernie-4.5-turbo-128k', glm: 'glm-4.6' };

/** Bytes of a whole JSON answer, of the request, and of one chunk on the wire (`data: …` and its blank line). */
export const REPLY_BYTES = 600;
export const REQUEST_BYTES = 860;
export const CHUNK_BYTES = 270;

export const USAGE = { prompt: 190, completion: 1000 } as const;

const WORDS = 'A relay takes the message from one runner and gives it to the next without dropping a word of what was said before. ';
const CREATED = 1_790_000_000;

/** Text of exactly this many ASCII characters; different for each `seed`, so that a chunk lost or swapped shows. */
function text(length: number, seed: number): string {
  const head = `${seed} `;
  const from = (seed * 7) % WORDS.length;
  return (head + WORDS.slice(from) + WORDS.repeat(Math.ceil(length / WORDS.length) + 1)).slice(0, length);
}

/** Fills a body with as much text as brings it to `bytes`. @throws RangeError when nothing fits in */
function padded(bytes: number, seed: number, body: (content: string) => string): { readonly content: string; readonly json: string } {
  const room = bytes - body('').length;
  if (room < 8) throw new RangeError(`${bytes} bytes leave no room for text`);
  const content = text(room, seed);
  return { content, json: body(content) };
}

const usageOf: Readonly<Record<Dialect, object>> = {
  qwen: {
    prompt_tokens: USAGE.prompt,
    completion_tokens: USAGE.completion,
    total_tokens: USAGE.prompt + USAGE.completion,
    prompt_tokens_details: { cached_tokens: 0 },
  },
  ernie: { prompt_tokens: USAGE.prompt, completion_tokens: USAGE.completion, total_tokens: USAGE.prompt + USAGE.completion },
  glm: {
    completion_tokens: USAGE.completion,
    prompt_tokens: USAGE.prompt,
    prompt_tokens_details: { cached_tokens: 0 },
    total_tokens: USAGE.prompt + USAGE.completion,
  },
};

const IDS: Readonly<Record<Dialect, string>> = {
  qwen: 'chatcmpl-5f0f6a2e-1d2c-9e11-8a4b-1c2d3e4f5a6b',
  ernie: 'as-k3v9x0q2mb',
  glm: '202609011020447b1e09a3c55d4f10',
};

function wholeOf(dialect: Dialect, content: string): object {
  const head = { id: IDS[dialect], object: 'chat.completion', created: CREATED, model: MODELS[dialect] };
  const message = { role: 'assistant', content };
  const usage = usageOf[dialect];
  if (dialect === 'qwen') {
    const { id, object, created, model } = head;
    const choices = [{ message: { content, role: 'assistant' }, finish_reason: 'stop', index: 0, logprobs: null }];
    return { choices, object, usage, created, system_fingerprint: null, model, id };
  }
  if (dialect === 'ernie') return { ...head, choices: [{ index: 0, message, finish_reason: 'stop', flag: 0 }], usage };
  const { id, object, created, model } = head;
  return {
    choices: [{ finish_reason: 'stop', index: 0, message: { content, role: 'assistant' } }],
    created,
    id,
    model,
    object,
    request_id: id,
    usage,
  };
}

type Delta = { readonly role?: 'assistant'; readonly content?: string };

/** One stream event. `finish` and `usage` stand where the vendor puts them. */
function chunkOf(dialect: Dialect, delta: Delta, finish: 'stop' | null, usage: object | null): object {
  const id = IDS[dialect];
  const model = MODELS[dialect];
  const object = 'chat.completion.chunk';
  if (dialect === 'qwen') {
    const choices = [{ delta, finish_reason: finish, index: 0, logprobs: null }];
    return { choices, object, usage, created: CREATED, system_fingerprint: null, model, id };
  }
  if (dialect === 'ernie') {
    return { id, object, created: CREATED, model, choices: [{ index: 0, delta, finish_reason: finish, flag: 0 }], usage };
  }
  // GLM: the role in every delta, no finish_reason key before the last chunk, usage only there.
  const choices = [{ index: 0, ...(finish === null ? {} : { finish_reason: finish }), delta: { role: 'assistant', ...delta } }];
  return { id, created: CREATED, object, model, choices, ...(usage === null ? {} : { usage }) };
}

const event = (json: string): string => `data: ${json}\n\n`;

export interface CannedStream {
  /** Events in the order of the wire, `[DONE]` last. */
  readonly events: readonly string[];
  /** What a caller must have read in the end. */
  readonly content: string;
}

/** A stream of `chunks` text chunks between the vendor's own first and last events. */
export function cannedStream(dialect: Dialect, chunks: number): CannedStream {
  const events: string[] = [];
  let content = '';
  const say = (delta: Delta, finish: 'stop' | null, usage: object | null): void => {
    events.push(event(JSON.stringify(chunkOf(dialect, delta, finish, usage))));
  };
  if (dialect !== 'glm') say({ role: 'assistant', content: '' }, null, null);
  for (let index = 0; index < chunks; index++) {
    const made = padded(CHUNK_BYTES - event('').length, index, (piece) => JSON.stringify(chunkOf(dialect, { content: piece }, null, null)));
    content += made.content;
    events.push(event(made.json));
  }
  const usage = usageOf[dialect];
  if (dialect === 'glm') say({ content: '' }, 'stop', usage);
  else {
    say({ content: '' }, 'stop', null);
    const last = { ...chunkOf(dialect, {}, null, usage), choices: [] };
    events.push(event(JSON.stringify(last)));
  }
  events.push(event('[DONE]'));
  return { events, content };
}

export function cannedReply(dialect: Dialect): { readonly content: string; readonly json: string } {
  return padded(REPLY_BYTES, 1, (content) => JSON.stringify(wholeOf(dialect, content)));
}

/** A word in the prompt that makes the mock hold the stream open after its first burst. */
export const HOLD = 'hold-this-stream';
/** A word that makes it bring one event at a time, and take its time. */
export const SLOW = 'take-your-time';

const SYSTEM = { whole: 'You are brief.', stream: 'You are brief.', held: HOLD, slow: SLOW } as const;

/** OpenAI's request, 860 bytes whatever is asked. */
export function requestBody(model: string, kind: keyof typeof SYSTEM): string {
  const stream = kind === 'whole' ? {} : { stream: true, stream_options: { include_usage: true } };
  const body = (content: string): string =>
    JSON.stringify({
      model,
      messages: [
        { role: 'system', content: SYSTEM[kind] },
        { role: 'user', content },
      ],
      temperature: 0.7,
      max_tokens: 2000,
      ...stream,
    });
  return padded(REQUEST_BYTES, 2, body).json;
}
