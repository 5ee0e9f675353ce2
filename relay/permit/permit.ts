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

  constructor(team: Team, key: Key) {
    const { permit } = team;
    this.#rules = permit === undefined ? [] : key.permit === undefined ? [permit] : [permit, key.permit];
  }

  /** False for a caller from a network that is not permitted. */
  caller(address: string): boolean {
    return this.#every(({ callers }) => callers === undefined || within(callers, address));
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

/** `::ffff:10.0.0.1` counts as 10.0.0.1: a dual-stack socket shows IPv4 callers so. */
function within(networks: readonly string[], address: string): boolean {
  // `::10.0.0.1` (IPv4-compatible, long deprecated) is an IPv6 address of its own; the library would read it as IPv4.
  if (!ipaddr.isValid(address) || /^::\d+\./.test(address)) return false;
  const caller = ipaddr.process(address);
  return networks.some((network) => {
    const [base, bits] = network.includes('/') ? ipaddr.parseCIDR(network) : [ipaddr.parse(network), network.includes(':') ? 128 : 32];
    return base.kind() === caller.kind() && caller.match(base as typeof caller, bits as number);
  });
}
