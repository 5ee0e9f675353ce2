/**
 * The chat models of Qianfan this simulator serves, with the limits that decide which requests are refused.
 * Figures are those of the public model list of September 2026 and, for what left it, of older pages.
 * Where no figure is known, the entry takes that of its nearest sibling.
 */

/**
 * Who turns thinking on (Qianfan: the switch differs by family):
 * `enable` = `enable_thinking`; `type` = `thinking.type`; `effort` = either, plus `reasoning_effort` high or max;
 * `always` = no switch; `none` = cannot think.
 */
export type ThinkingSwitch = 'enable' | 'type' | 'effort' | 'always' | 'none';

export interface ChatModel {
  readonly id: string;
  /** ERNIE models take temperature (0, 1]; models of other makers [0, 2]. */
  readonly ernie: boolean;
  readonly contextTokens: number;
  readonly maxInputTokens: number;
  /** Characters of all messages together; only old models have this limit. */
  readonly maxInputChars: number | null;
  /** Includes the chain of thought on models that think. */
  readonly maxOutputTokens: number;
  /** Lower bound of `max_tokens`: 2 on older ERNIE, 1 on 5.x. */
  readonly minTokens: number;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly videoUrl: boolean;
  readonly jsonObject: boolean;
  readonly jsonSchema: boolean;
  readonly thinking: ThinkingSwitch;
  readonly thinksByDefault: boolean;
  readonly budget: boolean;
  /** X1 refuses `seed`, `stop`, `response_format` and `penalty_score`. */
  readonly refusesSampling: boolean;
  /** The chat reference lists the models that do not take `penalty_score`; the strict profile refuses it there. */
  readonly penaltyScore: boolean;
  /** Answers 403 `model_offline` except in the profile of 2025. */
  readonly retired: boolean;
  /** Served on the monthly plan path, with a plan key only. */
  readonly plan: boolean;
  /** What the answer's `model` says: fine-tuned services append their version. */
  readonly echo: string;
}

const K = 1024;

function model(id: string, contextK: number, maxOutputTokens: number, part: Partial<ChatModel> = {}): ChatModel {
  const contextTokens = contextK * K;
  return {
    id,
    ernie: true,
    contextTokens,
    maxInputTokens: contextTokens,
    maxInputChars: null,
    maxOutputTokens,
    minTokens: 2,
    tools: true,
    vision: false,
    videoUrl: false,
    jsonObject: true,
    jsonSchema: false,
    thinking: 'none',
    thinksByDefault: false,
    budget: false,
    refusesSampling: false,
    penaltyScore: true,
    retired: false,
    plan: false,
    echo: id,
    ...part,
  };
}

const SEES = { vision: true, videoUrl: true } as const;
const BUDGET_ON = { thinking: 'enable', thinksByDefault: true, budget: true } as const;
const NO_SCORE = { penaltyScore: false } as const;
const X1 = { ...NO_SCORE, thinking: 'always', thinksByDefault: true, refusesSampling: true } as const;
const PLAIN = { tools: false, jsonObject: true } as const;
const GONE = { retired: true } as const;
const OLD_8K = { ...GONE, maxInputTokens: 5_120, maxInputChars: 20_000 } as const;
const FREE_8K = { ...GONE, ...PLAIN, maxInputTokens: 7_168, maxInputChars: 11_200 } as const;
/** Models of other makers on the same host. */
const THIRD = { ernie: false, minTokens: 1, jsonSchema: true } as const;

