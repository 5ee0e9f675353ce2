/** The middle value; of an even number of them the mean of the two in the middle. @throws RangeError without values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}

/** The value that this part of them does not exceed. @throws RangeError without values */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] as number;
}

/** How much more than the base: the median of the differences of the single rounds. */
export function pairedDifference(values: readonly number[], base: readonly number[]): number {
  if (values.length !== base.length) throw new RangeError(`${values.length} rounds against ${base.length}`);
  return median(values.map((value, index) => value - (base[index] as number)));
}

/**
 * How many times as much as the base: the median of the ratios of the single rounds. What slows a whole round down (a neighbour, heat)
 * then weighs on both sides, which a ratio of medians would not give.
 */
export function pairedRatio(values: readonly number[], base: readonly number[]): number {
  if (values.length !== base.length) throw new RangeError(`${values.length} rounds against ${base.length}`);
  return median(values.map((value, index) => value / (base[index] as number)));
}

/** Text in columns: the first flush left, the rest flush right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '),
    )
    .join('\n');
}
