import { COMMON_CHARS_PER_TOKEN } from '../chat/estimate.ts';
import { type CharsPerToken, IMAGE_TOKENS, type PromptSize, sizeTokens } from '../chat/prompt-size.ts';
import { UpperTracker } from './upper-tracker.ts';

/** A vendor's model. */
export interface Served {
  readonly vendor: string;
  readonly model: string;
}

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
const FACTOR = { start: 1, least: 0.25, most: 4, step: 0.1 } as const;
/** Output tokens of a choice: they differ more between requests than the factor does. */
const OUTPUT = { start: 2_048, least: 16, most: 131_072, step: 0.2 } as const;

interface Figures {
  readonly factor: UpperTracker;
  readonly output: UpperTracker;
}

interface VendorFigures extends Figures {
  readonly charsPerToken: CharsPerToken;
  readonly models: Map<string, Figures>;
}

/**
 * What requests are expected to use, as an upper estimate that covers about 95 % of them: the prompt by its characters times a factor, the
 * output by what the model has been seen to write. Both are learned for each model from what vendors counted, and begin with the vendor's
 * documented figures. A model that was not seen yet, or that nobody has listed, has its vendor's. Knows no clock; begins anew with the
 * process.
 */
export class Calibration {
  readonly #options: CalibrationOptions;
  readonly #vendors = new Map<string, VendorFigures>();

  constructor(options: CalibrationOptions) {
    this.#options = options;
  }

  /** At least 1, and never less for a longer text. */
  promptTokens(served: Served, size: PromptSize): number {
    const { charsPerToken } = this.#vendor(served.vendor);
    return Math.ceil(this.#figures(served).factor.value * plainTokens(size, charsPerToken) + size.images * IMAGE_TOKENS);
  }

  /** Of one choice that the request does not bound. */
  outputTokens(served: Served): number {
    return Math.ceil(this.#figures(served).output.value);
  }

  learn(served: Served, size: PromptSize, { prompt, completion }: Counted): void {
    const vendor = this.#vendor(served.vendor);
    const own = this.#ownFigures(served, vendor);
    // Of a prompt with pictures nobody knows what the text was.
    const factor = size.images > 0 ? null : prompt / plainTokens(size, vendor.charsPerToken);
    for (const figures of own === null ? [vendor] : [own, vendor]) {
      if (factor !== null) figures.factor.observe(factor);
      if (completion !== null) figures.output.observe(completion);
    }
  }

  #figures({ vendor, model }: Served): Figures {
    const figures = this.#vendor(vendor);
    return figures.models.get(model) ?? figures;
  }

  /** Null for a model that nobody has listed. A new one begins where its vendor stands. */
  #ownFigures(served: Served, vendor: VendorFigures): Figures | null {
    let own = vendor.models.get(served.model);
    if (own !== undefined) return own;
    if (!this.#options.known(served)) return null;
    own = figuresFrom(vendor.factor.value, vendor.output.value);
    vendor.models.set(served.model, own);
    return own;
  }

  #vendor(name: string): VendorFigures {
    let vendor = this.#vendors.get(name);
    if (vendor === undefined) {
      const charsPerToken = this.#options.charsPerToken(name) ?? COMMON_CHARS_PER_TOKEN;
      vendor = { ...figuresFrom(FACTOR.start, OUTPUT.start), charsPerToken, models: new Map() };
      this.#vendors.set(name, vendor);
    }
    return vendor;
  }
}

const plainTokens = (size: PromptSize, charsPerToken: CharsPerToken): number => TEMPLATE_TOKENS + sizeTokens(size, charsPerToken);

const figuresFrom = (factor: number, output: number): Figures => ({
  factor: new UpperTracker({ ...FACTOR, start: factor }),
  output: new UpperTracker({ ...OUTPUT, start: output }),
});
