/**
 * What the kernel gives a simulated vendor, and what a vendor gives back.
 *
 * The kernel owns everything that is the same for all vendors: sockets, clocks, faults, the journal,
 * the deterministic "model" that writes the answer, token counting and the pacing of bytes. A vendor
 * owns everything a client can see: keys, validation, error bodies, answer bodies and stream frames.
 */

/** Names of the simulated vendors, as in `--vendor` and in the admin API. */
export type VendorName = 'qwen' | 'ernie' | 'glm';

/** One HTTP request as it arrived, body read whole (at most 80 MiB). Header names are lower case. */
export interface Incoming {
  readonly method: string;
  /** Path without the query string, and without a leading region segment such as `/~cn-beijing`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly rawBody: Buffer;
  /** Region the caller addressed, by port or by a leading `/~region` path segment; the vendor's default if none. */
  readonly region: string;
  /** Sequence number of this request in this simulator, from 1. */
  readonly seq: number;
  /** Milliseconds since the epoch; injected so that tests can hold the clock. */
  readonly nowMs: number;
}

/** A whole answer, e.g. an error or a non-streamed completion. `body` is sent byte for byte. */
export interface WholeReply {
  readonly kind: 'whole';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A streamed answer: frames exactly as they go over the wire, separators included.
 * The kernel paces them (`chunkMs`), re-splits them (`splitBytes`) and applies the faults.
 */
export interface StreamReply {
  readonly kind: 'stream';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly frames: readonly Frame[];
}

export interface Frame {
  readonly wire: string;
  /** True for frames that carry visible text, reasoning or tool arguments: faults count these. */
  readonly content: boolean;
}

export type Reply = WholeReply | StreamReply;

/** What a vendor found out about a request; the kernel writes it to the journal and adds up the counters. */
export interface Accounting {
  readonly model: string | null;
  readonly stream: boolean;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly cachedTokens: number;
  /** The vendor's own error code, null on success. */
  readonly errorCode: string | null;
  /** The key as configured (its table name, never its text). */
  readonly keyName: string | null;
}

export interface Handled {
  readonly reply: Reply;
  readonly accounting: Accounting;
}

/** A named fault as asked for in a prompt (`[[sim:cut bytes=120]]`) or by the admin API. */
export interface Fault {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
}

/** One simulated vendor. Pure but for what the kernel hands in, so that a table test needs no socket. */
export interface Vendor {
  readonly name: VendorName;
  /** Every region it serves; the first is the default. */
  readonly regions: readonly string[];
  /** What goes after `http://127.0.0.1:PORT` to make the base URL the vendor's own SDK takes. */
  readonly basePath: string;
  /** Protocols besides the one of `basePath` → what goes behind the port for them. */
  readonly protocolPaths?: Readonly<Record<string, string>>;
  /** A key that works in the default region, for printed examples. */
  readonly goodKey: string;
  /**
   * Answers one request. Faults that change what the vendor *says* (rate limit, arrears, moderation …) come in
   * through `kernel.faults`; faults of the *wire* (slow, stall, cut, garbage) are applied by the kernel afterwards.
   */
  handle(incoming: Incoming, kernel: Kernel): Handled;
  /** Fault names of this vendor only, so that the admin API accepts them; the common ones are in kernel/fault-names.ts. */
  readonly faultNames?: readonly string[];
  /** Keys that work or fail on purpose, for the start-up line and the guide. */
  readonly keys?: readonly VendorKey[];
  /**
   * The account a credential (the text after `Bearer `) belongs to: keys of one account share the admin API's limits.
   * Without it every credential is an account of its own.
   */
  accountOf?(credential: string): string;
}

export interface VendorKey {
  readonly key: string;
  /** Name in the journal and in `/usage`. */
  readonly name: string;
  readonly region: string | null;
  readonly what: string;
}

/** Services for vendors; one instance per simulator. */
export interface Kernel {
  /** Faults in force for this request: those of its prompt first, then those set by the admin API. */
  faults(incoming: Incoming, promptText: string): readonly Fault[];
  /** Deterministic token count of a text; the one measure used for usage, limits and `max_tokens`. */
  countTokens(text: string): number;
  /** Cuts a text into the pieces a model would stream; their token counts add up to the text's. */
  pieces(text: string): readonly string[];
  /** Writes the answer. Same request, same answer. */
  compose(task: ComposeTask): Composition;
  /** Requests in flight now for a key name and model (this one included), for concurrency limits. */
  inFlight(keyName: string, model: string): number;
  /** Requests and tokens of a key name and model within the last `windowMs`. */
  spent(keyName: string, model: string, windowMs: number): { requests: number; tokens: number };
  /** True the second and later times the same key, model and prompt prefix (≥ 256 tokens) is seen: prompt cache. */
  seenBefore(keyName: string, model: string, promptText: string): boolean;
  /** Remembers a caller-chosen request id; false when it was used before. */
  rememberRequestId(id: string): boolean;
  /** Hex digits derived from the request's sequence number and `salt`: ids that are unique and repeatable. */
  hex(incoming: Incoming, salt: string, digits: number): string;
  /** True when the admin API switched this vendor to its strict profile (`PUT /profile`). */
  readonly strict?: boolean;
}

export interface ToolSpec {
  readonly name: string;
  readonly parameters: unknown;
}

/** What the vendor understood of a chat request, in neutral words. */
export interface ComposeTask {
  /** Text of all system messages, joined by a blank line. */
  readonly system: string;
  /** Text of the last user message, directives included. */
  readonly lastUser: string;
  /** Text of tool results after the last assistant turn, in order; empty when there are none. */
  readonly toolResults: readonly string[];
  /** Text of a partial assistant message to be continued, or null. */
  readonly continueText: string | null;
  readonly images: number;
  readonly tools: readonly ToolSpec[];
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string };
  readonly parallel: boolean;
  readonly json: null | { readonly kind: 'object' } | { readonly kind: 'schema'; readonly schema: unknown };
  readonly thinking: boolean;
  /** Upper bound of reasoning tokens, or null. */
  readonly thinkingBudget: number | null;
  /** Scales the amount of reasoning: 1 = normal. */
  readonly effort: number;
  /** Upper bound of answer tokens (without reasoning), or null. */
  readonly maxAnswerTokens: number | null;
  /** Upper bound of answer + reasoning tokens, or null. */
  readonly maxTotalTokens: number | null;
  readonly stop: readonly string[];
  /** Which of `n` choices this is, from 0: each gets its own text. */
  readonly choice: number;
  readonly seed: number | null;
}

export interface ToolCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

export interface Composition {
  readonly reasoning: string;
  readonly content: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly reasoningTokens: number;
  /** Answer tokens: content and tool calls, without reasoning. */
  readonly contentTokens: number;
}
