import fc from 'fast-check';

/** A world for permits: where backends say that they are, what is permitted to whom, what is asked from where, and what fails. */

/** Each is a simulated place of its own: what its journal holds has gone there. */
export const PLACES = [
  { name: 'qb', vendor: 'qwen', at: 'cn-beijing', protocol: 'compatible', key: 'good-beijing' },
  { name: 'qs', vendor: 'qwen', at: 'ap-southeast-1', protocol: 'compatible', key: 'good-singapore' },
  { name: 'qn', vendor: 'qwen', at: 'us-east-1', protocol: 'native', key: 'good-us' },
  { name: 'e', vendor: 'ernie', at: 'cn-beijing', protocol: 'compatible', key: 'good' },
  { name: 'gc', vendor: 'glm', at: 'cn', protocol: 'compatible', key: 'glm-cn-good' },
  { name: 'gi', vendor: 'glm', at: 'intl', protocol: 'compatible', key: 'glm-intl-good' },
] as const;
export type PlaceName = (typeof PLACES)[number]['name'];
export type VendorName = (typeof PLACES)[number]['vendor'];
export const NAMES: readonly PlaceName[] = PLACES.map(({ name }) => name);
export type Kind = 'chat' | 'embedding' | 'rerank';

/** A model of each kind that every place of the vendor has. */
export const MODELS: Readonly<Record<VendorName, Readonly<Record<Kind, string>>>> = {
  qwen: { chat: 'qwen-plus', embedding: 'text-embedding-v4', rerank: 'qwen3-rerank' },
  ernie: { chat: 'ernie-4.5-turbo-128k', embedding: 'bge-large-zh', rerank: 'bce-reranker-base' },
  glm: { chat: 'glm-4.6', embedding: 'embedding-3', rerank: 'rerank' },
};
export const KINDS: readonly Kind[] = ['chat', 'embedding', 'rerank'];

/** `spoils`: what the caller sees may be the failure, although another could have answered · `fails`: another candidate answers. */
export const FAULTS = {
  none: 'healthy',
  reset: 'fails',
  'html status=502': 'fails',
  overload: 'fails',
  'rate-limit': 'fails',
  'dead-key': 'fails',
  arrears: 'fails',
  retired: 'fails',
  'cut bytes=20': 'fails',
  moderation: 'moderates',
  'cut after=2': 'spoils',
} as const;
export type FaultName = keyof typeof FAULTS;

/** What a place is like, whatever the configuration says of permits. */
export interface Nature {
  readonly fault: FaultName;
  /** Its first key is refused by the vendor, the second works. */
  readonly badKey: boolean;
  /** One call at a time, and a queue. */
  readonly narrow: boolean;
}

export interface Lists {
  readonly vendors?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly callers?: readonly string[] | undefined;
  readonly countries?: readonly string[] | undefined;
}

/** What a reload may change. */
export interface Rules {
  /** Null: the team has no permit. */
  readonly team: Lists | null;
  readonly keys: Readonly<Record<KeyName, Lists | null>>;
  readonly moderationFallback: boolean;
  readonly trustedProxies: readonly string[];
  /** Candidates of each alias, in their order. */
  readonly aliases: Readonly<Record<string, readonly PlaceName[]>>;
  readonly strategy: string;
  /** What each backend says of its region. */
  readonly labels: Readonly<Record<PlaceName, string>>;
}
export type KeyName = 'plain' | 'narrowed';

export interface Wish {
  readonly key: KeyName;
  readonly kind: Kind;
  readonly model: string;
  readonly stream: boolean;
  readonly forwardedFor: readonly string[] | null;
}

/** By the table of countries. */
export const COUNTRIES: Readonly<Record<string, string>> = { '203.0.113.0/24': 'CN', '198.51.100.0/24': 'SG', '2001:db8::/32': 'CN' };
const ADDRESSES = ['203.0.113.5', '198.51.100.7', '192.0.2.9', '2001:db8::5', '10.0.0.1', '127.0.0.1', 'rubbish', ''] as const;
const NETWORKS = ['203.0.113.0/24', '198.51.100.7', '2001:db8::/32', '192.0.2.0/24', '127.0.0.1', '10.0.0.0/8'] as const;

/** Alias → what it is for. A pattern is asked for by a name that it matches. */
export const ALIASES: Readonly<Record<string, Kind>> = { m: 'chat', 'like-*': 'chat', emb: 'embedding', rr: 'rerank' };
const ASKED = [
  ...['m', 'm', 'm', 'like-this', 'emb', 'emb', 'rr', 'nothing'],
  ...Object.values(MODELS).flatMap((models) => Object.values(models)),
  ...PLACES.map(({ name, vendor }) => `${name}/${MODELS[vendor].chat}`),
];

