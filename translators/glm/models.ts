import type { ModelFacts } from '../translator.ts';

/** How a GLM model's thinking is steered. */
export type ThinkingControl =
  /** Always thinks; `reasoning_effort` of low, high, max and nothing else (glm-5.3). */
  | 'levels'
  /** `thinking.type`, and every `reasoning_effort` (glm-5.2). */
  | 'effort'
  /** `thinking.type` only. */
  | 'switch'
  /** Always thinks and takes no parameter. */
  | 'always'
  /** Does not think, or is not known: the field must not be sent. */
  | 'none';

export interface Family {
  readonly match: RegExp;
  readonly thinking: ThinkingControl;
  /** In tokens; null = not known. */
  readonly context: number | null;
  /** Largest `max_tokens`; null = not known. */
  readonly output: number | null;
  /** `temperature` and `top_p` are open intervals: 0 and 1 are refused. */
  readonly openIntervals?: boolean;
  /** Takes `tool_stream`. */
  readonly toolStream?: boolean;
  /** Null = not known. */
  readonly tools: boolean | null;
  readonly vision: boolean | null;
  /** What a picture may be: `bare` = base64 without the `data:` prefix, or a URL; `url` = nothing but a URL. */
  readonly images?: 'bare' | 'url';
  /** Most pictures in one request, where it is few. */
  readonly maxImages?: number;
  /** Takes `file` parts (z.ai). */
  readonly files?: boolean;
  readonly audioInput?: boolean;
}

const K = 1024;
const TEXT = { tools: true, vision: false } as const;
const OLD = { thinking: 'none', openIntervals: true, context: 128 * K, output: 4095 } as const;

/** In order; the first that matches. From the vendor's model table, its list of sampling ranges and its thinking guide. */
const FAMILIES: readonly Family[] = [
  { match: /^glm-5\.3-flash/, thinking: 'levels', context: 1_000_000, output: 128 * K, toolStream: true, tools: true, vision: true },
  { match: /^glm-5\.3/, thinking: 'levels', context: 1_000_000, output: 128 * K, toolStream: true, ...TEXT },
  // Newer than this table: the values that glm-5.3 takes are the ones that all before it took too.
  { match: /^glm-(5\.([4-9]|\d{2})|[6-9]|\d{2}(-|\.|$))/, thinking: 'levels', context: null, output: 128 * K, tools: null, vision: null },
  { match: /^glm-5\.2/, thinking: 'effort', context: 1_000_000, output: 128 * K, toolStream: true, ...TEXT },
  { match: /^glm-5v/, thinking: 'switch', context: 200_000, output: 128 * K, tools: true, vision: true, files: true },
  { match: /^glm-5-code/, thinking: 'switch', context: 200_000, output: 128 * K, ...TEXT },
  { match: /^glm-(5|4\.7|4\.6)(?!v)/, thinking: 'switch', context: 200_000, output: 128 * K, toolStream: true, ...TEXT },
  { match: /^glm-4\.6v/, thinking: 'switch', context: 128 * K, output: 32 * K, tools: true, vision: true, files: true },
  { match: /^glm-4\.5v/, thinking: 'switch', context: 64 * K, output: 16 * K, tools: false, vision: true, files: true },
  { match: /^glm-4\.5/, thinking: 'switch', context: 128 * K, output: 96 * K, ...TEXT },
  { match: /^glm-4\.1v/, thinking: 'always', context: 64 * K, output: 16 * K, tools: false, vision: true },
  { match: /^glm-z1/, ...OLD, thinking: 'always', output: 32 * K, tools: false, vision: false },
  { match: /^glm-4v-flash/, ...OLD, context: 16 * K, output: 1024, tools: false, vision: true, images: 'url', maxImages: 1 },
  { match: /^glm-4v-plus/, ...OLD, context: 16 * K, tools: false, vision: true, images: 'bare', maxImages: 5 },
  { match: /^glm-4v/, ...OLD, context: 2 * K, output: 1024, tools: false, vision: true, images: 'bare' },
  { match: /^glm-4-voice/, ...OLD, context: 8 * K, output: 4096, tools: false, vision: false, audioInput: true },
  { match: /^glm-4-(flashx?|air)-250414|^glm-4-32b/, ...OLD, output: 16 * K, ...TEXT },
  { match: /^glm-4-airx/, ...OLD, context: 8 * K, ...TEXT },
  { match: /^glm-4-long/, ...OLD, context: 1_000_000, ...TEXT },
  { match: /^glm-[34](-|$)/, ...OLD, ...TEXT },
  { match: /^(charglm|emohaa)/, ...OLD, context: null, output: 4096, tools: false, vision: false },
  { match: /^autoglm-phone/, thinking: 'none', context: 20 * K, output: 2 * K, tools: true, vision: true },
  { match: /./, thinking: 'none', context: null, output: null, tools: null, vision: null },
];

export function familyOf(model: string): Family {
  const id = model.toLowerCase();
  return FAMILIES.find((family) => family.match.test(id)) ?? (FAMILIES.at(-1) as Family);
}

/** Names that look like Zhipu's own. The `chatglm_*` models belong to an API that is gone. */
export const claimsGlm = (model: string): boolean => /^(glm|charglm|autoglm|codegeex)-|^emohaa/i.test(model);

/** The catalogue's entry, or what the family tells of an unknown model. */
export function glmFacts(id: string, known: ModelFacts | null): ModelFacts {
  const family = familyOf(id);
  const thinking =
    family.thinking === 'none' ? 'none' : family.thinking === 'levels' || family.thinking === 'always' ? 'always' : 'optional';
  const vision = known?.vision ?? family.vision;
  return {
    id,
    contextTokens: known?.contextTokens ?? family.context,
    maxOutputTokens: known?.maxOutputTokens ?? family.output,
    tools: known?.tools ?? family.tools,
    vision,
    audioInput: known?.audioInput ?? family.audioInput ?? false,
    // `response_format` is documented for text models only.
    jsonObject: known?.jsonObject ?? (vision === null ? null : !vision),
    jsonSchema: known?.jsonSchema ?? false,
    logprobs: known?.logprobs ?? false,
    maxChoices: known?.maxChoices ?? 1,
    thinking: known?.thinking ?? thinking,
    thinksByDefault: known?.thinksByDefault ?? thinking !== 'none',
  };
}
