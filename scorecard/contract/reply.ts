import { type Dict, dicts, isDict, textOr } from './shape.ts';

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** One choice, whether it came whole or in pieces. */
export interface Choice {
  readonly index: number;
  readonly finish: string | null;
  readonly content: string | null;
  readonly reasoning: string;
  readonly calls: readonly Call[];
  /** The deprecated `function_call`. */
  readonly legacyCall: Omit<Call, 'id'> | null;
  readonly logprobs: readonly Dict[] | null;
  /** Pages that the answer names. */
  readonly citations: number;
}

/** A chat answer put together. */
export interface Reply {
  readonly choices: readonly Choice[];
  readonly usage: Dict | null;
}

/** A whole answer. What is missing is told by `completionFaults`. */
export function wholeReply(body: Dict): Reply {
  const choices = dicts(body['choices']).map((choice, position): Choice => {
    const message = isDict(choice['message']) ? choice['message'] : {};
    const legacy = message['function_call'];
    return {
      index: Number(choice['index'] ?? position),
      finish: textOr(choice['finish_reason'], null),
      content: textOr(message['content'], null),
      reasoning: textOr(message['reasoning_content'], ''),
      calls: dicts(message['tool_calls']).map((call) => ({ id: textOr(call['id'], ''), ...target(call['function']) })),
      legacyCall: isDict(legacy) ? target(legacy) : null,
      logprobs: tokenList(choice),
      citations: dicts(message['annotations']).length,
    };
  });
  return { choices, usage: isDict(body['usage']) ? body['usage'] : null };
}

const target = (value: unknown): Omit<Call, 'id'> => {
  const found = isDict(value) ? value : {};
  return { name: textOr(found['name'], ''), arguments: textOr(found['arguments'], '') };
};

export const tokenList = (choice: Dict): readonly Dict[] | null =>
  isDict(choice['logprobs']) ? dicts(choice['logprobs']['content']) : null;

interface OpenChoice {
  finish: string | null;
  content: string | null;
  reasoning: string;
  calls: Map<number, { id: string; name: string; arguments: string }>;
  legacyCall: { name: string; arguments: string } | null;
  logprobs: Dict[] | null;
  citations: number;
}

/** The chunks of a stream, added up as the SDKs do. */
export function streamedReply(chunks: readonly Dict[]): Reply {
  const open = new Map<number, OpenChoice>();
  let usage: Dict | null = null;
  for (const chunk of chunks) {
    if (isDict(chunk['usage'])) usage = chunk['usage'];
    for (const choice of dicts(chunk['choices'])) {
      const index = Number(choice['index'] ?? 0);
      const state = open.get(index) ?? {
        finish: null,
        content: null,
        reasoning: '',
        calls: new Map(),
        legacyCall: null,
        logprobs: null,
        citations: 0,
      };
      open.set(index, state);
      add(state, choice);
    }
  }
  const choices = [...open]
    .sort(([one], [other]) => one - other)
    .map(([index, { calls, ...state }]): Choice => ({ index, ...state, calls: [...calls.values()] }));
  return { choices, usage };
}

function add(state: OpenChoice, choice: Dict): void {
  const delta = isDict(choice['delta']) ? choice['delta'] : {};
  if (typeof choice['finish_reason'] === 'string') state.finish = choice['finish_reason'];
  if (typeof delta['content'] === 'string') state.content = (state.content ?? '') + delta['content'];
  state.reasoning += textOr(delta['reasoning_content'], '');
  for (const piece of dicts(delta['tool_calls'])) {
    const place = Number(piece['index'] ?? 0);
    const call = state.calls.get(place) ?? { id: '', name: '', arguments: '' };
    state.calls.set(place, call);
    const { name, arguments: json } = target(piece['function']);
    call.id += textOr(piece['id'], '');
    call.name += name;
    call.arguments += json;
  }
  if (isDict(delta['function_call'])) {
    const { name, arguments: json } = target(delta['function_call']);
    state.legacyCall = { name: (state.legacyCall?.name ?? '') + name, arguments: (state.legacyCall?.arguments ?? '') + json };
  }
  state.citations += dicts(delta['annotations']).length;
  const tokens = tokenList(choice);
  if (tokens !== null) state.logprobs = [...(state.logprobs ?? []), ...tokens];
}
