import type { Backend } from '../config/config.ts';
import { sameSettings } from '../config/same-settings.ts';
import type { Redact } from '../relay/chat/redaction.ts';
import { BackendClient } from '../relay/upstream/backend-client.ts';
import { keysOf } from '../relay/upstream/backend-keys.ts';
import type { DeadlineWheel } from '../relay/upstream/deadlines.ts';
import { redactor } from '../relay/upstream/secrets.ts';

export type ClientsByName = ReadonlyMap<string, BackendClient>;

/** The connections to the backends of one configuration after the other. A backend that stays as it is keeps its own. */
export class BackendClients {
  readonly #wheel: DeadlineWheel;
  readonly #userAgent: string;
  readonly #ending = new Set<BackendClient>();
  #current: ClientsByName = new Map();
  #redact: Redact = (text) => text;

  constructor(wheel: DeadlineWheel, userAgent: string) {
    this.#wheel = wheel;
    this.#userAgent = userAgent;
  }

  /** What a configuration needs, without any effect on what is in force. @throws Error for a key that cannot be used */
  prepare(backends: readonly Backend[]): ClientsByName {
    return new Map(
      backends.map((backend) => {
        const known = this.#current.get(backend.name);
        const kept = known !== undefined && sameSettings(known.backend, backend);
        return [backend.name, kept ? known : new BackendClient(backend, this.#wheel, this.#userAgent)];
      }),
    );
  }

  /** The others end with their last call. */
  adopt(next: ClientsByName): void {
    const kept = new Set(next.values());
    for (const client of this.#current.values()) {
      if (kept.has(client)) continue;
      this.#ending.add(client);
      void client.retire().finally(() => this.#ending.delete(client));
    }
    this.#current = next;
    this.#redact = redactor(Array.from(kept, ({ backend }) => keysOf(backend).map((key) => key.reveal())).flat());
  }

  /** A text without the keys of any backend. */
  redact(text: string): string {
    return this.#redact(text);
  }

  /** No new requests come: closing hundreds of connections takes its time, and most of them need not be left to the end. */
  drain(): void {
    for (const client of this.#current.values()) client.drain();
  }

  async close(graceful: boolean): Promise<void> {
    const all = [...this.#current.values(), ...this.#ending];
    await Promise.all(all.map((client) => (graceful ? client.close() : client.destroy())));
  }
}
