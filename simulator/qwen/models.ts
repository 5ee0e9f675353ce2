/**
 * The models of the simulated account, with what the vendor documents about them (Qwen: text models, thinking,
 * structured output, retirement; July to October 2026).
 */

type Thinking = 'only' | 'on' | 'off' | 'none';

export interface ChatModel {
  readonly id: string;
  /** Longest prompt, in tokens. */
  readonly input: number;
  readonly maxOutput: number;
  readonly maxThinking: number;
  readonly thinking: Thinking;
  readonly vision: boolean;
  readonly tools: boolean;
  readonly json: 'none' | 'object' | 'schema';
  /** Answers only streams, thinking or not. */
  readonly streamOnly: boolean;
  /** Open Qwen3: thinks only in streams. */
  readonly thinksOnlyStreaming: boolean;
  /** `reasoning_effort`: the Qwen3.8 scale, the scale of hosted DeepSeek and GLM, or ignored. */
  readonly effort: 'qwen' | 'hosted' | 'ignored';
  /** Knows `max_completion_tokens`; the others ignore it. */
  readonly completionLimit: boolean;
  readonly preserveThinking: boolean;
  readonly toolStream: boolean;
  readonly search: boolean;
  readonly severalChoices: boolean;
  /** Tells probabilities of tokens. */
  readonly logprobs: boolean;
  /** A system message anywhere but first breaks the chat template (strict profile). */
  readonly systemFirst: boolean;
  /** Native path it is served on; `any` where the documents do not say. */
  readonly path: 'text' | 'multimodal' | 'any';
  /** Native answers are messages unless told otherwise. */
  readonly messageByDefault: boolean;
  readonly retired: boolean;
}

const K = 1024;

/** Row: id, input, max output, max thinking, thinking, flags. */
type Row = readonly [string, number, number, number, Thinking, string];

/**
 * Flags: v vision, t tools, o json_object, s json_schema, S stream only, Q thinks only in streams, e Qwen effort,
 * h hosted effort, c max_completion_tokens, p preserve_thinking, f tool_stream, w web search, n several choices,
 * F system first, R retired, l probabilities of tokens.
 */
const ROWS: readonly Row[] = [
  ['qwen3.8-max', 991_808, 131_072, 262_144, 'on', 'vtsecpfwF'],
  ['qwen3.8-max-0902', 991_808, 131_072, 262_144, 'on', 'vtsecpfwF'],
  ['qwen3.8-flash', 991_808, 64 * K, 131_072, 'on', 'vtsecpfwF'],
  ['qwen3.7-max', 991_808, 64 * K, 256 * K, 'on', 'tscpfwF'],
  ['qwen3.7-plus', 991_808, 64 * K, 256 * K, 'on', 'vtscpfwF'],
  ['qwen3.7-flash', 991_808, 64 * K, 256 * K, 'on', 'vtscpwF'],
  ['qwen3.6-plus', 991_808, 64 * K, 80 * K, 'on', 'vtocpfwF'],
  ['qwen3.6-flash', 991_808, 64 * K, 80 * K, 'on', 'vtocfwF'],
  ['qwen3.6-27b', 258_048, 64 * K, 80 * K, 'on', 'vtocF'],
  ['qwen3.6-35b-a3b', 258_048, 64 * K, 80 * K, 'on', 'vtocF'],
  ['qwen3.6-max-preview', 245_760, 64 * K, 128 * K, 'on', 'tocpwF'],
  ['qwen3.5-plus', 991_808, 64 * K, 80 * K, 'on', 'vtocfwF'],
  ['qwen3.5-flash', 991_808, 64 * K, 80 * K, 'on', 'vtocfwF'],
  ['qwen3.5-397b-a17b', 258_048, 64 * K, 80 * K, 'on', 'vtocF'],
  ['qwen3.5-27b', 258_048, 64 * K, 80 * K, 'on', 'vtocF'],
  ['qwen3-max', 258_048, 64 * K, 80 * K, 'off', 'tswn'],
  ['qwen-plus', 995_904, 32_768, 80 * K, 'off', 'tswnl'],
  ['qwen-plus-latest', 995_904, 32_768, 80 * K, 'off', 'tswnl'],
  ['qwen-flash', 995_904, 32_768, 80 * K, 'off', 'tswn'],
  ['qwen-turbo', 98_304, 16_384, 38_912, 'off', 'tswnRl'],
  ['qwen-max', 30_720, 8_192, 0, 'none', 'towR'],
  ['qwen-max-2025-01-25', 30_720, 8_192, 0, 'none', 'toR'],
  ['qwen-long', 10_000_000, 8_192, 0, 'none', 't'],
  ['qwen3-coder-plus', 997_952, 64 * K, 0, 'none', 'to'],
  ['qwen3-coder-flash', 997_952, 64 * K, 0, 'none', 'to'],
  ['qwen3-coder-next', 258_048, 64 * K, 0, 'none', 'to'],
  ['qwen3-235b-a22b', 129_024, 16_384, 38_912, 'on', 'toQl'],
  ['qwen3-32b', 129_024, 16_384, 38_912, 'on', 'toQl'],
  ['qwen3-8b', 129_024, 8_192, 38_912, 'on', 'toQl'],
  ['qwen3-235b-a22b-thinking-2507', 126_976, 32_768, 80 * K, 'only', 't'],
  ['qwen3-235b-a22b-instruct-2507', 129_024, 32_768, 0, 'none', 'tol'],
  ['qwen3-vl-plus', 260_096, 32_768, 80 * K, 'off', 'vtol'],
  ['qwen3-vl-flash', 260_096, 32_768, 80 * K, 'off', 'vtol'],
  ['qwen-vl-max', 129_024, 8_192, 0, 'none', 'vtoR'],
  ['qwq-plus', 98_304, 8_192, 32_768, 'only', 'tSR'],
  ['qwq-32b', 98_304, 8_192, 32_768, 'only', 'tS'],
  ['qvq-72b-preview', 106_496, 8_192, 16_384, 'only', 'vS'],
  ['qwen3.8-omni-flash', 991_808, 131_072, 131_072, 'on', 'vtsecwS'],
  ['qwen3-omni-flash', 49_152, 16_384, 32_768, 'off', 'vtS'],
  ['deepseek-v4-pro', 1_000_000, 393_216, 262_144, 'off', 'tohc'],
  ['deepseek-v4-flash', 1_000_000, 393_216, 262_144, 'off', 'tohc'],
];

