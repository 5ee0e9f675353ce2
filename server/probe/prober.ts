import type { Backend, Config } from '../../config/config.ts';
import type { Usage } from '../../openai/chat/events.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { requestId } from '../../openai/ids.ts';
import { costOf } from '../../relay/ledger/cost.ts';
import type { PriceList } from '../../relay/ledger/price-list.ts';
import type { BackendGate } from '../../relay/quota/backend-gate.ts';
import type { RequestRecord } from '../../relay/records/request-record.ts';
import type { BackendHealth } from '../../relay/routing/backend-health.ts';
import type { BreakerPlace } from '../../relay/routing/breaker-place.ts';
import type { BackendClient } from '../../relay/upstream/backend-client.ts';
import { keysOf } from '../../relay/upstream/backend-keys.ts';
import type { DeadlineWheel } from '../../relay/upstream/deadlines.ts';
import type { ProbeQuestion } from './probe-question.ts';
import { probeRecord } from './probe-record.ts';
import { type Answer, ask } from './question.ts';
import { questionClient } from './question-client.ts';

/** What one configuration says of probes. */
export interface ProbeSettings {
  readonly config: Pick<Config, 'backends'>;
  readonly priceOf: PriceList['price'];
  /** The cheapest question about a place; null: there is none, and callers find out. */
  readonly probeQuestion: (backend: Backend, place: BreakerPlace) => ProbeQuestion | null;
}

export interface ProberOptions {
  /** The configuration in force: a probe goes to none but its backends. */
  readonly current: () => ProbeSettings;
  readonly health: Pick<BackendHealth, 'due' | 'probe'>;
  /** The limits of the vendor's account count probes as they count calls. */
  readonly gate: Pick<BackendGate, 'within' | 'limitsOf'>;
  readonly wheel: DeadlineWheel;
  /** Told of each probe that was sent, after its answer. */
  readonly onProbed: (record: RequestRecord) => void;
  readonly onFault: (fault: unknown, id: string) => void;
}

const LOOK_MS = 1_000;
/** `Hi` in the words of any vendor, and the token that it is answered with: what the account's own limits reserve. */
const EXPECTED = { prompt: 16, completion: 1 } as const;

/**
 * Asks backends that were left out whether they work again, with the cheapest question there is, as soon as it is time: no caller has to be
 * the one who tries. Only of backends that have a `probe`, and only while something stands against them: nothing is sent to a healthy one.
 */
export class Prober {
  readonly #options: ProberOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #clients = new Set<BackendClient>();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await Promise.all(Array.from(this.#clients, (client) => client.destroy()));
    await this.settled();
  }

  /** Begins what is due: one probe at a time of each backend. */
  look(): void {
    for (const backend of Object.values(this.#options.current().config.backends)) {
      if (this.#stopped || this.#running.has(backend.name)) continue;
      const places = this.#options.health.due(backend);
      if (places.length === 0) continue;
      const running = this.#all(backend, places).finally(() => this.#running.delete(backend.name));
      this.#running.set(backend.name, running);
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #all(backend: Backend, places: readonly BreakerPlace[]): Promise<void> {
    for (const place of places) {
      const id = requestId();
      try {
        await this.#probe(id, backend, place);
      } catch (fault) {
        this.#options.onFault(fault, id);
      }
    }
  }

  async #probe(id: string, backend: Backend, place: BreakerPlace): Promise<void> {
    const { health, onProbed, current } = this.#options;
    const { probeQuestion, priceOf } = current();
    const question = probeQuestion(backend, place);
    if (question === null || this.#stopped) return;
    const model = question.model.id;
    const pass = await health.probe(backend, place, model);
    if (pass === null) return;
    const atMs = Date.now();
    try {
      const answer = await this.#send(id, backend, pass.key, question);
      if (answer === null) return;
      const { error, usage } = answer;
      // What our own shutdown has cut says nothing, and neither do our own limits.
      if (error !== null && (this.#stopped || isOwn(error))) return;
      if (error === null) pass.answered();
      else pass.failed(error);
      const price = priceOf(backend, model);
      const cost = usage === null || price === null ? null : costOf(price, [usage]);
      onProbed(probeRecord({ id, atMs, endedAtMs: Date.now(), backend, model, error, usage, cost }));
    } finally {
      pass.unused();
    }
  }

  /**
   * Within the limits of the account; failures are values.
   * @returns null: there was a reload since the look, the limits have held the probe until then, or others came before it, and the backend is
   * gone or elsewhere. What still is due is found by the next look.
   */
  async #send(id: string, backend: Backend, key: number, question: ProbeQuestion): Promise<Pick<Answer, 'error' | 'usage'> | null> {
    const { gate, wheel, current } = this.#options;
    const isInForce = (): boolean => current().config.backends[backend.name] === backend;
    if (!isInForce()) return null;
    const told: Usage[] = [];
    const asked = { id, backend, model: question.model.id, calls: 1, atOnce: 1, expected: () => EXPECTED };
    const send = async () => {
      if (!isInForce()) return UNSENT;
      const client = questionClient(backend, keysOf(backend)[key] ?? null, wheel);
      this.#clients.add(client);
      try {
        const { error, usage } = await ask(client, question);
        if (error === null) return { error, usage: usage ?? UNCOUNTED, paid: [usage ?? UNCOUNTED], firstByteAtMs: null, gone: false };
        if (usage !== null) told.push(usage);
        throw error;
      } finally {
        this.#clients.delete(client);
        await client.destroy();
      }
    };
    try {
      const result = await gate.within(gate.limitsOf(backend), asked, told, send);
      return result === UNSENT ? null : result;
    } catch (thrown) {
      if (!(thrown instanceof OpenAIError)) throw thrown;
      return { error: thrown, usage: told[0] ?? null };
    }
  }
}

/** Nothing was sent: the limits of the account, or their store, were in the way. */
const isOwn = ({ kind }: OpenAIError): boolean => kind.startsWith('backend_limit_') || kind === 'quota_unavailable';

/** Nothing was asked, and nothing is counted. */
const UNSENT = { error: null, usage: { prompt: 0, completion: 0, cached: 0, reasoning: 0 }, paid: [], firstByteAtMs: null, gone: true };

/** What a vendor that counts nothing is taken to have used. */
const UNCOUNTED: Usage = { ...EXPECTED, cached: 0, reasoning: 0, estimated: true };
