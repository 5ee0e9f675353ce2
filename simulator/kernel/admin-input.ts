import type { FaultOrder } from './fault-book.ts';
import { COMMON_FAULTS } from './fault-names.ts';
import type { Limits } from './traffic.ts';
import type { Vendor, VendorName } from './types.ts';

/** Reads the admin API's bodies. Every refusal names the member that is wrong and what would be right. */

export class BadInput extends Error {
  override readonly name = 'BadInput';
}

type Members = Readonly<Record<string, unknown>>;

/** @throws BadInput */
export function readFaultOrder(body: unknown, vendors: readonly Vendor[]): FaultOrder {
  const members = membersOf(body, ['vendor', 'region', 'model', 'key', 'times', 'every', 'skip', 'name', 'args']);
  const vendor = optionalVendor(members, vendors);
  const name = text(members, 'name');
  if (name === undefined) throw new BadInput('name: missing');
  const asked = vendors.filter((one) => vendor === undefined || one.name === vendor);
  if (!COMMON_FAULTS.has(name) && !asked.some((one) => one.faultNames?.includes(name))) {
    const known = [...COMMON_FAULTS, ...asked.flatMap((one) => one.faultNames ?? [])].join(', ');
    throw new BadInput(`name: unknown fault "${name}"; known: ${known}`);
  }
  const counts: { times?: number; every?: number; skip?: number } = {};
  for (const [count, least] of [
    ['times', 1],
    ['every', 1],
    ['skip', 0],
  ] as const) {
    const value = members[count];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || Number(value) < least) throw new BadInput(`${count}: must be a whole number ≥ ${least}`);
    counts[count] = Number(value);
  }
  const region = text(members, 'region');
  const model = text(members, 'model');
  const key = text(members, 'key');
  return {
    name,
    args: readArgs(members['args']),
    ...(vendor === undefined ? {} : { vendor }),
    ...(region === undefined ? {} : { region }),
    ...(model === undefined ? {} : { model }),
    ...(key === undefined ? {} : { key }),
    ...counts,
  };
}

/** @throws BadInput */
export function readLimits(body: unknown, vendors: readonly Vendor[]): { vendor: VendorName; limits: Partial<Limits> } {
  const members = membersOf(body, ['vendor', 'rpm', 'tpm', 'burst', 'concurrency']);
  const limits: Record<string, number | null> = {};
  for (const name of ['rpm', 'tpm', 'burst', 'concurrency']) {
    const value = members[name];
    if (value === undefined) continue;
    if (value !== null && (!Number.isInteger(value) || Number(value) < 0))
      throw new BadInput(`${name}: must be a whole number ≥ 0, or null for no limit`);
    limits[name] = value as number | null;
  }
  return { vendor: neededVendor(members, vendors), limits };
}

/** @throws BadInput */
export function readProfile(body: unknown, vendors: readonly Vendor[]): { vendor: VendorName; strict: boolean } {
  const members = membersOf(body, ['vendor', 'strict']);
  const { strict } = members;
  if (typeof strict !== 'boolean') throw new BadInput('strict: must be true or false');
  return { vendor: neededVendor(members, vendors), strict };
}

/** Fault arguments as texts; numbers and booleans are taken as they print. */
function readArgs(value: unknown): Record<string, string> {
  const args: Record<string, string> = {};
  for (const [name, one] of Object.entries(value === undefined ? {} : record(value, 'args'))) {
    if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean')
      throw new BadInput(`args.${name}: must be a text, number or boolean`);
    args[name] = String(one);
  }
  return args;
}

function membersOf(body: unknown, allowed: readonly string[]): Members {
  const members = record(body, 'body');
  for (const name of Object.keys(members)) {
    if (!allowed.includes(name)) throw new BadInput(`${name}: unknown member; known: ${allowed.join(', ')}`);
  }
  return members;
}

function record(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadInput(`${what}: must be a JSON object`);
  return value as Members;
}

function text(members: Members, name: string): string | undefined {
  const value = members[name];
  if (value !== undefined && typeof value !== 'string') throw new BadInput(`${name}: must be a text`);
  return value;
}

function optionalVendor(members: Members, vendors: readonly Vendor[]): VendorName | undefined {
  const name = text(members, 'vendor');
  if (name === undefined) return undefined;
  const found = vendors.find((vendor) => vendor.name === name);
  if (found === undefined)
    throw new BadInput(`vendor: "${name}" is not served here; served: ${vendors.map((vendor) => vendor.name).join(', ')}`);
  return found.name;
}

function neededVendor(members: Members, vendors: readonly Vendor[]): VendorName {
  const vendor = optionalVendor(members, vendors);
  if (vendor === undefined) throw new BadInput('vendor: missing');
  return vendor;
}
