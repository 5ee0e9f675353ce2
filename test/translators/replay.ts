/**
 * Plays a vendor's recorded bytes through a translator as the relay does: decoder, frame reader, encoder. Fixtures are files
 * `<vendor>/fixtures/<name>.sse` (a stream) and `<name>.json` (a whole body); what must come out stands beside, as `<name>.expected.txt`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { loadCatalog } from '../../catalog/catalog.ts';
import { ChunkEncoder } from '../../openai/chat/chunk-encoder.ts';
import { CompletionCollector } from '../../openai/chat/completion-collector.ts';
import type { AnswerHead, ChatEvents, Usage } from '../../openai/chat/events.ts';
import { asOpenAIError, OpenAIError } from '../../openai/errors.ts';
import { SseDecoder, SseError } from '../../openai/sse.ts';
import type { ChatTranslator } from '../../translators/translator.ts';

export interface Fixture {
  /** File name without its ending. */
  readonly name: string;
  readonly kind: 'stream' | 'whole';
  readonly bytes: Buffer;
  /** Relative to `test/translators/<vendor>/`, for `toMatchFileSnapshot` in a test file that stands there. */
  readonly expected: string;
}

export interface ReplayOptions {
  /** Bytes a network read brings; the default is all at once. */
  readonly size?: number;
  readonly includeUsage?: boolean;
  readonly head?: Partial<AnswerHead>;
}

export interface Replay {
  /** What the caller gets: SSE text (an error is its last event), or one JSON text; '' when a whole body was refused. */
  readonly out: string;
  readonly error: OpenAIError | null;
  /** What the vendor said of tokens; null when it said nothing. */
  readonly usage: Usage | null;
}

export const HEAD: AnswerHead = {
  id: 'chatcmpl-replay',
  created: 1_790_000_000,
  model: 'gpt-4o',
  legacyFunctions: false,
  showReasoning: true,
};

/** Stands for the relay's estimate where a vendor tells no usage and the caller wants some. */
const ESTIMATE: Usage = { prompt: 0, completion: 0, cached: 0, reasoning: 0, estimated: true };

/** The recorded bytes of one vendor, by name. `kind` narrows to streams or whole bodies. */
export function fixtures(vendor: string, kind?: Fixture['kind']): Fixture[] {
  const folder = new URL(`${vendor}/fixtures/`, import.meta.url);
  return readdirSync(folder)
    .filter((file) => /\.(sse|json)$/.test(file))
    .sort()
    .map((file): Fixture => {
      const name = file.replace(/\.\w+$/, '');
      return {
        name,
        kind: file.endsWith('.sse') ? 'stream' : 'whole',
        bytes: readFileSync(new URL(file, folder)),
        expected: `fixtures/${name}.expected.txt`,
      };
    })
    .filter((fixture) => kind === undefined || fixture.kind === kind);
}

const catalog = loadCatalog();

/** What stands before the reader, as the rules of the model say that the fixture names. */
function filtered(translator: ChatTranslator, events: ChatEvents, bytes: Uint8Array): ChatEvents {
  const model = /"model": ?"([^"]*)"/.exec(Buffer.from(bytes).toString('utf8'))?.[1] ?? '';
  return translator.filter?.(events, catalog.model(translator.vendor, model).rules) ?? events;
}

