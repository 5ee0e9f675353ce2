import type { CheckContext } from './check-context.ts';
import type { Path } from './problem.ts';
import type { BackendInput } from './schema.ts';

type Price = NonNullable<BackendInput['prices']>[string];
type Tier = NonNullable<Price['tiers']>[number];

/** `prices` of a backend: either one price for all requests or tiers, every one of which some request meets. */
export function checkPrices(prices: BackendInput['prices'], path: Path, { problems }: Pick<CheckContext, 'problems'>): void {
  for (const [model, price] of Object.entries(prices ?? {})) {
    const here = [...path, 'prices', model];
    if (price.tiers === undefined) {
      for (const key of ['input', 'output'] as const)
        if (price[key] === undefined) problems.add([...here, key], 'is required', { at: 'key' });
      continue;
    }
    for (const key of ['input', 'cachedInput', 'output', 'thinkingOutput'] as const) {
      if (price[key] !== undefined) problems.add([...here, key], 'must be in each of the tiers when there are tiers', { at: 'key' });
    }
    price.tiers.forEach((tier, index) => {
      if (price.tiers?.slice(0, index).some((earlier) => covers(earlier, tier)) === true) {
        problems.add([...here, 'tiers', index], 'is never used: a tier before it covers all its requests');
      }
    });
  }
}

/** Does every request of the later tier fit the earlier one? */
function covers(earlier: Tier, later: Tier): boolean {
  return (['inputUpTo', 'outputUpTo'] as const).every((border) => (earlier[border] ?? Infinity) >= (later[border] ?? Infinity));
}
