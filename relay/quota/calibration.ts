import { COMMON_CHARS_PER_TOKEN } from '../chat/estimate.ts';
import { type CharsPerToken, IMAGE_TOKENS, type PromptSize, sizeTokens } from '../chat/prompt-size.ts';
import { LearnedByModel, type Served } from './learned-by-model.ts';
import { UpperTracker } from './upper-tracker.ts';

/** What the vendor counted for one request. */
export interface Counted {
  readonly prompt: number;
  /** Of one choice; null when the request bounded it, so that it says nothing of the model's habits. */
  readonly completion: number | null;
}

export interface CalibrationOptions {
  /** A vendor's documented figures; null when it documents none. */
  readonly charsPerToken: (vendor: string) => CharsPerToken | null;
  /** True for models of the configuration and the catalogue: only they have figures of their own, so that memory is bounded. */
  readonly known: (served: Served) => boolean;
}

/** The vendors' own chat templates add a system prompt and markers that no request shows. */
const TEMPLATE_TOKENS = 24;
/** Vendor's count ÷ ours; outside of these bounds it is no count of the same text. */
export const FACTOR = { start: 1, least: 0.25, most: 4, step: 0.1 } as const;
/** Output tokens of a choice: they differ more between requests than the factor does. */
const OUTPUT = { start: 2_048, least: 16, most: 131_072, step: 0.2 } as const;

interface Figures {
  readonly factor: UpperTracker;
  readonly output: UpperTracker;
}

/**
 * What requests are expected to use, as an upper estimate that covers about 95 % of them: the prompt by its characters times a factor, the
 * output by what the model has been seen to write. Both are learned for each model from what vendors counted, and begin with the vendor's
 * documented figures. A model that was not seen yet, or that nobody has listed, has its vendor's. Knows no clock; begins anew with the
 * process.
 */
export class Calibration {
  readonly #charsPerToken: CalibrationOptions['charsPerToken'];
  readonly #learned: LearnedByModel<Figures>;

  constructor({ charsPerToken, known }: CalibrationOptions) {
    this.#charsPerToken = charsPerToken;
    this.#learned = new LearnedByModel(
      known,
      () => figuresFrom(FACTOR.start, OUTPUT.start),
      ({ factor, output }) => figuresFrom(factor.value, output.value),
    );
  }

  /** At least 1, and never less for a longer text. */
  promptTokens(served: Served, size: PromptSize): number {
    return Math.ceil(this.#learned.of(served).factor.value * this.#plainTokens(served, size) + size.images * IMAGE_TOKENS);
  }

  /** Of one choice that the request does not bound. */
  outputTokens(served: Served): number {
    return Math.ceil(this.#learned.of(served).output.value);
  }

  learn(served: Served, size: PromptSize, { prompt, completion }: Counted): void {
    // Of a prompt with pictures nobody knows what the text was.
    const factor = size.images > 0 ? null : prompt / this.#plainTokens(served, size);
    for (const figures of this.#learned.learners(served)) {
      if (factor !== null) figures.factor.observe(factor);
      if (completion !== null) figures.output.observe(completion);
    }
  }

  #plainTokens({ vendor }: Served, size: PromptSize): number {
    return TEMPLATE_TOKENS + sizeTokens(size, this.#charsPerToken(vendor) ?? COMMON_CHARS_PER_TOKEN);
  }
}

const figuresFrom = (factor: number, output: number): Figures => ({
  factor: new UpperTracker({ ...FACTOR, start: factor }),
  output: new UpperTracker({ ...OUTPUT, start: output }),
});
