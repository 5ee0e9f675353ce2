import type { ChatEvents } from '../openai/chat/events.ts';
import type { ChatRequest, Effort } from '../openai/chat/request.ts';
import type { OpenAIError } from '../openai/errors.ts';
import type { FamilyRules } from './family-rules.ts';
import type { Receipt } from './receipt.ts';

export type { FamilyRules } from './family-rules.ts';

/**
 * One vendor dialect, both directions. Pure: no I/O, no clock, no configuration; values in, values out, receipts beside.
 * A new vendor is one folder and one line in `registry.ts`.
 */
export interface ChatTranslator {
  /** Name in configuration, logs and metrics, e.g. `qwen-compatible`. */
  readonly dialect: string;
  /** What the vendor is called in configuration. */
  readonly vendor: string;
  /**
   * The request in the vendor's words.
   * @throws OpenAIError `unsupported_parameter`, `unsupported_value` when dropping a field would change the answer
   */
  request(request: ChatRequest, target: Target, receipt: Receipt): UpstreamPlan;
  /**
   * Plays a whole answer body.
   * @throws OpenAIError when the body is an error in disguise or no answer at all
   */
  whole(body: unknown, events: ChatEvents): void;
  /** Stands between `events` and the reader of an answer, where a family prints marks into its text. */
  filter?(events: ChatEvents, rules: FamilyRules): ChatEvents;
  /** A reader for the `data:` payloads of one streamed answer. */
  frames(events: ChatEvents): FrameReader;
  /** What a refusal means to the caller. Never throws. */
  failure(failure: UpstreamFailure): OpenAIError;
}

/** Reads one stream, in order. */
export interface FrameReader {
  /**
   * One event's data.
   * @throws OpenAIError for an error frame, or data that cannot be read
   */
  frame(data: string): void;
  /** A comment line of the stream, without its colon: one vendor writes an event's status there. Absent: comments say nothing. */
  comment?(text: string): void;
  /**
   * The connection has ended.
   * @throws OpenAIError `upstream_truncated` unless the vendor had said that it was finished
   */
  end(): void;
  /** True once the vendor has said that it is finished: what follows cannot spoil the answer. */
  readonly finished: boolean;
}

/** What a model can do, from the catalogue; null = not known, which is not the same as "cannot". */
export interface ModelFacts {
  readonly id: string;
  /** In tokens. */
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  readonly tools: boolean | null;
  readonly vision: boolean | null;
  readonly audioInput: boolean | null;
  readonly jsonObject: boolean | 'non-thinking' | null;
  readonly jsonSchema: boolean | 'non-thinking' | null;
  readonly logprobs: boolean | null;
  readonly webSearch: boolean | null;
  /** Largest native `n`; null = not known. */
  readonly maxChoices: number | null;
  readonly thinking: 'none' | 'optional' | 'always' | 'stream-only' | null;
  readonly thinksByDefault: boolean | null;
  /** How the model's family is spoken to. */
  readonly rules: FamilyRules;
}

/** The chosen backend and model, and what the relay has already decided. */
export interface Target {
  /** The vendor's model id. */
  readonly model: string;
  readonly facts: ModelFacts;
  readonly region: string;
  /**
   * How much thinking is wanted, when the request itself does not say: `default` leaves the vendor's own default,
   * `none` is what a name of a non-thinking OpenAI model stands for.
   */
  readonly thinking: Effort | 'default';
  /** The relay's request id: vendors that take one get it (unique per attempt). */
  readonly requestId: string;
}

/** One call to the vendor, and what must be done to its answer to keep the promise made to the caller. */
export interface UpstreamPlan {
  /** Appended to the backend's base URL. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Key of the body under which `n` and `seed` stand; absent: they stand at its top. */
  readonly parametersIn?: string;
  /** Sent beside those of every call; lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The vendor is asked to stream; may be true for a caller who is not (stream-only models). */
  readonly stream: boolean;
  readonly emulation: Emulation;
}

/** Promises the vendor does not keep by itself. All absent: the answer goes through as it comes. */
export interface Emulation {
  /** This many calls, one choice each. */
  readonly choices?: number;
  /** Cut the text before the first of these; the stream ends there with `stop`. */
  readonly stop?: readonly string[];
  /** Only the first tool call of each choice is passed on. */
  readonly firstCallOnly?: boolean;
  /** No tool call may come out; calls are swallowed. */
  readonly noCalls?: boolean;
  /** A call must come out, of this function if a name is given; asked once more if it does not. */
  readonly mustCall?: { readonly name: string | null };
  /** The text must be one JSON value, of this schema if given: fences and prose around it are taken off. */
  readonly json?: {
    readonly schema: Readonly<Record<string, unknown>> | null;
    /** The caller gave stop words: the value may end before it is whole. */
    readonly mayEndEarly?: true;
  };
  /** Function names as sent → as the caller knows them. */
  readonly functionNames?: ReadonlyMap<string, string>;
}

/** A refusal as it came over the wire. */
export interface UpstreamFailure {
  /** HTTP status; 200 when the error came inside an answer. */
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as text, at most 64 KiB of it. */
  readonly body: string;
}
