import type { Key, Team } from '../../config/config.ts';
import { globMatches, regionMatches } from '../../config/glob.ts';
import { type Network, parseNetwork, readAddress, within } from './networks.ts';

/** What is being asked: may this go there? */
export interface Destination {
  readonly vendor: string;
  readonly region: string;
}

/**
 * A team's permit and its key's, as one. Fails closed: no permit, no traffic; a key narrows its team and never widens it;
 * an address that cannot be read, or of no known country, is no permitted caller where these are restricted.
 */
export class Permit {
  readonly #rules: readonly Rules[];
  /** Networks of each rule that has any, parsed once. */
  readonly #callers: readonly (readonly Network[])[];
  /** Countries of each rule that has any. */
  readonly #countries: readonly ReadonlySet<string>[];
  /** Verdicts of the networks by address. Bounded: an address costs its caller a connection, not us memory. */
  readonly #addresses = new Map<string, boolean>();

  constructor(team: Pick<Team, 'permit'>, key: Pick<Key, 'permit'>) {
    const { permit } = team;
    this.#rules = permit === undefined ? [] : key.permit === undefined ? [permit] : [permit, key.permit];
    this.#callers = this.#rules.flatMap(({ callers }) => (callers === undefined ? [] : [callers.map(parseNetwork)]));
    this.#countries = this.#rules.flatMap(({ countries }) => (countries === undefined ? [] : [new Set(countries)]));
  }

  /** False for a caller from a network or a country that is not permitted. */
  caller(address: string, countryOf: CountryOf = () => null): boolean {
    return this.callerRule(address, countryOf) === null;
  }

  /** What stands against a caller: that there is no permit at all, its network, or its country. Null: nothing. */
  callerRule(address: string, countryOf: CountryOf = () => null): 'permit' | 'network' | 'country' | null {
    if (this.#rules.length === 0) return 'permit';
    if (!this.#network(address)) return 'network';
    return this.#country(address, countryOf) ? null : 'country';
  }

  #country(address: string, countryOf: CountryOf): boolean {
    if (this.#countries.length === 0) return true;
    const country = countryOf(address);
    return country !== null && this.#countries.every((countries) => countries.has(country));
  }

  #network(address: string): boolean {
    let verdict = this.#addresses.get(address);
    if (verdict === undefined) {
      verdict = this.#callers.every((networks) => contains(networks, address));
      if (this.#addresses.size >= MOST_ADDRESSES) this.#addresses.clear();
      this.#addresses.set(address, verdict);
    }
    return verdict;
  }

  /** May this name be asked for? */
  model(name: string): boolean {
    return this.#every(({ models }) => models === undefined || models.some((glob) => globMatches(glob, name)));
  }

  vendor(vendor: string): boolean {
    return this.#every(({ vendors }) => vendors === undefined || vendors.includes(vendor));
  }

  region(region: string): boolean {
    return this.#every(({ regions }) => regions === undefined || regions.some((glob) => regionMatches(glob, region)));
  }

  /** May a request be sent to this backend? */
  destination({ vendor, region }: Destination): boolean {
    return this.vendor(vendor) && this.region(region);
  }

  #every(test: (rules: Rules) => boolean): boolean {
    return this.#rules.length > 0 && this.#rules.every(test);
  }
}

interface Rules {
  readonly vendors?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly callers?: readonly string[] | undefined;
  readonly countries?: readonly string[] | undefined;
}

/** Two capital letters, or null when it is not known. */
export type CountryOf = (address: string) => string | null;

const MOST_ADDRESSES = 1000;

function contains(networks: readonly Network[], text: string): boolean {
  const address = readAddress(text);
  return address !== null && within(networks, address);
}
