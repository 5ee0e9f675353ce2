import type { Effort } from '../openai/chat/request.ts';

interface Range {
  readonly min: number;
  readonly max: number;
}

/**
 * How a family of models is spoken to, where the families of one vendor differ. It comes with the facts of a model, from the catalogue;
 * a dialect reads it and knows no model by name.
 */
export interface FamilyRules {
  /** What turns thinking on and off; `unclear`: sold as thinking, but no switch is documented, so none is sent. */
  readonly thinkingSwitch: 'none' | 'always' | 'unclear' | 'enable_thinking' | 'thinking.type';
  /** OpenAI's effort → the word the model knows for it in `reasoning_effort`; null: it takes none. */
  readonly efforts: Readonly<Partial<Record<Effort, string>>> | null;
  /** Takes `thinking_budget`. */
  readonly thinkingBudget: boolean;
  /** Largest `thinking_budget`; null = not known. */
  readonly maxThinkingTokens: number | null;
  /** Answers nothing but streams. */
  readonly streamOnly: boolean;
  /** Takes `max_completion_tokens`, which bounds thinking and answer together. */
  readonly totalTokens: boolean;
  /** Earlier thinking in the messages: kept, kept between the calls of one turn, or left out. */
  readonly reasoningHistory: 'keep' | 'tool-loop' | 'drop';
  /** Smallest token limit it takes. */
  readonly minTokens: number;
  readonly temperature: Range;
  readonly topP: Range;
  /** Sampling parameters are ignored or refused. */
  readonly fixedSampling: boolean;
  /** Most stop words, and the longest of them in characters; null = any length. */
  readonly stopWords: number;
  readonly stopChars: number | null;
  readonly seed: boolean;
  /** Takes `penalty_score`. */
  readonly penaltyScore: boolean;
  /** Its id is lower case on the wire, however it was typed. */
  readonly lowerCaseId: boolean;
  /** What it prints into its text: its thinking between `<think>` tags; `box`: at times that too, and its result between marks of a box. */
  readonly inlineMarks: 'none' | 'thinking' | 'box';
  /** Takes `modalities`. */
  readonly modalities: boolean;
  /** Takes `detail` on images. */
  readonly imageDetail: boolean;
  /** What a picture may be: `bare` = base64 without the `data:` prefix, or a URL; `url` = nothing but a URL. */
  readonly images: 'any' | 'bare' | 'url';
  /** Most pictures in one request, where it is few. */
  readonly maxImages: number | null;
  /** Takes `file` parts. */
  readonly files: boolean;
  /** Takes `tool_stream`. */
  readonly toolStream: boolean;
}
