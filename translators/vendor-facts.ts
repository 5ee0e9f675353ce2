/**
 * Where a vendor is reached. What the configuration knows of it is in its own type (config/vendors.ts), so that neither folder knows the
 * other; a test fails when the two are not the same.
 */
export interface VendorFacts {
  /** Region of a backend that names none. */
  readonly defaultRegion: string;
  readonly regions: readonly string[];
  /** Region → base URL as the vendor's own SDK takes it, of the protocol `compatible`. */
  readonly baseUrls: Readonly<Record<string, string>>;
  readonly protocols: readonly string[];
  /** How traces call it: `gen_ai.provider.name`. OpenTelemetry's conventions list no name for these vendors; the form is theirs. Absent: the vendor's name. */
  readonly traceName?: string;
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
  /** Protocol → path under the base URL that lists the models, asked for nothing and with a key only. Absent: the vendor documents none. */
  readonly modelLists?: Readonly<Record<string, string>>;
  /** Regions that are subscriptions for coding tools. They list no models. */
  readonly plans?: readonly string[];
  /** A plan's key at another address is answered like an account without money, not like a wrong key. */
  readonly planKeysLookEmpty?: true;
  readonly requires: readonly 'apiKey'[];
  /** Options of a backend that only some vendors have. */
  readonly options?: readonly ('appId' | 'jwt' | 'accessKey')[];
  /** Characters in a token by class, as the vendor documents it; where a class is undocumented, so few that no text has more tokens. */
  readonly charsPerToken?: { readonly letter: number; readonly digit: number; readonly other: number };
}
