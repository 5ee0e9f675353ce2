import { USAGE } from './mock-answers.ts';

/** What came back for one request. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** A target that answered something else than it should: its figures would mean nothing. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

interface Wire {
  readonly id?: string;
  readonly created?: number;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly message?: { readonly content?: string | null };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly completion_tokens?: number; readonly prompt_tokens?: number } | null;
}

/** Bytes that differ from answer to answer: each range holds the same bytes as the first one of its kind in the same answer. */
interface Ranges {
  readonly length: number;
  readonly at: readonly number[];
}

/**
 * Checks every answer of one kind from one target. The first is read and compared with what the mock said: the whole text, one finish,
 * the usage, `[DONE]` last. Each later one must equal the first byte for byte, but for the answer's own id and time.
 */
export class AnswerCheck {
  readonly #kind: 'whole' | 'stream';
  readonly #content: string;
  #first: Buffer | null = null;
  #ranges: readonly Ranges[] = [];

  constructor(kind: 'whole' | 'stream', content: string) {
    this.#kind = kind;
    this.#content = content;
  }

  /** The first answer. @throws Error before there is one */
  get first(): Buffer {
    if (this.#first === null) throw new Error('no answer was checked yet');
    return this.#first;
  }

  /** @throws WrongAnswer */
  check({ status, contentType, body }: Answer): void {
    const type = this.#kind === 'whole' ? 'application/json' : 'text/event-stream';
    if (status !== 200 || !contentType.startsWith(type)) {
      throw new WrongAnswer(`status ${status}, ${contentType || 'no content type'}: ${body.toString('utf8', 0, 300)}`);
    }
    if (this.#first === null) this.#learn(body);
    else this.#compare(body, this.#first);
  }

  #learn(body: Buffer): void {
    const text = body.toString('utf8');
    const parts = this.#kind === 'whole' ? [parsed(text)] : parseStream(text);
    const content = parts.flatMap(({ choices }) => choices ?? []).map(({ delta, message }) => (delta ?? message)?.content ?? '');
    if (content.join('') !== this.#content) throw new WrongAnswer("the text is not the mock's");
    const finishes = parts.flatMap(({ choices }) => choices ?? []).filter(({ finish_reason: reason }) => typeof reason === 'string');
    if (finishes.length !== 1 || finishes[0]?.finish_reason !== 'stop') throw new WrongAnswer('not exactly one finish, stop');
    const usage = parts.findLast((part) => part.usage)?.usage;
    if (usage?.completion_tokens !== USAGE.completion || usage.prompt_tokens !== USAGE.prompt)
      throw new WrongAnswer("the usage is not the mock's");
    const { id = '', created = 0 } = parts[0] as Wire;
    this.#ranges = [ranges(body, '"id":"', id), ranges(body, '"created":', String(created))];
    this.#first = body;
  }

  #compare(body: Buffer, first: Buffer): void {
    if (body.length !== first.length) throw new WrongAnswer(`${body.length} bytes where the first answer had ${first.length}`);
    for (const { at, length } of this.#ranges) {
      const from = at[0];
      if (from === undefined) continue;
      for (const place of at) {
        if (body.compare(body, from, from + length, place, place + length) !== 0)
          throw new WrongAnswer('the id or time changes inside an answer');
      }
      for (const place of at) first.copy(body, place, place, place + length);
    }
    if (!body.equals(first)) throw new WrongAnswer('the bytes differ from the first answer');
  }
}

function ranges(body: Buffer, before: string, value: string): Ranges {
  const at: number[] = [];
  const needle = Buffer.from(before + value);
  for (let place = body.indexOf(needle); place >= 0; place = body.indexOf(needle, place + 1)) at.push(place + before.length);
  return { at, length: value.length };
}

/** A stream by the strict rules: nothing but `data: ` lines, each followed by one blank line, JSON in each, `[DONE]` last and once. */
export function parseStream(text: string): Wire[] {
  const events = text.split('\n\n');
  if (events.pop() !== '' || events.pop() !== 'data: [DONE]') throw new WrongAnswer('the stream does not end with [DONE]');
  return events.map((event) => {
    if (!event.startsWith('data: ') || event.includes('\n')) throw new WrongAnswer(`not an event: ${event.slice(0, 200)}`);
    return parsed(event.slice(6));
  });
}

function parsed(json: string): Wire {
  try {
    return JSON.parse(json) as Wire;
  } catch {
    throw new WrongAnswer(`not JSON: ${json.slice(0, 200)}`);
  }
}