/** A stream. Ids that the relay makes up are random; they come out as `call_made_1`, `call_made_2`, … */
export function replay(translator: ChatTranslator, bytes: Uint8Array, options: ReplayOptions = {}): Replay {
  const encoder = new ChunkEncoder({ ...HEAD, ...options.head }, options.includeUsage ?? true);
  const reader = translator.frames(filtered(translator, encoder, bytes));
  const decoder = new SseDecoder(
    (data) => reader.frame(data),
    undefined,
    (text) => reader.comment?.(text),
  );
  const source = Buffer.from(bytes);
  const size = options.size ?? Math.max(1, source.length);
  let error: OpenAIError | null = null;
  try {
    for (let at = 0; at < source.length; at += size) decoder.push(source.subarray(at, at + size));
    decoder.end();
    reader.end();
  } catch (thrown) {
    error = asReadError(thrown);
    // As the relay does: once the vendor has said that it is finished, what follows cannot spoil the answer.
    if (reader.finished) error = null;
  }
  const usage = encoder.lastUsage;
  if (error === null) {
    if (usage === null) encoder.usage(ESTIMATE);
    encoder.done();
  }
  const out = encoder.take() + (error === null ? '' : `data: ${JSON.stringify(error)}\n\n`);
  return { out: withoutMadeIds(out, source), error, usage };
}

/** A whole body, as JSON bytes. */
export function replayWhole(translator: ChatTranslator, bytes: Uint8Array, options: Pick<ReplayOptions, 'head'> = {}): Replay {
  const collector = new CompletionCollector({ ...HEAD, ...options.head });
  const source = Buffer.from(bytes);
  try {
    translator.whole(JSON.parse(source.toString('utf8')), filtered(translator, collector, bytes));
  } catch (thrown) {
    return { out: '', error: asReadError(thrown), usage: collector.lastUsage };
  }
  const usage = collector.lastUsage;
  if (usage === null) collector.usage(ESTIMATE);
  return { out: withoutMadeIds(collector.json(), source), error: null, usage };
}

/**
 * Cuts the stream after each of its bytes and says what is wrong with what comes out; empty when all is well. Before the vendor's
 * first finish word has arrived whole, there must be a typed error, and neither a finish chunk nor `[DONE]`. What came out before a
 * cut must be what comes out without one.
 */
export function cuts(translator: ChatTranslator, bytes: Uint8Array, options: ReplayOptions = {}): string[] {
  const source = Buffer.from(bytes);
  const whole = replay(translator, source, options);
  const problems: string[] = [];
  const word = /"finish_reason"\s*:\s*"[^"]+"/.exec(source.toString('latin1'));
  const finishedAt = word === null ? Number.POSITIVE_INFINITY : word.index + word[0].length;
  for (let length = 0; length < source.length; length++) {
    const { out, error } = replay(translator, source.subarray(0, length), options);
    const say = (problem: string): void => void problems.push(`cut after ${length} bytes: ${problem}`);
    if (error !== null && error.kind !== whole.error?.kind && !CUT_ERRORS.includes(error.kind)) say(`the error is ${error.kind}`);
    if (error !== null && out.includes('[DONE]')) say('[DONE] beside an error');
    if (length < finishedAt) {
      if (error === null) say('no error');
      if (out.includes('[DONE]')) say('[DONE] before the vendor had finished');
      if (/"finish_reason":"/.test(out)) say('a finish chunk before the vendor had finished');
    }
    const before = error === null ? out.slice(0, out.lastIndexOf('"finish_reason":"')) : out.slice(0, out.lastIndexOf('data: {"error"'));
    if (!whole.out.startsWith(before)) say('other chunks than without the cut');
  }
  return problems;
}

const CUT_ERRORS: readonly string[] = ['upstream_truncated', 'upstream_invalid_response'];

/** Text that cannot be decoded is the backend's fault; anything unexpected fails the test that meets it. */
function asReadError(thrown: unknown): OpenAIError {
  if (thrown instanceof SseError) return new OpenAIError('upstream_invalid_response', "The backend's answer could not be read.");
  if (thrown instanceof OpenAIError) return asOpenAIError(thrown);
  throw thrown;
}

function withoutMadeIds(out: string, source: Buffer): string {
  const names = new Map<string, string>();
  return out.replace(/call_[0-9a-f]{24}/g, (id) => {
    if (source.includes(id)) return id;
    const name = names.get(id) ?? `call_made_${names.size + 1}`;
    names.set(id, name);
    return name;
  });
}
