import type { Citation } from './events.ts';

/** OpenAI's `url_citation`; indices count characters (code points) of the message's content, the end not included. */
export interface UrlCitation {
  readonly type: 'url_citation';
  readonly url_citation: { readonly start_index: number; readonly end_index: number; readonly url: string; readonly title: string };
}

interface Mark {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Longest mark in UTF-16 code units, brackets included. */
const MAX_MARK = 16;
/** Most marks kept of one text. */
const MAX_MARKS = 1024;
const BRACKET = 0x5b;
/** Of a surrogate pair. */
const SECOND_HALF = /[\udc00-\udfff]/;

/**
 * Finds where a text cites which page. A page has an annotation for each of its marks; one whose mark is nowhere in the text has an
 * annotation of no length at the end, so that a client which puts a link in the place of a citation takes nothing away.
 *
 * Texts come piece by piece, and the pages before or after them: every short word in square brackets is remembered until the pages are known.
 */
export class Annotations {
  readonly #marks: Mark[] = [];
  #pages: readonly Citation[] = [];
  /** Code points so far. */
  #length = 0;
  /** A bracket that is not closed yet, with what stands in it; '' = none. */
  #open = '';
  #openAt = 0;

  cite(pages: readonly Citation[]): void {
    this.#pages = pages;
  }

  /** @param text the next piece of what the caller sees */
  read(text: string): void {
    // Nearly every piece.
    if (this.#open === '' && !text.includes('[') && !SECOND_HALF.test(text)) {
      this.#length += text.length;
      return;
    }
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === BRACKET) {
        this.#open = '[';
        this.#openAt = this.#length;
      } else if (this.#open !== '') this.#bracketed(text.charAt(at));
      // The second half of a pair, which may come in a piece of its own, is no character.
      if (unit < 0xdc00 || unit > 0xdfff) this.#length++;
    }
  }

  list(): UrlCitation[] {
    return this.#pages.flatMap((page) => {
      const marks = page.mark === null ? [] : this.#marks.filter(({ text }) => text === page.mark);
      return (marks.length > 0 ? marks : [{ start: this.#length, end: this.#length }]).map(({ start, end }) =>
        annotation(page, start, end),
      );
    });
  }

  #bracketed(unit: string): void {
    this.#open += unit;
    const closed = unit === ']';
    if (closed && this.#marks.length < MAX_MARKS) this.#marks.push({ text: this.#open, start: this.#openAt, end: this.#length + 1 });
    if (closed || this.#open.length >= MAX_MARK) this.#open = '';
  }
}

const annotation = ({ url, title }: Citation, start: number, end: number): UrlCitation => ({
  type: 'url_citation',
  url_citation: { start_index: start, end_index: end, url: url.toWellFormed(), title: (title || url).toWellFormed() },
});
