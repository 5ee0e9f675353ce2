import { loadCatalog } from '../catalog/catalog.ts';
import { checkChatRequest } from '../openai/chat/check-request.ts';
import { ChunkEncoder } from '../openai/chat/chunk-encoder.ts';
import { CompletionCollector } from '../openai/chat/completion-collector.ts';
import type { AnswerHead } from '../openai/chat/events.ts';
import type { ChatRequest } from '../openai/chat/request.ts';
import { SseDecoder } from '../openai/sse.ts';
import { leastTokens } from '../relay/chat/context-length.ts';
import { buildChain } from '../relay/chat/legs.ts';
import { promptSize } from '../relay/chat/prompt-size.ts';
import { Receipt } from '../translators/receipt.ts';
import { TRANSLATORS } from '../translators/registry.ts';
import type { ChatTranslator, Emulation, Target } from '../translators/translator.ts';
import { CHAT_PATHS, cannedStream, type Dialect, MODELS } from './mock-answers.ts';

/** One thing the relay does to a request or to an answer, at any size. */
export interface Work {
  readonly name: string;
  /** What `size` counts. */
  readonly unit: 'message' | 'chunk';
  /** Makes the input, outside of what is measured; the function it gives back does the work once. */
  readonly at: (size: number) => () => void;
}

const catalog = loadCatalog();
const LIMITS = { maxMessages: 10_000, maxTools: 128 };
const HEAD: AnswerHead = { id: 'chatcmpl-bench', created: 1_790_000_000, model: 'gpt-4o', legacyFunctions: false, showReasoning: true };

/** What the network brings at once, in bytes. */
const READ_BYTES = 16_384;

const modelOf = (translator: ChatTranslator): string => MODELS[translator.vendor as Dialect];

function targetOf(translator: ChatTranslator): Target {
  const model = modelOf(translator);
  return { model, facts: catalog.model(translator.vendor, model), region: 'cn-beijing', thinking: 'default', requestId: 'req_bench' };
}

/** An agent's history of so many messages (a multiple of four): rounds of question, tool call, its answer and a text, a new question at the end. */
export function conversation(size: number): string {
  const round = (index: number): object[] => [
    { role: 'user', content: `Question ${index}: how many boxes stand in hall ${index}, and since when?` },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: `call_${index}`, type: 'function', function: { name: 'count_boxes', arguments: `{"hall":"${index}"}` } }],
    },
    { role: 'tool', tool_call_id: `call_${index}`, content: `{"boxes":${index},"since":"Monday"}` },
    { role: 'assistant', content: `There are ${index} boxes in the hall, since Monday.` },
  ];
  const messages = [
    { role: 'system', content: 'You are brief.' },
    { role: 'user', content: 'Hello.' },
    { role: 'assistant', content: 'Hello.' },
    ...Array.from({ length: size / 4 - 1 }, (_, index) => round(index)).flat(),
    { role: 'user', content: 'And in all of them?' },
  ];
  const parameters = { type: 'object', properties: { hall: { type: 'string' } }, required: ['hall'] };
  return JSON.stringify({ model: 'gpt-4o', messages, tools: [{ type: 'function', function: { name: 'count_boxes', parameters } }] });
}

const checked = (size: number): ChatRequest => checkChatRequest(JSON.parse(conversation(size)), LIMITS);

/** The events of a vendor's stream with the text pieces as another kind of delta; joined to the reads of a network. */
function reads(vendor: string, size: number, delta: (piece: string, index: number) => object): Buffer[] {
  let index = 0;
  const events = cannedStream(vendor as Dialect, size).events.map((event) =>
    event.replace(/"content":("(?:[^"\\]|\\.)+")/, (_, piece: string) => JSON.stringify(delta(JSON.parse(piece), index++)).slice(1, -1)),
  );
  const bytes = Buffer.from(events.join(''));
  return Array.from({ length: Math.ceil(bytes.length / READ_BYTES) }, (_, at) => bytes.subarray(at * READ_BYTES, (at + 1) * READ_BYTES));
}

const DELTAS = {
  text: (content: string) => ({ content }),
  reasoning: (reasoning_content: string) => ({ reasoning_content }),
  'tool call': (piece: string, index: number) => ({
    tool_calls: [
      index === 0
        ? { index: 0, id: 'call_1', type: 'function', function: { name: 'count_boxes', arguments: '' } }
        : { index: 0, id: '', type: 'function', function: { arguments: piece } },
    ],
  }),
} as const;

function streamed(translator: ChatTranslator, kind: keyof typeof DELTAS): Work {
  return {
    name: `${translator.dialect}: stream of ${kind}`,
    unit: 'chunk',
    at: (size) => {
      const network = reads(translator.vendor, size, DELTAS[kind]);
      return () => {
        const encoder = new ChunkEncoder(HEAD, true);
        const reader = translator.frames(buildChain(encoder, 0, {}, async () => null, 1).first);
        const decoder = new SseDecoder((data) => reader.frame(data));
        let out = 0;
        for (const read of network) {
          decoder.push(read);
          out += encoder.take().length;
        }
        decoder.end();
        reader.end();
        encoder.done();
        if (out + encoder.take().length === 0) throw new Error(`${translator.dialect}: nothing came out`);
      };
    },
  };
}

/** The relay's own steps on an answer's way, without decoder and reader. */
function emulated(name: string, emulation: Emulation, first: string): Work {
  return {
    name: `emulation: ${name}`,
    unit: 'chunk',
    at: (size) => {
      const pieces = [first, ...Array.from({ length: size - 1 }, (_, index) => ` "stop ${index} of the str`)];
      return () => {
        const events = buildChain(new CompletionCollector(HEAD), 0, emulation, async () => null, 1).first;
        for (const piece of pieces) events.text(0, piece);
        events.finish(0, 'length');
      };
    },
  };
}

/** Dialects that have a canned stream: those of the compatible protocols. */
const TRANSLATED = TRANSLATORS.filter(({ vendor, dialect }) => vendor in CHAT_PATHS && !dialect.includes('native'));

export const WORKS: readonly Work[] = [
  {
    name: 'request: parsed and checked',
    unit: 'message',
    at: (size) => {
      const body = conversation(size);
      return () => void checkChatRequest(JSON.parse(body), LIMITS);
    },
  },
  {
    name: 'request: size and context',
    unit: 'message',
    at: (size) => {
      const request = checked(size);
      return () => {
        promptSize(request);
        leastTokens(request, 1_000_000);
      };
    },
  },
  ...TRANSLATORS.map((translator): Work => {
    const target = targetOf(translator);
    return {
      name: `${translator.dialect}: request`,
      unit: 'message',
      at: (size) => {
        const request = checked(size);
        return () => void JSON.stringify(translator.request(request, target, new Receipt(false)).body);
      },
    };
  }),
  ...TRANSLATED.flatMap((translator) => (['text', 'reasoning', 'tool call'] as const).map((kind) => streamed(translator, kind))),
  emulated('stop words', { stop: ['the stream is over', '\n\nHuman:'] }, 'Well:'),
  emulated('JSON in prose', { json: { schema: null } }, 'Here it is: ["'),
];
