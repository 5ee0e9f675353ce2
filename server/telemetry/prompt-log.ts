import type { Redact } from '../../relay/chat/redaction.ts';
import type { Said } from '../../relay/chat/transcript.ts';

/** Kept of a prompt, in UTF-16 code units of its texts. */
export const MOST_PROMPT = 16 * 1024;
/** Messages, parts and fields that are kept: texts may be empty. */
const MOST_NODES = 4096;
/** What a caller asks with, by surface; the rest of a request are settings. */
const PROMPT_FIELDS = ['messages', 'prompt', 'input', 'query', 'documents'] as const;
/** Fields that hold media, or where they lie: an address may be signed. */
const MEDIA_FIELDS: ReadonlySet<string> = new Set(['url', 'data', 'file_data']);

/**
 * Prompt and answer of a request as fields of its log line, for teams with `logPrompts` alone: bounded, with what was cut told in characters,
 * without the keys of any backend; images, audio and files as sizes.
 * @param said null: nothing was answered, or the answer has no text
 * @returns JSON, to stand behind other fields: `,"prompt":…`
 */
export function promptFields(request: Readonly<Record<string, unknown>>, said: Said | null, redact: Redact): string {
  const view = new View(redact);
  const asked = PROMPT_FIELDS.filter((field) => request[field] !== undefined);
  const prompt = Object.fromEntries(asked.map((field) => [field, view.of(request[field], field)]));
  const answer = said === null ? '' : `,"answer":${JSON.stringify(answerOf(said, redact))}`;
  return `,"prompt":${JSON.stringify({ ...prompt, cutChars: view.cutChars })}${answer}`;
}

function answerOf({ choices, cutChars }: Said, redact: Redact): object {
  const clean = (text: string): string => redact(cutChars > 0 ? `${text}…` : text);
  return {
    choices: choices.map(({ content, reasoning, calls }) => ({
      content: clean(content),
      ...(reasoning === '' ? {} : { reasoning: clean(reasoning) }),
      ...(calls.length === 0 ? {} : { calls: calls.map((call) => ({ name: clean(call.name), arguments: clean(call.arguments) })) }),
    })),
    cutChars,
  };
}

/** A bounded copy of what was asked. */
class View {
  readonly #redact: Redact;
  #left = MOST_PROMPT;
  #nodes = MOST_NODES;
  cutChars = 0;

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  of(value: unknown, field: string): unknown {
    if (typeof value === 'string') return this.#text(value, field);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      // Tokens are no text: how many there are says more.
      if (value.length > 0 && value.every((entry) => typeof entry === 'number')) return `[${value.length} tokens]`;
      return value.flatMap((entry) => this.#member(entry, field, (seen) => [seen]));
    }
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) => this.#member(inner, name, (seen) => [[name, seen] as const])),
    );
  }

  #member<T>(value: unknown, field: string, made: (seen: unknown) => T[]): T[] {
    this.#nodes--;
    const seen = this.of(value, field);
    // What is left out is still walked, so that its length is told.
    return this.#nodes < 0 ? [] : made(seen);
  }

  #text(text: string, field: string): string {
    if (MEDIA_FIELDS.has(field) || text.startsWith('data:')) return `[${text.length} characters]`;
    const room = this.#nodes < 0 ? 0 : this.#left;
    const kept = text.length <= room ? text : text.slice(0, room);
    this.#left -= kept.length;
    this.cutChars += text.length - kept.length;
    // Where a text was cut in the middle of a secret, the beginning of it goes too.
    return this.#redact(kept === text ? text : `${kept}…`);
  }
}
