import { type Catalog, loadCatalog } from '../catalog/catalog.ts';
import type { Backend, Config } from '../config/config.ts';
import type { Secret } from '../config/secret.ts';
import type { ErrorName, OpenAIError } from '../openai/errors.ts';
import { PriceList } from '../relay/ledger/price-list.ts';
import type { BackendClient } from '../relay/upstream/backend-client.ts';
import { keysOf } from '../relay/upstream/backend-keys.ts';
import { DeadlineWheel } from '../relay/upstream/deadlines.ts';
import { ask, listQuestion, modelQuestion, type Question, wordsOf } from '../server/probe/question.ts';
import { questionClient } from '../server/probe/question-client.ts';
import type { VendorFacts } from '../translators/vendor-facts.ts';

export type Verdict =
  | 'works'
  | 'key-refused'
  | 'no-money'
  | 'model-not-opened'
  | 'wrong-region'
  | 'not-reached'
  /** The key is good; a limit, or the vendor's own overload, stands in the way just now. */
  | 'busy'
  | 'failed'
  /** The vendor has no list of models, and the file sends no model there that can be asked. */
  | 'not-asked';

const VERDICTS: Readonly<Partial<Record<ErrorName, Verdict>>> = {
  upstream_auth: 'key-refused',
  upstream_out_of_credit: 'no-money',
  upstream_model_unavailable: 'model-not-opened',
  upstream_unreachable: 'not-reached',
  upstream_timeout: 'not-reached',
  upstream_truncated: 'not-reached',
  upstream_rate_limit_requests: 'busy',
  upstream_rate_limit_tokens: 'busy',
  upstream_overloaded: 'busy',
};

/** What one key of a backend was answered. No key stands in it. */
export interface KeyResult {
  /** Place in the configuration, from 1; null: the backend has no key. */
  readonly key: number | null;
  readonly verdict: Verdict;
  /** What was asked last, in words; null: nothing. */
  readonly asked: string | null;
  readonly mayCost: boolean;
  /** What stood in the way, in the vendor's words where it spoke. */
  readonly message?: string;
  /** The vendor's other regions, where they were asked. */
  readonly elsewhere?: readonly RegionResult[];
  /** Other regions would have been asked, had the backend not an address of its own. */
  readonly ownAddress?: true;
}

export interface RegionResult {
  readonly region: string;
  readonly verdict: Verdict;
  readonly plan: boolean;
}

export interface BackendResult {
  readonly backend: string;
  readonly vendor: string;
  readonly region: string;
  readonly keys: readonly KeyResult[];
}

export interface LiveChoice {
  /** Names of backends; absent: all. */
  readonly backends?: readonly string[];
  /** Ask a model even where a list of models can be had. */
  readonly chat?: boolean;
}

type VendorTable = Readonly<Record<string, VendorFacts>>;

/**
 * Asks every backend one cheap thing with each of its keys, all at once.
 * @param vendors gives the addresses of the vendors' other regions: the only ones, beside the backend's own, that a key is sent to
 */
export async function liveCheck(
  config: Config,
  vendors: VendorTable,
  { backends, chat = false }: LiveChoice = {},
): Promise<BackendResult[]> {
  const chosen = Object.values(config.backends).filter(({ name }) => backends?.includes(name) ?? true);
  const wheel = new DeadlineWheel();
  wheel.start();
  try {
    const check = new LiveCheck(config, vendors, wheel, chat);
    return await Promise.all(chosen.map((backend) => check.backend(backend)));
  } finally {
    wheel.stop();
  }
}

class LiveCheck {
  readonly #config: Config;
  readonly #vendors: VendorTable;
  readonly #wheel: DeadlineWheel;
  readonly #chat: boolean;
  readonly #catalog: Catalog;
  readonly #prices: PriceList;

  constructor(config: Config, vendors: VendorTable, wheel: DeadlineWheel, chat: boolean) {
    this.#config = config;
    this.#vendors = vendors;
    this.#wheel = wheel;
    this.#chat = chat;
    this.#catalog = loadCatalog().with(config.catalog);
    this.#prices = new PriceList(this.#catalog, new Date().toISOString().slice(0, 10));
  }

