import { type Demand, type Limit, rateLaw, slotsLaw, windowLaw } from './limits.ts';

/** One node's part of a limit, rounded down; null when less than one is left for it. */
export function shareOf({ law, ...limit }: Limit, nodes: number): Limit | null {
  const part = (amount: number) => Math.floor(amount / nodes);
  if (part(law.amount) < 1 || (law.kind === 'rate' && part(law.burst) < 1)) return null;
  if (law.kind === 'rate') return { ...limit, law: rateLaw(part(law.amount), law.perMs, part(law.burst)) };
  if (law.kind === 'slots') return { ...limit, law: slotsLaw(part(law.amount)) };
  return { ...limit, law: windowLaw(part(law.amount), law.per, law.timeZone) };
}

/** All demands on this node's shares; null when one of the limits has none for it. */
export function sharedDemands(demands: readonly Demand[], nodes: number): Demand[] | null {
  const shared: Demand[] = [];
  for (const { limit, amount } of demands) {
    const share = shareOf(limit, nodes);
    if (share === null) return null;
    shared.push({ limit: share, amount });
  }
  return shared;
}
