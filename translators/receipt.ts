import { OpenAIError } from '../openai/errors.ts';

/**
 * What became of a field. `kept` is never written down: a field of the request without a change was kept.
 * `defaulted` = the caller left it out and the relay sent a value; `refused` ends the request.
 */
export type Fate = 'kept' | 'renamed' | 'clamped' | 'defaulted' | 'emulated' | 'dropped' | 'refused';

export interface Change {
  /** Path in the caller's request, e.g. `temperature`, `messages[2].role`; the vendor's name for a defaulted field. */
  readonly field: string;
  readonly fate: Exclude<Fate, 'kept'>;
  /** One sentence for a person. */
  readonly reason: string;
  /** The vendor's field or the value sent, where that says more. Never prompt text. */
  readonly to?: string;
  /** True when the answer may differ from what the caller asked for: a `strict` key is refused instead. */
  readonly alters: boolean;
}

/** Longest `x-estafet-receipt`; beyond it the header ends in `+N more`. */
const MAX_HEADER = 900;

/** Longest field name kept, in UTF-16 code units: names of unknown fields are the caller's. */
const MAX_FIELD = 200;

/** The changes of one request on its way to one backend, in the order they were made. */
export class Receipt {
  readonly changes: Change[] = [];
  readonly #strict: boolean;

  constructor(strict: boolean) {
    this.#strict = strict;
  }

  /**
   * Notes a change.
   * @throws OpenAIError `unsupported_parameter` naming the field, when the key is strict and the answer would differ
   */
  note(field: string, fate: Exclude<Fate, 'kept' | 'refused'>, reason: string, options: { to?: string; alters?: boolean } = {}): void {
    const alters = options.alters ?? false;
    const name = short(field);
    if (alters && this.#strict) this.refuse(name, `Unsupported parameter: '${name}' would be ${fate} (${reason}), and this key is strict.`);
    this.changes.push(
      options.to === undefined ? { field: name, fate, reason, alters } : { field: name, fate, reason, to: options.to, alters },
    );
  }

  /** Ends the request: the field cannot be carried, and leaving it out would be a lie. Another backend may carry it. */
  refuse(field: string, message: string, kind: 'unsupported_parameter' | 'unsupported_value' = 'unsupported_parameter'): never {
    this.changes.push({ field, fate: 'refused', reason: message, alters: true });
    throw new OpenAIError(kind, message, { param: field, fallback: true });
  }

  /** `temperature=clamped;messages[0].role=renamed`, or `unchanged`. Safe as a header value. */
  header(): string {
    if (this.changes.length === 0) return 'unchanged';
    let text = '';
    for (const [index, { field, fate }] of this.changes.entries()) {
      const entry = `${text === '' ? '' : ';'}${headerSafe(field)}=${fate}`;
      if (text.length + entry.length > MAX_HEADER) return `${text};+${this.changes.length - index} more`;
      text += entry;
    }
    return text;
  }
}

const short = (field: string): string => (field.length > MAX_FIELD ? `${field.slice(0, MAX_FIELD).toWellFormed()}…` : field);

/** Field names may be the caller's: only visible ASCII without the list's own separators goes into a header. */
const headerSafe = (field: string): string => field.slice(0, 80).replace(/[^\x21-\x3a\x3c\x3e-\x7e]/g, '?');
