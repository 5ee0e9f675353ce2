/**
 * A stream and an answer in one form, so that a test can say "the same message". `foldStream` does what SDK accumulators do (join by
 * index); it does not judge, `checkStream` does. Values of a wrong type are left out.
 */
import { type Dict, isDict } from './completion-rules.ts';

export interface FoldedToolCall {
  id: string | undefined;
  type: string | undefined;
  function: { name: string | undefined; arguments: string };
}

export interface FoldedChoice {
  index: number;
  /** Null if no text came beside tool calls or a refusal; OpenAI writes it so in non-stream answers. */
  content: string | null;
  refusal: string | null;
  /** Absent, as in an answer, when there is none. */
  reasoning_content?: string;
  tool_calls?: FoldedToolCall[];
  finish_reason: string | null;
}

export interface Folded {
  id: string | undefined;
  created: number | undefined;
  model: string | undefined;
  choices: FoldedChoice[];
  usage: Dict | null;
}

interface Parts {
  content: string | null;
  refusal: string | null;
  reasoning: string | null;
  calls: Map<number, FoldedToolCall>;
  finish: string | null;
}

/** Joins chunks (as parsed, in order) into the message of each choice. */
export function foldStream(chunks: readonly unknown[]): Folded {
  const choices = new Map<number, Parts>();
  let head: Dict = {};
  let usage: Dict | null = null;
  for (const chunk of chunks.filter(isDict)) {
    head = { ...chunk, ...head };
    if (isDict(chunk['usage'])) usage = chunk['usage'];
    for (const choice of list(chunk['choices'])) {
      const index = typeof choice['index'] === 'number' ? choice['index'] : 0;
      let parts = choices.get(index);
      if (parts === undefined) {
        parts = { content: null, refusal: null, reasoning: null, calls: new Map(), finish: null };
        choices.set(index, parts);
      }
      parts.finish = text(choice['finish_reason']) ?? parts.finish;
      if (isDict(choice['delta'])) add(parts, choice['delta']);
    }
  }
  return { ...headOf(head), choices: [...choices].sort(([a], [b]) => a - b).map(([index, parts]) => finished(index, parts)), usage };
}

/** A non-stream answer in the same form. */
export function foldCompletion(completion: unknown): Folded {
  const answer = isDict(completion) ? completion : {};
  const choices = list(answer['choices']).map((choice) => {
    const message = isDict(choice['message']) ? choice['message'] : {};
    const calls = list(message['tool_calls']).map(toolCall);
    return finished(Number(choice['index']), {
      content: text(message['content']) ?? null,
      refusal: text(message['refusal']) ?? null,
      reasoning: text(message['reasoning_content']) ?? null,
      calls: new Map(calls.entries()),
      finish: text(choice['finish_reason']) ?? null,
    });
  });
  return { ...headOf(answer), choices, usage: isDict(answer['usage']) ? answer['usage'] : null };
}

function add(parts: Parts, delta: Dict): void {
  parts.content = join(parts.content, delta['content']);
  parts.refusal = join(parts.refusal, delta['refusal']);
  parts.reasoning = join(parts.reasoning, delta['reasoning_content']);
  for (const piece of list(delta['tool_calls'])) {
    const index = typeof piece['index'] === 'number' ? piece['index'] : 0;
    const more = toolCall(piece);
    const call = parts.calls.get(index);
    if (call === undefined) parts.calls.set(index, more);
    else {
      call.id ??= more.id;
      call.type ??= more.type;
      call.function.name ??= more.function.name;
      call.function.arguments += more.function.arguments;
    }
  }
}

function finished(index: number, { content, refusal, reasoning, calls, finish }: Parts): FoldedChoice {
  const silent = (content ?? '') === '' && (calls.size > 0 || (refusal ?? '') !== '');
  return {
    index,
    content: silent ? null : content,
    refusal,
    ...(reasoning === null ? {} : { reasoning_content: reasoning }),
    ...(calls.size === 0 ? {} : { tool_calls: [...calls].sort(([a], [b]) => a - b).map(([, call]) => call) }),
    finish_reason: finish,
  };
}

function toolCall(source: Dict): FoldedToolCall {
  const target = isDict(source['function']) ? source['function'] : {};
  return {
    id: text(source['id']),
    type: text(source['type']),
    function: { name: text(target['name']), arguments: text(target['arguments']) ?? '' },
  };
}

function headOf(source: Dict): Pick<Folded, 'id' | 'created' | 'model'> {
  const { id, created, model } = source;
  return { id: text(id), created: typeof created === 'number' ? created : undefined, model: text(model) };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const list = (value: unknown): Dict[] => (Array.isArray(value) ? value.filter(isDict) : []);
const join = (before: string | null, more: unknown): string | null => (typeof more === 'string' ? (before ?? '') + more : before);
