import ipaddr from 'ipaddr.js';

/**
 * Checks one entry of `permit.callers`: an address (`10.0.0.7`, `2001:db8::1`) or a network (`10.0.0.0/8`).
 * Returns what is wrong, or undefined. Strict on purpose: the shorthands of inet_aton (`10.1`, `0x0a000001`) and a
 * network with host bits set would permit something else than the reader thinks.
 */
export function networkFault(written: string): string | undefined {
  const [address = '', prefix, ...more] = written.split('/');
  const four = ipaddr.IPv4.isValidFourPartDecimal(address);
  const six = address.includes(':') && !address.includes('%') && ipaddr.IPv6.isValid(address);
  if (more.length > 0 || (!four && !six)) return 'must be an IP address or a network such as 10.0.0.0/8 or 2001:db8::/32';
  if (six && ipaddr.IPv6.parse(address).isIPv4MappedAddress()) return 'must be written as IPv4, without ::ffff:';
  if (prefix === undefined) return undefined;
  const bits = four ? 32 : 128;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return `the part after / must be a whole number from 0 to ${bits}`;
  const base = four ? ipaddr.IPv4.networkAddressFromCIDR(written) : ipaddr.IPv6.networkAddressFromCIDR(written);
  if (base.toNormalizedString() === ipaddr.parse(address).toNormalizedString()) return undefined;
  return `is not the start of its network: write ${base.toString()}/${Number(prefix)} for the network, or ${address} for the single address`;
}

/** Do two valid entries (see `networkFault`) share an address? */
export function networksOverlap(a: string, b: string): boolean {
  const [first, firstBits] = toRange(a);
  const [second, secondBits] = toRange(b);
  if (first.kind() !== second.kind()) return false;
  return first.match(second, Math.min(firstBits, secondBits));
}

function toRange(entry: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (entry.includes('/')) return ipaddr.parseCIDR(entry);
  const address = ipaddr.parse(entry);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
