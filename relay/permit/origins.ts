import type { CountryTable } from './country-table.ts';
import { type Network, parseNetwork, readAddress, within } from './networks.ts';

/** Where requests come from: the address behind the proxies that the configuration trusts, and its country. */
export class Origins {
  readonly #proxies: readonly Network[];
  readonly #countries: CountryTable | null;

  constructor(trustedProxies: readonly string[] = [], countries: CountryTable | null = null) {
    this.#proxies = trustedProxies.map(parseNetwork);
    this.#countries = countries;
  }

  /**
   * The address of the caller, `` when it is not known. Each proxy appends whom it saw to `X-Forwarded-For`, so it is read from the right,
   * up to the first that is no trusted proxy: what stands left of that was written by anyone. Where all are trusted it is the leftmost.
   * @param forwardedFor the header, several joined by commas in their order
   */
  address(peer: string, forwardedFor: string | undefined): string {
    if (forwardedFor === undefined || !this.#trusts(peer)) return peer;
    let from = peer;
    let end = forwardedFor.length;
    while (end >= 0) {
      const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
      const hop = forwardedFor.slice(comma + 1, end).trim();
      if (readAddress(hop) === null) return '';
      from = hop;
      if (!this.#trusts(hop)) break;
      end = comma;
    }
    return from;
  }

  /** Null when there is no table or it does not say. */
  countryOf(address: string): string | null {
    return this.#countries?.countryOf(address) ?? null;
  }

  #trusts(text: string): boolean {
    const address = this.#proxies.length === 0 ? null : readAddress(text);
    return address !== null && within(this.#proxies, address);
  }
}
