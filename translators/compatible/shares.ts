import type { Share } from '../vectors-translator.ts';

/** Bounds of one call. */
export interface ShareBounds {
  readonly items: number;
  /** In the unit of the weights. */
  readonly weight: number;
}

/**
 * Cuts a list into calls, in order and in one pass: each as long as both bounds allow. What is heavier than the bound by itself stands alone:
 * the vendor judges it.
 */
export function sharesOf(count: number, bounds: ShareBounds, weightOf: (index: number) => number): Share[] {
  const shares: Share[] = [];
  let from = 0;
  let weight = 0;
  for (let index = 0; index < count; index++) {
    const more = weightOf(index);
    if (index > from && (index - from >= bounds.items || weight + more > bounds.weight)) {
      shares.push({ from, to: index });
      from = index;
      weight = 0;
    }
    weight += more;
  }
  if (count > from) shares.push({ from, to: count });
  return shares;
}
