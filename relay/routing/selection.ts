import type { Price } from '../../catalog/price.ts';
import type { Backend } from '../../config/config.ts';
import { type Expected, expectedCost } from '../quota/demand.ts';
import type { Served } from '../quota/learned-by-model.ts';
import { byConversation } from './affinity.ts';
import type { Choice, Decision, Need, Ranked, Skipped } from './decision.ts';
import type { Latencies } from './latencies.ts';
import { type Candidate, type OpenRoute, placeName, type RouteSettings } from './route-table.ts';

/** What is known of one request before it is sent anywhere. */
export interface Wants {
  readonly stream: boolean;
  /** The first thing that the request needs and the model is known not to have; null: none is known. */
  lacking(candidate: Candidate): Need | null;
  /** Its prompt, as it is estimated, is longer than the model's context. */
  tight(candidate: Candidate): boolean;
  expected(served: Served): Expected;
  /** What its conversation is known by; null where that is not known. */
  conversation(): string | null;
}

export interface SelectionServices {
  readonly priceOf: (backend: Backend, model: string) => Price | null;
  readonly latencies: Latencies;
  /** From 0 up to, but without, 1. */
  readonly random: () => number;
}

interface Ordered {
  readonly candidate: Candidate;
  readonly ranked: Ranked;
}

type Tier = readonly Candidate[];

/** Puts the candidates of a route in order for one request, and says why. Knows no clock of its own and sends nothing. */
export class Selection {
  readonly #services: SelectionServices;
  /** Routes are kept by their table as long as it is in force. */
  readonly #written = new WeakMap<OpenRoute, Choice<Candidate>>();

  constructor(services: SelectionServices) {
    this.#services = services;
  }

  choose(route: OpenRoute, wants: Wants): Choice<Candidate> {
    return this.#asWritten(route, wants) ?? this.#chosen(route, wants);
  }

