import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = readonly [base: Address, bits: number];

/** An address or a network in CIDR notation, as checked by the configuration. */
export function parseNetwork(written: string): Network {
  if (written.includes('/')) return ipaddr.parseCIDR(written);
  return [ipaddr.parse(written), written.includes(':') ? 128 : 32];
}

/**
 * An address in full, or null. `::ffff:10.0.0.1` is 10.0.0.1: a dual-stack socket shows IPv4 callers so. The library reads more: `10.1`
 * and `::10.0.0.1` (IPv4-compatible, long deprecated) would become other addresses than the reader thinks.
 */
export function readAddress(text: string): Address | null {
  if (text.includes(':') ? /^::\d+\./.test(text) || !ipaddr.IPv6.isValid(text) : !ipaddr.IPv4.isValidFourPartDecimal(text)) return null;
  return ipaddr.process(text);
}

export function within(networks: readonly Network[], address: Address): boolean {
  return networks.some(([base, bits]) => base.kind() === address.kind() && address.match(base as typeof address, bits));
}
