/** What one side may ask of the other: a name, one argument, an answer. All of it must survive JSON. */
export type Calls = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

type Argument<C extends Calls, Name extends keyof C> = Parameters<C[Name]>[0];
type Answer<C extends Calls, Name extends keyof C> = Awaited<ReturnType<C[Name]>>;

type Message =
  | { readonly estafet: 'call'; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly estafet: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly estafet: 'fault'; readonly id: number; readonly message: string };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Calls in both directions between the primary and one worker, over the pipe that Node gives them. */
export class Channel<Theirs extends Calls> {
  readonly #send: (message: Message) => void;
  readonly #mine: Calls;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #closed: string | null = null;

  /**
   * @param send may throw when the other side is gone
   * @param mine what the other side may ask
   */
  constructor(send: (message: Message) => void, mine: Calls) {
    this.#send = send;
    this.#mine = mine;
  }

  /** @throws Error with what went wrong there, or that no answer came in time, or that the other side has ended */
  call<Name extends keyof Theirs & string>(name: Name, argument: Argument<Theirs, Name>, timeoutMs: number): Promise<Answer<Theirs, Name>> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== null) return reject(new Error(this.#closed));
      const id = ++this.#lastId;
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject, timer });
      this.#say({ estafet: 'call', id, name, argument });
    });
  }

  /** What has come from the other side; messages that are none of ours are left alone. */
  receive(raw: unknown): void {
    if (typeof raw !== 'object' || raw === null || !('estafet' in raw)) return;
    const message = raw as Message;
    if (message.estafet === 'call') return void this.#answer(message);
    const waiting = this.#taken(message.id);
    if (message.estafet === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.message));
  }

  /** The other side is gone: whoever waits for it is told so. */
  close(why: string): void {
    this.#closed ??= why;
    for (const id of [...this.#waiting.keys()]) this.#taken(id)?.reject(new Error(why));
  }

  async #answer({ id, name, argument }: Extract<Message, { estafet: 'call' }>): Promise<void> {
    try {
      const asked = this.#mine[name] as ((argument: unknown) => Promise<unknown>) | undefined;
      if (asked === undefined) throw new Error(`there is no ${name} here`);
      this.#say({ estafet: 'answer', id, value: await asked(argument) });
    } catch (error) {
      this.#say({ estafet: 'fault', id, message: error instanceof Error ? error.message : String(error) });
    }
  }

  #say(message: Message): void {
    try {
      this.#send(message);
    } catch (error) {
      // Its end is told in a moment, by the system.
      this.#taken(message.id)?.reject(error as Error);
    }
  }

  #taken(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}