  async backend(backend: Backend): Promise<BackendResult> {
    const secrets = keysOf(backend);
    const keys = await Promise.all(
      secrets.length === 0 ? [this.#key(backend, null, null)] : secrets.map((secret, index) => this.#key(backend, secret, index + 1)),
    );
    return { backend: backend.name, vendor: backend.vendor, region: backend.region, keys };
  }

  async #key(backend: Backend, secret: Secret | null, key: number | null): Promise<KeyResult> {
    // Chosen once: elsewhere other prices hold, and the question must stay the same.
    const model = modelQuestion(this.#config, this.#catalog, this.#prices, backend, Date.now());
    const home = { key, ...(await this.#ask(backend, secret, model)) };
    const facts = this.#factsOf(backend);
    const astray = home.verdict === 'key-refused' || (home.verdict === 'no-money' && facts.planKeysLookEmpty === true);
    if (!astray || secret === null) return home;
    const addresses = addressesOf(facts, backend.protocol);
    if (addresses[backend.region] !== backend.baseUrl) return { ...home, ownAddress: true };
    const elsewhere = await Promise.all(
      Object.entries(addresses)
        .filter(([region]) => region !== backend.region)
        .map(async ([region, baseUrl]): Promise<RegionResult> => {
          const { verdict } = await this.#ask({ ...backend, region, baseUrl }, secret, model);
          return { region, verdict, plan: facts.plans?.includes(region) ?? false };
        }),
    );
    const found = elsewhere.some(({ verdict }) => verdict === 'works' || (home.verdict === 'key-refused' && isKnown(verdict)));
    return { ...home, verdict: found ? 'wrong-region' : home.verdict, elsewhere };
  }

  /** The list of models where there is one, else a model: also where a list that was documented is not there. */
  async #ask(backend: Backend, secret: Secret | null, model: Question | null): Promise<Omit<KeyResult, 'key'>> {
    const list = listQuestion(backend, this.#factsOf(backend));
    const [first, second] = this.#chat ? [model ?? list, null] : [list ?? model, list === null ? null : model];
    if (first === null) return { verdict: 'not-asked', asked: null, mayCost: false };
    const result = await this.#put(first, backend, secret);
    return result.missing && second !== null ? told(await this.#put(second, backend, secret)) : told(result);
  }

  async #put(question: Question, backend: Backend, secret: Secret | null): Promise<Omit<KeyResult, 'key'> & { readonly missing: boolean }> {
    const about = { asked: wordsOf(question), mayCost: question.kind !== 'list' };
    let client: BackendClient;
    try {
      client = questionClient(backend, secret, this.#wheel);
    } catch (error) {
      return { verdict: 'failed', ...about, asked: null, mayCost: false, message: (error as Error).message, missing: false };
    }
    try {
      const { error, missing } = await ask(client, question);
      return { verdict: verdictOf(error), ...about, ...(error === null ? {} : { message: wordsOfFailure(error) }), missing };
    } finally {
      await client.destroy();
    }
  }

  #factsOf({ vendor }: Backend): VendorFacts {
    const facts = this.#vendors[vendor];
    if (facts === undefined) throw new Error(`nothing is known of the vendor ${vendor}`);
    return facts;
  }
}

const addressesOf = ({ baseUrls, protocolUrls }: VendorFacts, protocol: string): Readonly<Record<string, string>> =>
  protocol === 'compatible' ? baseUrls : (protocolUrls?.[protocol] ?? {});

const verdictOf = (error: OpenAIError | null): Verdict => (error === null ? 'works' : (VERDICTS[error.kind] ?? 'failed'));

/** Longest text of a vendor that is shown, in UTF-16 code units. */
const MAX_WORDS = 300;

/** The vendor's own words, which say more to an admin than those for callers; both are without keys. */
function wordsOfFailure({ message, details: { cause, upstreamCode } }: OpenAIError): string {
  if (typeof cause !== 'string') return upstreamCode === undefined ? message : `${message} (${upstreamCode})`;
  return `the vendor said: ${cause.length > MAX_WORDS ? `${cause.slice(0, MAX_WORDS)}…` : cause}`;
}

/** Refusals that only a key gets which the region knows. */
export const isKnown = (verdict: Verdict): boolean => verdict === 'no-money' || verdict === 'model-not-opened' || verdict === 'busy';

const told = ({ missing: _, ...result }: Omit<KeyResult, 'key'> & { readonly missing: boolean }): Omit<KeyResult, 'key'> => result;
