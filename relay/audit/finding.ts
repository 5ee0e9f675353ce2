/** Something that is not what the books, or the lines, say it should be. Amounts in the bucket's own units: requests, tokens, nano-units. */
export interface Finding {
  /** `team/<name>`; of the books against themselves the hour. */
  readonly owner: string;
  readonly bucket: string;
  /**
   * - `sum`: an hourly sum is not the sum of its lines.
   * - `window`, `slots`: a level in Redis is not what books and open reservations add up to.
   * - `rate`: a level in Redis is further than the tolerance from what the books' lines lead to.
   * - `heard`: a level moved otherwise than the lines of that time say.
   */
  readonly kind: 'sum' | 'window' | 'slots' | 'rate' | 'heard';
  /** The nearest value that would have been right. */
  readonly expected: number;
  readonly found: number;
}

export interface OwnerAudit {
  readonly findings: readonly Finding[];
  /** What was not checked, or differs for a reason that the books know; in sentences. */
  readonly notes: readonly string[];
}