const some = <T>(from: readonly T[], most = from.length) => fc.subarray([...from], { minLength: 1, maxLength: most });
/** Mostly open: a world in which nobody may do anything proves nothing. */
const mostly = <T>(from: readonly T[], open: readonly T[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant([...open]) }, { weight: 2, arbitrary: some(from) });

const VENDOR_NAMES = ['qwen', 'ernie', 'glm'] as const;
const REGIONS = ['*', 'cn-*', 'cn', 'cn-beijing', 'ap-*', 'us-east-1', 'in*'] as const;
const MODEL_GLOBS = ['*', 'm', 'like-*', 'emb', 'q*', '*-*', 'g*/*', 'text-embedding-v4'] as const;
const lists = {
  vendors: mostly(VENDOR_NAMES, VENDOR_NAMES),
  regions: mostly(REGIONS, ['*']),
  models: mostly(MODEL_GLOBS, ['*']),
};
/** Left out more often than not. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, weight = 4) =>
  fc.oneof({ weight, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const origin = { callers: seldom(some(NETWORKS)), countries: seldom(some(['CN', 'SG'])) };
const optional = fc.record({
  vendors: seldom(some(VENDOR_NAMES), 1),
  regions: seldom(some(REGIONS), 1),
  models: seldom(some(MODEL_GLOBS), 2),
  ...origin,
});
const order = fc.shuffledSubarray([...NAMES], { minLength: 1 });

const rules: fc.Arbitrary<Rules> = fc.record({
  team: fc.option(fc.record({ ...lists, ...origin }), { nil: null, freq: 15 }),
  keys: fc.record({ plain: fc.constant(null), narrowed: optional }),
  moderationFallback: fc.boolean(),
  trustedProxies: fc.constantFrom([], ['127.0.0.1'], ['127.0.0.1', '10.0.0.0/8'], ['10.0.0.0/8']),
  aliases: fc.record({ m: order, 'like-*': order, emb: order, rr: order }),
  strategy: fc.constantFrom('order', 'weighted', 'latency', 'cost'),
  labels: fc.record(
    Object.fromEntries(PLACES.map(({ name, at }) => [name, fc.oneof({ weight: 5, arbitrary: fc.constant(at) }, fc.constant('nowhere'))])),
  ) as unknown as fc.Arbitrary<Record<PlaceName, string>>,
});

const nature: fc.Arbitrary<Nature> = fc.record({
  fault: fc.oneof(
    { weight: 3, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constant('moderation' as const) },
    { weight: 3, arbitrary: fc.constantFrom(...(Object.keys(FAULTS) as FaultName[])) },
  ),
  badKey: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  narrow: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
});

const wish: fc.Arbitrary<Wish> = fc
  .record({
    key: fc.constantFrom<KeyName>('plain', 'narrowed'),
    model: fc.constantFrom(...ASKED),
    kind: seldom(fc.constantFrom(...KINDS), 8),
    stream: fc.boolean(),
    forwardedFor: seldom(fc.array(fc.constantFrom(...ADDRESSES), { minLength: 1, maxLength: 3 }), 2),
  })
  // Mostly what the name is for; now and then something else.
  .map(({ kind, forwardedFor = null, ...more }): Wish => ({ ...more, forwardedFor, kind: kind ?? kindOf(more.model) }));

/** What a model of the world is for. */
export function kindOf(model: string): Kind {
  const alias = ALIASES[model.startsWith('like-') ? 'like-*' : model];
  const bare = model.slice(model.indexOf('/') + 1);
  return alias ?? KINDS.find((kind) => Object.values(MODELS).some((models) => models[kind] === bare)) ?? 'chat';
}

export interface World {
  readonly natures: Readonly<Record<PlaceName, Nature>>;
  readonly first: Rules;
  /** What a reload puts in its place. */
  readonly second: Rules;
  /** The table of countries cannot be read when the reload comes. */
  readonly badTable: boolean;
  readonly before: readonly Wish[];
  readonly across: readonly Wish[];
  readonly after: readonly Wish[];
}

const wishes = fc.array(wish, { minLength: 8, maxLength: 16 });
export const world: fc.Arbitrary<World> = fc.record({
  natures: fc.record(Object.fromEntries(NAMES.map((name) => [name, nature]))) as unknown as fc.Arbitrary<Record<PlaceName, Nature>>,
  first: rules,
  second: rules,
  badTable: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  before: wishes,
  across: wishes,
  after: wishes,
});
