import {
  ALIASES,
  COUNTRIES,
  FAULTS,
  KINDS,
  type Kind,
  type Lists,
  MODELS,
  PLACES,
  type PlaceName,
  type Rules,
  type Wish,
  type World,
} from './permit-world.ts';

/** What permits mean, said a second time and in another way than the relay says it. */
export interface Verdict {
  /** Where a packet for this wish may be seen. */
  readonly places: ReadonlySet<PlaceName>;
  /** The code of a refusal before any backend is asked; null: one is asked. */
  readonly refused: string | null;
  /** Some permitted backend is well, and nothing that stands before it may be the answer. */
  readonly served: boolean;
}

export function verdict({ key, kind, model, forwardedFor }: Wish, rules: Rules, natures: World['natures']): Verdict {
  const refuse = (refused: string): Verdict => ({ places: new Set(), refused, served: false });
  const own = rules.keys[key];
  const layers: readonly Lists[] = rules.team === null ? [] : own === null ? [rules.team] : [rules.team, own];
  const every = (list: keyof Lists, covers: (entry: string) => boolean): boolean =>
    layers.length > 0 && layers.every((layer) => layer[list] === undefined || (layer[list] as readonly string[]).some(covers));

  const address = addressOf(forwardedFor, rules.trustedProxies);
  const nation = countryOf(address);
  if (!every('callers', (network) => isWithin(address, network)) || !every('countries', (country) => country === nation)) {
    return refuse('unsupported_country_region_territory');
  }
  if (!every('models', (glob) => matches(glob, model))) return refuse('model_not_found');
  const known = candidates(model, kind, rules);
  const ofVendor = known.filter(({ vendor }) => every('vendors', (entry) => entry === vendor));
  const inRegion = (name: PlaceName): boolean => every('regions', (glob) => coversRegion(glob, rules.labels[name]));
  if (ofVendor.length === 0) {
    const elsewhere = KINDS.filter((other) => other !== kind).flatMap((other) => candidates(model, other, rules));
    const usable = elsewhere.some(({ vendor, name }) => every('vendors', (entry) => entry === vendor) && inRegion(name));
    return refuse(usable ? 'wrong_endpoint' : 'model_not_found');
  }
  const permitted = ofVendor.filter(({ name }) => inRegion(name));
  const [first] = permitted;
  if (first === undefined) return refuse('region_not_permitted');
  // Vectors of two models cannot be compared.
  const asked = kind === 'embedding' ? permitted.filter(({ vendor }) => vendor === first.vendor) : permitted;
  const natureOf = ({ name }: (typeof asked)[number]) => natures[name];
  const healthy = asked.filter((place) => FAULTS[natureOf(place).fault] === 'healthy');
  const spoiling = asked.some((place) => {
    const effect = FAULTS[natureOf(place).fault];
    return effect === 'spoils' || (effect === 'moderates' && !rules.moderationFallback);
  });
  return { places: new Set(asked.map(({ name }) => name)), refused: null, served: healthy.length > 0 && !spoiling };
}

/** What a name stands for, permits not yet looked at. */
function candidates(model: string, kind: Kind, rules: Rules): (typeof PLACES)[number][] {
  const alias = Object.keys(ALIASES).find((name) => matches(name, model));
  if (alias !== undefined) {
    return ALIASES[alias] === kind
      ? (rules.aliases[alias] ?? []).map((name) => PLACES.find((place) => place.name === name) as (typeof PLACES)[number])
      : [];
  }
  return PLACES.filter(
    ({ name, vendor }) =>
      [model, model.slice(name.length + 1)].includes(MODELS[vendor][kind]) && (!model.includes('/') || model.startsWith(`${name}/`)),
  );
}

/** `*` stands for anything; the patterns of this world have nothing else of their own. */
const matches = (glob: string, text: string): boolean => new RegExp(`^${glob.replaceAll('*', '.*')}$`, 'u').test(text);
const coversRegion = (glob: string, region: string): boolean =>
  matches(glob, region) || (glob.endsWith('-*') && region === glob.slice(0, -2));

/** All calls of the test come from 127.0.0.1. */
function addressOf(forwardedFor: readonly string[] | null, proxies: readonly string[]): string {
  const trusted = (address: string): boolean => proxies.some((network) => isWithin(address, network));
  if (forwardedFor === null || !trusted('127.0.0.1')) return '127.0.0.1';
  const reversed = forwardedFor.toReversed();
  const untrusted = reversed.findIndex((address) => !trusted(address));
  const read = untrusted < 0 ? reversed : reversed.slice(0, untrusted + 1);
  return read.every(isAddress) ? (read.at(-1) as string) : '';
}

const isAddress = (text: string): boolean => text !== '' && text !== 'rubbish';

/** The addresses of this world are told apart by their beginnings. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  '203.0.113.0/24': '203.0.113.',
  '198.51.100.0/24': '198.51.100.',
  '198.51.100.7': '198.51.100.7',
  '192.0.2.0/24': '192.0.2.',
  '2001:db8::/32': '2001:db8:',
  '127.0.0.1': '127.0.0.1',
  '10.0.0.0/8': '10.',
};
const isWithin = (address: string, network: string): boolean => address.startsWith(BEGINNINGS[network] as string);

const countryOf = (address: string): string | null =>
  Object.entries(COUNTRIES).find(([network]) => isWithin(address, network))?.[1] ?? null;
