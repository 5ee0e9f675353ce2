/** One step of a price list: prices per million tokens; null = not known or not apart. Bounds are "more than" and "at most". */
export interface PriceTier {
  readonly input_gt: number;
  readonly input_le: number | null;
  readonly output_gt?: number | null;
  readonly output_le?: number | null;
  readonly input: number | null;
  readonly output: number | null;
  readonly cached_input: number | null;
  readonly output_thinking: number | null;
}

/** A price with where it comes from: one without a date would be a mistake waiting to be billed. */
export interface Price {
  readonly region: string;
  readonly currency: 'CNY' | 'USD';
  readonly unit: string;
  /** `live` is in force, `last` was the last one of a retired model, `historical` is over. */
  readonly basis: 'live' | 'last' | 'historical';
  readonly tiers: readonly PriceTier[];
  readonly source: string;
  /** `YYYY-MM-DD`: when the price was seen. */
  readonly date: string;
  /** `configured`: an admin's word, not the catalogue's. */
  readonly confidence: 'official' | 'second-hand' | 'unconfirmed' | 'configured';
}