export const CHAT_MODELS: readonly ChatModel[] = [
  // The switch of 5.1 and 5.5-flash is not documented; the simulator takes the one of 5.0, off by default.
  model('ernie-5.5-flash-preview', 1_000_000 / K, 65_536, { minTokens: 1, thinking: 'enable' }),
  model('ernie-5.1', 128, 65_536, { minTokens: 1, maxInputTokens: 119_000, thinking: 'enable', plan: true }),
  model('ernie-5.0', 128, 65_536, { ...SEES, minTokens: 1, thinking: 'enable', budget: true }),
  model('ernie-5.0-thinking-latest', 128, 65_536, { ...SEES, ...BUDGET_ON, minTokens: 1 }),
  model('ernie-5.0-thinking-preview', 128, 65_536, { ...SEES, ...BUDGET_ON, minTokens: 1, echo: 'ernie-5.0-thinking-latest' }),
  model('ernie-4.5-turbo-128k', 128, 12_288, { jsonSchema: true }),
  model('ernie-4.5-turbo-latest', 128, 12_288, { jsonSchema: true, echo: 'ernie-4.5-turbo-128k' }),
  model('ernie-4.5-turbo-20260402', 128, 12_288, { jsonSchema: true }),
  model('ernie-4.5-turbo-32k', 32, 12_288, { jsonSchema: true }),
  model('ernie-4.5-turbo-128k-sft-demo', 128, 12_288, { jsonSchema: true, echo: 'ernie-4.5-turbo-128k-sft-demo:amv-5d0c1b7a2e' }),
  model('ernie-4.5-turbo-vl', 128, 16_384, SEES),
  model('ernie-4.5-turbo-vl-latest', 128, 16_384, { ...SEES, echo: 'ernie-4.5-turbo-vl' }),
  model('ernie-4.5-turbo-vl-preview', 128, 16_384, { ...SEES, thinking: 'enable' }),
  model('ernie-4.5-turbo-vl-32k', 32, 12_288, SEES),
  model('ernie-4.5-turbo-vl-32k-preview', 32, 12_288, { ...SEES, thinking: 'enable' }),
  model('ernie-4.5-8k-preview', 8, 2_048, { vision: true, jsonSchema: true }),
  model('ernie-4.5-0.3b', 128, 8_192, { ...PLAIN, ...NO_SCORE }),
  model('ernie-4.5-21b-a3b', 128, 8_192, { ...PLAIN, ...NO_SCORE }),
  model('ernie-4.5-vl-28b-a3b', 32, 8_192, { ...PLAIN, ...NO_SCORE, ...SEES, thinking: 'enable' }),
  model('ernie-x1.1', 64, 65_536, X1),
  model('ernie-x1.1-preview', 64, 65_536, { ...X1, echo: 'ernie-x1.1' }),
  model('ernie-x1-turbo-32k', 32, 28_160, { ...X1, jsonObject: false }),
  model('qianfan-70b', 32, 16_384),
  model('qianfan-8b', 32, 16_384),
  model('ernie-char-fiction-8k', 8, 2_048, PLAIN),
  model('ernie-char-8k', 8, 2_048, PLAIN),
  model('ernie-novel-8k', 8, 2_048, PLAIN),
  model('ernie-speed-pro-128k', 128, 4_096, PLAIN),
  model('ernie-lite-pro-128k', 128, 4_096),
  model('ernie-4.0-8k', 8, 2_048, OLD_8K),
  model('ernie-4.0-turbo-8k', 8, 2_048, { ...OLD_8K, jsonSchema: true }),
  model('ernie-3.5-8k', 8, 2_048, { ...OLD_8K, jsonSchema: true }),
  model('ernie-3.5-128k', 128, 4_096, { ...GONE, jsonSchema: true, maxInputTokens: 126_976, maxInputChars: 516_096 }),
  model('ernie-speed-8k', 8, 2_048, FREE_8K),
  model('ernie-speed-128k', 128, 4_096, { ...GONE, ...PLAIN, maxInputTokens: 126_976, maxInputChars: 507_904 }),
  model('ernie-lite-8k', 8, 2_048, FREE_8K),
  model('ernie-tiny-8k', 8, 2_048, { ...GONE, ...PLAIN, maxInputTokens: 6_144, maxInputChars: 24_000 }),
  model('deepseek-v3.2', 128, 32_768, { ...THIRD, ...NO_SCORE, thinking: 'type' }),
  model('deepseek-v3.1-250821', 128, 32_768, { ...THIRD, ...NO_SCORE, thinking: 'type', budget: true }),
  model('deepseek-v4-pro', 128, 65_536, { ...THIRD, thinking: 'effort', budget: true, plan: true }),
  model('deepseek-r1', 128, 32_768, { ...THIRD, ...NO_SCORE, thinking: 'always', thinksByDefault: true, budget: true }),
  model('qwen3-32b', 32, 16_384, { ...THIRD, thinking: 'enable', budget: true }),
  model('kimi-k2.5', 256, 32_768, { ...THIRD, thinking: 'type' }),
  model('glm-5', 128, 65_536, { ...THIRD, thinking: 'type' }),
  model('glm-4.7', 128, 65_536, { ...THIRD, thinking: 'type' }),
  model('qianfan-code-latest', 128, 65_536, { ...THIRD, thinking: 'type', plan: true }),
];

const BY_ID = new Map(CHAT_MODELS.map((entry) => [entry.id, entry]));

/** Ids are matched as typed: `ERNIE-5.1` is unknown (Qianfan: names are lower case on v2). */
export function findChatModel(id: string): ChatModel | undefined {
  return BY_ID.get(id);
}

export interface EmbeddingModel {
  readonly id: string;
  readonly dims: number;
  readonly maxInputs: number;
  readonly maxTokens: number;
  readonly maxChars: number | null;
  /** Takes `{text}` or `{image}` objects as well as strings. */
  readonly multimodal: boolean;
}

const embedding = (id: string, dims: number, maxInputs: number, maxTokens: number, maxChars: number | null): EmbeddingModel => ({
  id,
  dims,
  maxInputs,
  maxTokens,
  maxChars,
  multimodal: id.startsWith('gme-'),
});

export const EMBEDDING_MODELS: readonly EmbeddingModel[] = [
  embedding('embedding-v1', 384, 16, 384, 1_000),
  embedding('bge-large-zh', 1_024, 16, 512, 2_000),
  embedding('bge-large-en', 1_024, 16, 512, 2_000),
  embedding('tao-8k', 1_024, 1, 8_192, 28_000),
  embedding('qwen3-embedding-0.6b', 1_024, 16, 8_192, null),
  embedding('qwen3-embedding-4b', 2_560, 16, 8_192, null),
  embedding('gme-Qwen2-VL-2B-Instruct', 1_536, 1, 8_192, null),
];

export const RERANK_MODELS: readonly string[] = ['bce-reranker-base'];
