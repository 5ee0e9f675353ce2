import ipaddr from 'ipaddr.js';
import type { Key, Team } from '../../config/config.ts';
import { globMatches, regionMatches } from '../../config/glob.ts';

/** What is being asked: may this go there? */
export interface Destination {
  readonly vendor: string;
  readonly region: string;
}

/**
 * A team's permit and its key's, as one. Fails closed: no permit, no traffic; a key narrows its team and never widens it;
 * an address that cannot be read is no permitted caller.
 */
export class Permit {
  readonly #rules: readonly Rules[];
  /** Networks of each rule that has any, parsed once. */
  readonly #callers: readonly (readonly Network[])[];
  /** Verdicts by address. Bounded: an address costs its caller a connection, not us memory. */
  readonly #addresses = new Map<string, boolean>();

  constructor(team: Pick<Team, 'permit'>, key: Pick<Key, 'permit'>) {
    const { permit } = team;
    this.#rules = permit === undefined ? [] : key.permit === undefined ? [permit] : [permit, key.permit];
    this.#callers = this.#rules.flatMap(({ callers }) => (callers === undefined ? [] : [callers.map(parseNetwork)]));
  }

  /** False for a caller from a network that is not permitted. */
  caller(address: string): boolean {
    let verdict = this.#addresses.get(address);
    if (verdict === undefined) {
      verdict = this.#rules.length > 0 && this.#callers.every((networks) => within(networks, address));
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
}

const MOST_ADDRESSES = 1000;

type Network = readonly [base: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

function parseNetwork(written: string): Network {
  if (written.includes('/')) return ipaddr.parseCIDR(written);
  return [ipaddr.parse(written), written.includes(':') ? 128 : 32];
}

/** `::ffff:10.0.0.1` counts as 10.0.0.1: a dual-stack socket shows IPv4 callers so. */
function within(networks: readonly Network[], address: string): boolean {
  // `::10.0.0.1` (IPv4-compatible, long deprecated) is an IPv6 address of its own; the library would read it as IPv4.
  if (!ipaddr.isValid(address) || /^::\d+\./.test(address)) return false;
  const caller = ipaddr.process(address);
  return networks.some(([base, bits]) => base.kind() === caller.kind() && caller.match(base as typeof caller, bits));
}
