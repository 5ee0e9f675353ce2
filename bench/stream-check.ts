import { parseStream, WrongAnswer } from './answer-check.ts';

/** One event as every stream brings it, and where the answer's own id and time stand in it; -1: not at all. */
interface Expected {
  readonly text: string;
  readonly idAt: number;
  readonly createdAt: number;
}

/** What a stream must bring, learned from one that was read whole. */
export class StreamPattern {
  readonly events: readonly Expected[];
  readonly idLength: number;
  readonly createdLength: number;

  /**
   * @param text the whole body of a stream
   * @param content what the mock said
   * @throws WrongAnswer
   */
  constructor(text: string, content: string) {
    const chunks = parseStream(text);
    const said = chunks.flatMap(({ choices }) => choices ?? []).map(({ delta }) => delta?.content ?? '');
    if (said.join('') !== content) throw new WrongAnswer("the text is not the mock's");
    const { id = '', created = 0 } = chunks[0] ?? {};
    this.idLength = id.length;
    this.createdLength = String(created).length;
    const at = (event: string, before: string, value: string): number => {
      const place = event.indexOf(before + value);
      return place < 0 ? -1 : place + before.length;
    };
    this.events = text
      .split(/(?<=\n\n)/)
      .map((event) => ({ text: event, idAt: at(event, '"id":"', id), createdAt: at(event, '"created":', String(created)) }));
  }
}

/** `: keep-alive` and the like: sent into silence, no part of the answer. */
const COMMENT = ':';

/** Checks one stream byte for byte while it comes, and keeps no more of it than the event that has begun. */
export class StreamCheck {
  readonly #pattern: StreamPattern;
  #seen = 0;
  #rest = '';
  #id: string | null = null;
  #created: string | null = null;
  /** Comments so far. */
  comments = 0;

  constructor(pattern: StreamPattern) {
    this.#pattern = pattern;
  }

  /** Events so far. */
  get seen(): number {
    return this.#seen;
  }

  /** All of it has come, and nothing of another event. */
  get whole(): boolean {
    return this.#seen === this.#pattern.events.length && this.#rest === '';
  }

  /** @throws WrongAnswer at the first byte that is not as it should be */
  take(part: Buffer): void {
    // Each byte a character of its own: no character is split, and every byte counts.
    this.#rest += part.toString('latin1');
    for (let end = this.#rest.indexOf('\n\n'); end >= 0; end = this.#rest.indexOf('\n\n')) {
      const event = this.#rest.slice(0, end + 2);
      this.#rest = this.#rest.slice(end + 2);
      if (event.startsWith(COMMENT)) this.comments++;
      else this.#event(event);
    }
  }

  #event(event: string): void {
    const expected = this.#pattern.events[this.#seen];
    if (expected === undefined) throw new WrongAnswer(`more than the ${this.#seen} events of a whole stream`);
    const { idLength, createdLength } = this.#pattern;
    const { text, idAt, createdAt } = expected;
    if (idAt >= 0) this.#id ??= event.slice(idAt, idAt + idLength);
    if (createdAt >= 0) this.#created ??= event.slice(createdAt, createdAt + createdLength);
    const own = replaced(replaced(text, idAt, this.#id ?? ''), createdAt, this.#created ?? '');
    if (event !== own) throw new WrongAnswer(`event ${this.#seen + 1} is not as it should be: ${event.slice(0, 300)}`);
    this.#seen++;
  }
}

const replaced = (text: string, at: number, value: string): string =>
  at < 0 ? text : text.slice(0, at) + value + text.slice(at + value.length);
