/**
 * What the configuration must know of the vendors. The caller supplies it (from the registry of translators), so that
 * a new vendor does not edit this folder: no vendor name is written here.
 */
export interface VendorFacts {
  /** Region of a backend that names none. */
  readonly defaultRegion: string;
  readonly regions: readonly string[];
  /** Region → base URL of `compatible` as the vendor's SDK takes it. A region without one needs `baseUrl` in the backend. */
  readonly baseUrls: Readonly<Record<string, string>>;
  /** Protocols besides `compatible`, which always means the vendor's default dialect. */
  readonly protocols: readonly string[];
  /** Addresses of interfaces that the vendor has switched off: a backend may not have one. */
  readonly formerUrls?: RegExp;
  /** Protocol → region → base URL, of the protocols besides `compatible`. */
  readonly protocolUrls?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Addresses of one workspace of an account; absent: the vendor has none. */
  readonly workspaces?: {
    /** Regions that have them. */
    readonly regions: readonly string[];
    /** What stands behind the workspace's name in the host, with `{region}`. */
    readonly hostSuffix: string;
    /** Protocol → path of its base URL. */
    readonly paths: Readonly<Record<string, string>>;
  };
  /** Keys a backend of this vendor must have. */
  readonly requires: readonly 'apiKey'[];
  /** Vendor-specific keys that are understood: elsewhere they are errors. Absent: none. */
  readonly options?: readonly VendorOption[];
}

/** `appId`: the key `appId` is sent · `jwt`: `auth: jwt` is possible · `accessKey`: the vendor has key pairs (refused so far). */
export type VendorOption = 'appId' | 'jwt' | 'accessKey';

/** Vendor name → facts. */
export type Vendors = Readonly<Record<string, VendorFacts>>;

/** Every region any vendor has, once. */
export function knownRegions(vendors: Vendors): string[] {
  return [...new Set(Object.values(vendors).flatMap((vendor) => vendor.regions))];
}
