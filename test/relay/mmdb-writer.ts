import ipaddr from 'ipaddr.js';

type Value = string | number | { readonly [field: string]: Value };
/** A node's branch: another node, where its record lies in the data, or nothing. */
type Branch = { readonly node: number } | { readonly data: number } | null;

/** A table in MaxMind's format: a binary tree of address bits, the records its leaves point to, and what describes the file. */
export function mmdb(records: Readonly<Record<string, Value>>, ipVersion: 4 | 6 = 6, recordSize: 24 | 32 = 24): Buffer {
  const nodes: [Branch, Branch][] = [[null, null]];
  const data: Buffer[] = [];
  let length = 0;
  for (const [network, record] of Object.entries(records)) {
    const bits = bitsOf(network, ipVersion);
    const encoded = encode(record);
    let at = 0;
    for (const bit of bits.slice(0, -1)) {
      const branch = nodes[at]?.[bit];
      if (branch != null && 'data' in branch) throw new Error(`${network} overlaps another network`);
      const next = branch?.node ?? nodes.push([null, null]) - 1;
      (nodes[at] as [Branch, Branch])[bit] = { node: next };
      at = next;
    }
    (nodes[at] as [Branch, Branch])[bits.at(-1) as 0 | 1] = { data: length };
    data.push(encoded);
    length += encoded.length;
  }
  const bytes = recordSize / 8;
  const tree = Buffer.alloc(nodes.length * 2 * bytes);
  nodes.flat().forEach((branch, index) => {
    const value = branch === null ? nodes.length : 'node' in branch ? branch.node : nodes.length + 16 + branch.data;
    tree.writeUIntBE(value, index * bytes, bytes);
  });
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1,
    database_type: 'Test-Country',
    ip_version: ipVersion,
    node_count: nodes.length,
    record_size: recordSize,
  };
  const marker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  return Buffer.concat([tree, Buffer.alloc(16), ...data, marker, encode(metadata)]);
}

export const country = (code: string): Value => ({ country: { iso_code: code } });

/** In a tree of IPv6 an IPv4 network lies at ::/96. */
function bitsOf(network: string, ipVersion: 4 | 6): (0 | 1)[] {
  const [address, prefix] = ipaddr.parseCIDR(network);
  const bytes = address.toByteArray();
  const padded = address.kind() === 'ipv4' && ipVersion === 6 ? [...Array<number>(12).fill(0), ...bytes] : bytes;
  const length = prefix + (padded.length - bytes.length) * 8;
  return Array.from({ length }, (_, bit) => (((padded[bit >> 3] as number) >> (7 - (bit & 7))) & 1) as 0 | 1);
}

function encode(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.from([(2 << 5) | value.length, ...Buffer.from(value)]);
  if (typeof value === 'number') {
    const number = Buffer.alloc(5, (6 << 5) | 4);
    number.writeUInt32BE(value, 1);
    return number;
  }
  const entries = Object.entries(value);
  return Buffer.concat([Buffer.from([(7 << 5) | entries.length]), ...entries.flatMap(([key, entry]) => [encode(key), encode(entry)])]);
}
