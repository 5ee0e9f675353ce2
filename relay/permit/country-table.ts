import { type CountryResponse, Reader } from 'mmdb-lib';
import { readAddress } from './networks.ts';

/** Address → country, from a table in MaxMind's format (`country.iso_code` of its records). Held in memory. */
export class CountryTable {
  readonly #bytes: Buffer;
  readonly #reader: Reader<CountryResponse>;
  /** Bounded: an address costs its caller a request, not us memory. */
  readonly #known = new Map<string, string | null>();

  /** @throws Error when the bytes are no such table */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader = new Reader(this.#bytes);
  }

  /** Two capital letters; null when the table does not say, or the text is no address. */
  countryOf(address: string): string | null {
    let country = this.#known.get(address);
    if (country === undefined) {
      country = this.#lookUp(address);
      if (this.#known.size >= MOST_ADDRESSES) this.#known.clear();
      this.#known.set(address, country);
    }
    return country;
  }

  same(other: CountryTable): boolean {
    return this.#bytes.equals(other.#bytes);
  }

  #lookUp(text: string): string | null {
    const address = readAddress(text);
    // A table of IPv4 has no branch for IPv6.
    if (address === null || (address.kind() === 'ipv6' && this.#reader.metadata.ipVersion !== 6)) return null;
    // An address with a zone is of one cable only, and so of no country.
    const plain = address.toNormalizedString();
    if (plain.includes('%')) return null;
    const code: unknown = this.#reader.get(plain)?.country?.iso_code;
    return typeof code === 'string' && /^[A-Z]{2}$/.test(code) ? code : null;
  }
}

const MOST_ADDRESSES = 1000;
