/**
 * Simulated GLM models and what each accepts (GLM 2.2, 2.6, 5.1). Token counts; "128K max out" is 131,072.
 */
import { illegal, Refusal } from './errors.ts';

/** `always`: cannot be turned off. `on`: default, can be turned off. `inline`: `<think>` inside the content. `none`: no thinking. */
export type Thinking = 'always' | 'on' | 'inline' | 'none';

export interface ChatModel {
  readonly kind: 'chat';
  readonly name: string;
  readonly regions: readonly string[];
  readonly context: number;
  readonly maxOutput: number;
  readonly defaultOutput: number;
  readonly thinking: Thinking;
  /** GLM-4 generation: `temperature` and `top_p` are open intervals, one stop word, no `data:` prefix on images. */
  readonly old: boolean;
  /** 0 for text models. */
  readonly maxImages: number;
  /** False where only public URLs are taken. */
  readonly base64Images: boolean;
  readonly tools: 'all' | 'functions' | 'none';
  readonly toolStream: boolean;
  /** glm-5.3 family: no `thinking.disabled`, three efforts, `tool_choice` auto only. */
  readonly strict: boolean;
  readonly effort: 'three' | 'mapped' | 'ignored';
  readonly free: boolean;
}

export interface EmbeddingModel {
  readonly kind: 'embedding';
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly defaultDimensions: number;
  readonly maxItemTokens: number;
  readonly maxTotalTokens: number;
}

export interface RerankModel {
  readonly kind: 'rerank';
  readonly name: string;
}

export type Model = ChatModel | EmbeddingModel | RerankModel;

const K = 1024;
const BOTH = ['cn', 'intl'] as const;

const BASE: Omit<ChatModel, 'name'> = {
  kind: 'chat',
  regions: BOTH,
  context: 200 * K,
  maxOutput: 128 * K,
  defaultOutput: 64 * K,
  thinking: 'on',
  old: false,
  maxImages: 0,
  base64Images: true,
  tools: 'all',
  toolStream: false,
  strict: false,
  effort: 'ignored',
  free: false,
};

function chat(names: string, difference: Partial<ChatModel>): ChatModel[] {
  return names.split(' ').map((name) => ({ ...BASE, name, ...difference }));
}

const FIVE_THREE: Partial<ChatModel> = { context: K * K, thinking: 'always', toolStream: true, strict: true, effort: 'three' };
const FOUR_FIVE: Partial<ChatModel> = { context: 128 * K, maxOutput: 96 * K };
const VISION: Partial<ChatModel> = { context: 128 * K, maxOutput: 32 * K, defaultOutput: 16 * K, maxImages: 50, tools: 'functions' };
const OLD: Partial<ChatModel> = { regions: ['cn'], context: 128 * K, maxOutput: 4095, defaultOutput: 1024, thinking: 'none', old: true };
const OLD_16K: Partial<ChatModel> = { ...OLD, maxOutput: 16 * K, defaultOutput: 16 * K };
const Z1: Partial<ChatModel> = { ...OLD, maxOutput: 32 * K, defaultOutput: 16 * K, thinking: 'inline', tools: 'none' };

export const MODELS: readonly Model[] = [
  ...chat('glm-5.3', FIVE_THREE),
  ...chat('glm-5.3-flash glm-5.3-flashx', { ...FIVE_THREE, maxImages: 50, tools: 'functions' }),
  ...chat('glm-5.2', { context: K * K, toolStream: true, effort: 'mapped' }),
  ...chat('glm-5.1 glm-5 glm-5-turbo', { toolStream: true }),
  ...chat('glm-5-code', { regions: ['intl'] }),
  ...chat('glm-5v-turbo', { maxImages: 50, tools: 'functions' }),
  ...chat('glm-4.7 glm-4.7-flashx', { toolStream: true }),
  ...chat('glm-4.7-flash', { toolStream: true, free: true }),
  ...chat('glm-4.6', { toolStream: true }),
  ...chat('glm-4.6v glm-4.6v-flashx', VISION),
  ...chat('glm-4.6v-flash', { ...VISION, free: true }),
  ...chat('glm-4.5 glm-4.5-x glm-4.5-air glm-4.5-airx', FOUR_FIVE),
  ...chat('glm-4.5-flash', { ...FOUR_FIVE, free: true }),
  ...chat('glm-4.5v', { ...VISION, context: 64 * K, maxOutput: 16 * K, tools: 'none' }),
  ...chat('glm-4.1v-thinking-flashx', {
    ...VISION,
    regions: ['cn'],
    context: 64 * K,
    maxOutput: 16 * K,
    thinking: 'always',
    tools: 'none',
  }),
  ...chat('glm-4.1v-thinking-flash', {
    ...VISION,
    regions: ['cn'],
    context: 64 * K,
    maxOutput: 16 * K,
    thinking: 'always',
    tools: 'none',
    free: true,
  }),
  ...chat('glm-4-32b-0414-128k', { ...OLD_16K, regions: ['intl'] }),
  ...chat('glm-z1-air glm-z1-flashx', Z1),
  ...chat('glm-z1-airx', { ...Z1, context: 32 * K }),
  ...chat('glm-z1-flash', { ...Z1, free: true }),
  ...chat('glm-4-plus glm-4 glm-4-0520 glm-4-air', OLD),
  ...chat('glm-4-air-250414 glm-4-flashx-250414', OLD_16K),
  ...chat('glm-4-flashx', OLD),
  ...chat('glm-4-flash-250414', { ...OLD_16K, free: true }),
  ...chat('glm-4-flash', { ...OLD, free: true }),
  ...chat('glm-4-airx', { ...OLD, context: 8 * K }),
  ...chat('glm-4-long', { ...OLD, context: K * K }),
  ...chat('glm-4v-plus glm-4v-plus-0111', { ...OLD, context: 16 * K, maxImages: 5, tools: 'none' }),
  ...chat('glm-4v-flash', { ...OLD, context: 16 * K, maxOutput: 1024, maxImages: 1, base64Images: false, tools: 'none', free: true }),
  { kind: 'embedding', name: 'embedding-2', dimensions: [1024], defaultDimensions: 1024, maxItemTokens: 512, maxTotalTokens: 8 * K },
  {
    kind: 'embedding',
    name: 'embedding-3',
    dimensions: [256, 512, 1024, 2048],
    defaultDimensions: 2048,
    maxItemTokens: 3072,
    maxTotalTokens: 64 * 3072,
  },
  { kind: 'rerank', name: 'rerank' },
  { kind: 'rerank', name: 'rerank-2' },
];

/** An unknown model is 1211 at bigmodel, and was measured as 1214 at z.ai (GLM 4.3). */
export function unknownModel(region: string): Refusal {
  return region === 'intl' ? illegal('model', { zh: '不存在', en: 'does not exist' }) : new Refusal('1211');
}

/**
 * @throws Refusal 1211/1214 if the region has no such model, 1212 if it is not of the kind this endpoint serves
 */
export function findModel<K2 extends Model['kind']>(name: string, kind: K2, region: string): Extract<Model, { kind: K2 }> {
  const found = MODELS.find((model) => model.name === name && (model.kind !== 'chat' || model.regions.includes(region)));
  if (!found) throw unknownModel(region);
  if (found.kind !== kind) throw new Refusal('1212');
  return found as Extract<Model, { kind: K2 }>;
}