  /** The order of the file, where nothing about the request changes it: most requests. Null: it has to be found. */
  #asWritten(route: OpenRoute, wants: Wants): Choice<Candidate> | null {
    const { candidates, settings } = route;
    const { strategy, affinity } = settings;
    const alone = candidates.length === 1;
    if (strategy !== 'order' && !(alone && strategy === 'weighted')) return null;
    if (affinity && !alone) return null;
    for (const candidate of candidates) if (wants.lacking(candidate) !== null || (!alone && wants.tight(candidate))) return null;
    let choice = this.#written.get(route);
    if (choice === undefined) this.#written.set(route, (choice = this.#chosen(route, wants)));
    return choice;
  }

  #chosen(route: OpenRoute, wants: Wants): Choice<Candidate> {
    const { settings } = route;
    const lacking = route.candidates.map((candidate) => wants.lacking(candidate));
    const able = route.candidates.filter((_, index) => lacking[index] === null);
    const unmet = able.length > 0 ? [] : [...new Set(lacking.filter((need) => need !== null))];
    const skipped = route.candidates.flatMap((candidate, index): Skipped[] => {
      const rule = lacking[index] ?? null;
      return rule === null ? [] : [{ to: placeName(candidate), rule }];
    });
    const left = able.length > 0 ? able : leastLacking(route.candidates, lacking);
    const conversation = settings.affinity && left.length > 1 ? wants.conversation() : null;
    const ordered = this.#inTiers(left, settings, wants, conversation);
    const decision: Decision = {
      strategy: settings.strategy,
      order: ordered.map(({ ranked }) => ranked),
      skipped: [...route.skipped, ...(able.length > 0 ? skipped : skipped.filter(({ to }) => !left.some((one) => placeName(one) === to)))],
      ...(conversation === null ? {} : { affinity: true as const }),
      ...(unmet.length === 0 ? {} : { unmet }),
    };
    const { hedge, totalDeadlineMs } = settings;
    return { candidates: ordered.map(({ candidate }) => candidate), decision, hedge, totalDeadlineMs };
  }

  /** Tier after tier; where the prompt is long, those whose context is probably too short come after all others. */
  #inTiers(candidates: readonly Candidate[], settings: RouteSettings, wants: Wants, conversation: string | null): Ordered[] {
    const tight = candidates.length > 1 ? candidates.filter((candidate) => wants.tight(candidate)) : [];
    const roomy = tight.length === 0 ? candidates : candidates.filter((candidate) => !tight.includes(candidate));
    const ranked = (tiers: readonly Tier[]): Ordered[] => tiers.flatMap((tier) => this.#rank(tier, settings, wants, conversation));
    if (tight.length === 0) return ranked(tiersOf(candidates));
    // The longest context first: the vendor may count fewer tokens than the estimate.
    const longest = tight.toSorted((one, other) => (other.facts.contextTokens ?? 0) - (one.facts.contextTokens ?? 0));
    const behind = longest.map((candidate): Ordered => ({ candidate, ranked: { ...named(candidate), tight: true } }));
    return [...ranked(tiersOf(roomy)), ...behind];
  }

  #rank(tier: Tier, { strategy, cnyPerUsd }: RouteSettings, wants: Wants, conversation: string | null): Ordered[] {
    switch (strategy) {
      case 'order':
        return tier.map(plainly);
      case 'weighted':
        return this.#mixed(tier, conversation, ({ weight }) => weight).map(plainly);
      case 'latency':
        return this.#byLatency(tier, wants.stream, conversation);
      case 'cost':
        return this.#byCost(tier, wants, cnyPerUsd);
    }
  }

  #mixed(tier: Tier, conversation: string | null, weightOf: (candidate: Candidate) => number): Candidate[] {
    return conversation === null ? this.#drawn(tier, weightOf) : byConversation(conversation, tier, weightOf);
  }

  /** A draw decides who is first, and again who is next. */
  #drawn(tier: Tier, weightOf: (candidate: Candidate) => number): Candidate[] {
    const out: Candidate[] = [];
    let rest = [...tier];
    while (rest.length > 0) {
      let drawn = this.#services.random() * rest.reduce((sum, candidate) => sum + weightOf(candidate), 0);
      const chosen = rest.find((candidate) => (drawn -= weightOf(candidate)) < 0) ?? (rest.at(-1) as Candidate);
      out.push(chosen);
      rest = rest.filter((candidate) => candidate !== chosen);
    }
    return out;
  }

  /**
   * Two at random, the sooner of them first: always the soonest of all would send every request of a moment to one. A conversation has its
   * own two, and stays with the first of them until the other is clearly sooner.
   */
  #byLatency(tier: Tier, stream: boolean, conversation: string | null): Ordered[] {
    const { latencies } = this.#services;
    const mixed = this.#mixed(tier, conversation, () => 1);
    const expected = latencies.expected(mixed.map(placeName), stream);
    const order = mixed.map((candidate, index) => ({ candidate, ms: expected[index] as number | null }));
    const [first, second] = order;
    const patience = conversation === null ? 1 : KEPT_UNTIL_SLOWER_BY;
    if (first?.ms != null && second?.ms != null && second.ms * patience < first.ms) order.splice(0, 2, second, first);
    // Those that were not among the two are only for when these fail: the soonest first.
    const others = order.splice(2).sort((one, other) => (one.ms ?? Number.POSITIVE_INFINITY) - (other.ms ?? Number.POSITIVE_INFINITY));
    const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
    return [...order, ...others].map(({ candidate, ms }) => ({
      candidate,
      ranked: { ...named(candidate), expectedMs: rounded(ms) },
    }));
  }

  /** Cheapest first; who has no known price, or one in a currency that cannot be compared, last; in the order of the file where equal. */
  #byCost(tier: Tier, wants: Wants, cnyPerUsd: number | null): Ordered[] {
    const costs = tier.map((candidate) => {
      const { backend, model } = candidate;
      const expected = wants.expected({ vendor: backend.vendor, model });
      return { candidate, cost: expectedCost(expected, this.#services.priceOf(backend, model)) };
    });
    const currency = costs.find(({ cost }) => cost !== null)?.cost?.currency;
    const comparable = ({ cost }: (typeof costs)[number]): number => {
      if (cost === null) return Number.POSITIVE_INFINITY;
      if (cost.currency === currency) return cost.amountNano;
      if (cnyPerUsd === null) return Number.MAX_VALUE;
      return currency === 'CNY' ? cost.amountNano * cnyPerUsd : cost.amountNano / cnyPerUsd;
    };
    const sorted = costs
      .map((entry) => ({ ...entry, by: comparable(entry) }))
      .sort((one, other) => (one.by === other.by ? 0 : one.by - other.by));
    return sorted.map(({ candidate, cost }) => ({
      candidate,
      ranked: { ...named(candidate), costNano: cost?.amountNano ?? null, ...(cost === null ? {} : { currency: cost.currency }) },
    }));
  }
}

/** A conversation leaves its candidate, and the candidate's cache of its prompt, for one that is sooner by this factor. */
const KEPT_UNTIL_SLOWER_BY = 1.5;

const named = (candidate: Candidate): Ranked => ({
  to: placeName(candidate),
  ...(candidate.tier === 0 ? {} : { tier: candidate.tier }),
});

const plainly = (candidate: Candidate): Ordered => ({ candidate, ranked: named(candidate) });

function tiersOf(candidates: readonly Candidate[]): Tier[] {
  const tiers = Map.groupBy(candidates, ({ tier }) => tier);
  return [...tiers].toSorted(([one], [other]) => one - other).map(([, tier]) => tier);
}

/** Where nobody can do all: everyone, so that each says what it cannot carry; of those whose context is too short only the longest. */
function leastLacking(candidates: readonly Candidate[], lacking: readonly (Need | null)[]): readonly Candidate[] {
  if (!lacking.every((need) => need === 'context')) return candidates;
  const longest = Math.max(...candidates.map(({ facts }) => facts.contextTokens ?? 0));
  return candidates.filter(({ facts }) => facts.contextTokens === longest).slice(0, 1);
}
