/**
 * Writes a streamed answer as recorded traffic shows it (GLM 2.8): `role` on every text delta and on no tool delta,
 * no `finish_reason` key before the last chunk, usage on the finish chunk whether asked for or not, no keep-alives.
 */
import type { Frame, Incoming, Kernel, Reply } from '../kernel/types.ts';
import { type Answer, argumentsValue, JSON_HEADERS, OUTPUT_FILTER, usageBody } from './chat.ts';
import type { StreamFailure, Wishes } from './faults.ts';
import { streamToolId } from './ids.ts';
import type { ChatRequest } from './validate.ts';

export const STREAM_HEADERS = { 'content-type': 'text/event-stream;charset=UTF-8' };

const DONE: Frame = { wire: 'data: [DONE]\n\n', content: false };

type Delta = Readonly<Record<string, unknown>>;

/** @param errorValue body of the failure in the shape and language in force */
export function streamAnswer(
  incoming: Incoming,
  kernel: Kernel,
  found: Answer,
  request: ChatRequest,
  wishes: Wishes,
  errorValue: Readonly<Record<string, unknown>>,
): Reply {
  const failure = wishes.streamFailure;
  if (failure?.form === 'json') return { kind: 'whole', status: 200, headers: JSON_HEADERS, body: JSON.stringify(errorValue) };

  const chunk = chunkWriter(found, wishes);
  const tools = toolDeltas(incoming, kernel, found, request, wishes);
  const lastOnFinish = wishes.toolArgs === 'last-on-finish' ? tools.pop() : undefined;
  const reasoning = kernel.pieces(found.reasoning).map((text) => chunk({ role: 'assistant', reasoning_content: text }));
  const leadIn = wishes.profile === '2025' ? [chunk({ role: 'assistant', content: '', reasoning_content: '\n' })] : [];
  const content = kernel.pieces(found.content).map((text) => chunk({ role: 'assistant', content: text }));
  // Where search results ride in a stream is not documented; here the first chunk has them.
  const deltas = withSearch([...leadIn, ...reasoning, ...content, ...tools.map((delta) => chunk(delta))], found);

  if (failure) return reply([...cut(deltas, failure), ...ending(failure, chunk, wishes, errorValue, found)]);

  const sensitive = found.finish === 'sensitive';
  const extra = sensitive ? { usage: null, content_filter: OUTPUT_FILTER } : { usage: usageBody(found.usage, request, wishes) };
  // An audit steps in on the way: half the text is out and must be treated as withdrawn.
  const sent = sensitive ? deltas.slice(0, Math.ceil(deltas.length / 2)) : deltas;
  const last = chunk({ role: 'assistant', content: '', ...lastOnFinish }, found.finish, extra, lastOnFinish !== undefined);
  return reply([...sent, last, DONE]);
}

function reply(frames: readonly Frame[]): Reply {
  return { kind: 'stream', status: 200, headers: STREAM_HEADERS, frames };
}

type ChunkWriter = (delta: Delta, finish?: string | null, extra?: Delta, content?: boolean) => Frame;

function chunkWriter(found: Answer, wishes: Wishes): ChunkWriter {
  return (delta, finish, extra, content = finish === undefined) => {
    const body = {
      id: found.id,
      created: found.created,
      ...(wishes.profile === 'old' ? {} : { object: 'chat.completion.chunk' }),
      model: found.model,
      choices: [{ index: 0, ...(typeof finish === 'string' ? { finish_reason: finish } : {}), delta }],
      ...extra,
    };
    return { wire: `data: ${JSON.stringify(body)}\n\n`, content };
  };
}

function withSearch(frames: Frame[], found: Answer): Frame[] {
  const [first, ...rest] = frames;
  if (found.webSearch === null || first === undefined) return frames;
  const wire = `${first.wire.slice(0, -3)},"web_search":${JSON.stringify(found.webSearch)}}\n\n`;
  return [{ wire, content: first.content }, ...rest];
}

/** One chunk per call with the whole argument text, or fragments with `tool_stream` and where a fault asks for them. */
function toolDeltas(incoming: Incoming, kernel: Kernel, found: Answer, request: ChatRequest, wishes: Wishes): Delta[] {
  const split = request.toolStream || wishes.toolArgs === 'dup-id' || wishes.toolArgs === 'last-on-finish';
  return found.toolArguments.flatMap((text, index) => {
    const { name } = found.composition.toolCalls[index]!;
    const id = streamToolId(incoming, kernel, index);
    const call = (args: unknown): Delta => ({ tool_calls: [{ id, index, type: 'function', function: { name, arguments: args } }] });
    if (!split) return [call(argumentsValue(text, wishes))];
    const head = { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] };
    const repeated = wishes.toolArgs === 'dup-id' ? { id } : {};
    return [head, ...kernel.pieces(text).map((piece) => ({ tool_calls: [{ index, ...repeated, function: { arguments: piece } }] }))];
  });
}

function cut(frames: readonly Frame[], failure: StreamFailure): readonly Frame[] {
  return frames.slice(0, failure.after);
}

/** The last frames of a stream that fails, in four of the five forms of GLM 4.4; the fifth, `json`, is no stream at all. */
function ending(failure: StreamFailure, chunk: ChunkWriter, wishes: Wishes, errorValue: Delta, found: Answer): readonly Frame[] {
  switch (failure.form) {
    case 'close':
      return [];
    case 'finish': {
      const reason = wishes.finish ?? 'network_error';
      const extra = reason === 'sensitive' ? { usage: null, content_filter: OUTPUT_FILTER } : {};
      return [chunk({ role: 'assistant', content: '' }, reason, extra), DONE];
    }
    case 'event': {
      const body = JSON.stringify({ ...errorValue, request_id: found.requestId });
      return [{ wire: `event: error\ndata: ${body}\n\n`, content: false }, DONE];
    }
    default:
      return [{ wire: `data: ${JSON.stringify(errorValue)}\n\n`, content: false }, ...(failure.done ? [DONE] : [])];
  }
}
