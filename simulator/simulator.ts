import type { Server } from 'node:http';
import { adminServer } from './kernel/admin.ts';
import { readFaultOrder } from './kernel/admin-input.ts';
import type { FaultOrder } from './kernel/fault-book.ts';
import { close, listen, vendorServer } from './kernel/http.ts';
import type { JournalEntry } from './kernel/journal.ts';
import { createState } from './kernel/state.ts';
import { type Limits, NO_LIMITS, type UsageRow } from './kernel/traffic.ts';
import type { Vendor, VendorKey, VendorName } from './kernel/types.ts';
import { VENDORS } from './registry.ts';

export interface SimulatorOptions {
  /** Names from the registry, or vendors themselves; all of the registry when left out. */
  readonly vendors?: readonly (VendorName | Vendor)[];
  readonly host?: string;
  /** Port of the first vendor; the next ones and the admin API follow. 0 = any free ports. */
  readonly port?: number;
  /** Journal length, 1,000 unless told. */
  readonly journalLimit?: number;
  /** Clock in milliseconds since the epoch, for rate windows, `created` and the journal. */
  readonly now?: () => number;
}

/** Where a simulated vendor listens, and a key it takes. */
interface VendorAddress {
  readonly url: string;
  readonly baseUrl: string;
  readonly key: string;
  readonly regions: readonly string[];
  /** Base URL of each region. */
  readonly regionUrls: Readonly<Record<string, string>>;
  /** Base URL of each other protocol, in the default region. */
  readonly protocolUrls?: Readonly<Record<string, string>>;
  readonly keys?: readonly VendorKey[];
}

export interface Simulator {
  readonly admin: string;
  readonly vendors: Readonly<Partial<Record<VendorName, VendorAddress>>>;
  journal(): readonly JournalEntry[];
  usage(): readonly UsageRow[];
  reset(): void;
  /** Sets a fault as `POST /faults` does and gives its id. @throws BadInput on an unknown name */
  setFault(order: FaultOrder): string;
  clearFaults(): void;
  setLimits(vendor: VendorName, limits: Partial<Limits>): void;
  setStrict(vendor: VendorName, strict: boolean): void;
  close(): Promise<void>;
}

/** Starts the vendors and the admin API. When one port is taken, everything started so far is closed again. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const vendors = chosen(options.vendors ?? VENDORS);
  const host = options.host ?? '127.0.0.1';
  const state = createState(options);
  const servers: Server[] = [];
  const start = async (server: Server): Promise<string> => {
    const port = await listen(server, host, options.port ? options.port + servers.length : 0);
    servers.push(server);
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(close));
  };
  const addresses: Partial<Record<VendorName, VendorAddress>> = {};
  let admin: string;
  try {
    for (const vendor of vendors) addresses[vendor.name] = addressOf(vendor, await start(vendorServer(vendor, state)));
    admin = await start(adminServer(vendors, state));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    admin,
    vendors: addresses,
    journal: () => state.journal.list(),
    usage: () => state.traffic.usage(),
    reset: () => state.reset(),
    setFault: (order) => state.faults.add(readFaultOrder(order, vendors)),
    clearFaults: () => state.faults.clear(),
    setLimits: (vendor, limits) => void state.limits.set(vendor, { ...(state.limits.get(vendor) ?? NO_LIMITS), ...limits }),
    setStrict: (vendor, strict) => void (strict ? state.strict.add(vendor) : state.strict.delete(vendor)),
    close: stop,
  };
}

function addressOf(vendor: Vendor, url: string): VendorAddress {
  const regionUrls = Object.fromEntries(vendor.regions.map((region) => [region, `${url}/~${region}${vendor.basePath}`]));
  const protocolUrls = Object.fromEntries(Object.entries(vendor.protocolPaths ?? {}).map(([name, path]) => [name, `${url}${path}`]));
  return {
    url,
    baseUrl: `${url}${vendor.basePath}`,
    key: vendor.goodKey,
    regions: vendor.regions,
    regionUrls,
    ...(vendor.protocolPaths === undefined ? {} : { protocolUrls }),
    ...(vendor.keys === undefined ? {} : { keys: vendor.keys }),
  };
}

function chosen(wanted: readonly (VendorName | Vendor)[]): readonly Vendor[] {
  return wanted.map((one) => {
    if (typeof one !== 'string') return one;
    const found = VENDORS.find((vendor) => vendor.name === one);
    if (found === undefined) throw new RangeError(`unknown vendor "${one}"; known: ${VENDORS.map((vendor) => vendor.name).join(', ')}`);
    return found;
  });
}