/** Models by name. */
export const CHAT_MODELS: ReadonlyMap<string, ChatModel> = new Map(ROWS.map((row) => [row[0], modelOf(row)]));

function modelOf([id, input, maxOutput, maxThinking, thinking, flags]: Row): ChatModel {
  const has = (flag: string): boolean => flags.includes(flag);
  return {
    id,
    input,
    maxOutput,
    maxThinking,
    thinking,
    vision: has('v'),
    tools: has('t'),
    json: has('s') ? 'schema' : has('o') ? 'object' : 'none',
    streamOnly: has('S'),
    thinksOnlyStreaming: has('Q'),
    effort: has('e') ? 'qwen' : has('h') ? 'hosted' : 'ignored',
    completionLimit: has('c'),
    preserveThinking: has('p'),
    toolStream: has('f'),
    search: has('w'),
    severalChoices: has('n'),
    logprobs: has('l'),
    systemFirst: has('F'),
    // Open Qwen3.5 and 3.6 see, and no document says where it is served.
    path: /^qwen3\.[56]-\d/.test(id) ? 'any' : has('v') ? 'multimodal' : 'text',
    messageByDefault: /^(qwen3-max|qwen3-vl|qwq|qwen3-\d)/.test(id),
    retired: has('R'),
  };
}

export interface EmbeddingModel {
  readonly id: string;
  /** Sizes it can give, the default first. */
  readonly dimensions: readonly number[];
  readonly maxRows: number;
  readonly maxRowTokens: number;
}

/** Qwen: synchronous embedding API. */
export const EMBEDDING_MODELS: ReadonlyMap<string, EmbeddingModel> = new Map(
  [
    { id: 'qwen3.7-text-embedding', dimensions: [1024, 2560, 2048, 1536, 768, 512, 256], maxRows: 20, maxRowTokens: 131_072 },
    { id: 'text-embedding-v4', dimensions: [1024, 2048, 1536, 768, 512, 256, 128, 64], maxRows: 10, maxRowTokens: 8_192 },
    { id: 'text-embedding-v3', dimensions: [1024, 768, 512, 256, 128, 64], maxRows: 10, maxRowTokens: 8_192 },
    { id: 'text-embedding-v2', dimensions: [1536], maxRows: 25, maxRowTokens: 2_048 },
    { id: 'text-embedding-v1', dimensions: [1536], maxRows: 25, maxRowTokens: 2_048 },
  ].map((model) => [model.id, model]),
);
