/** Pieces shorter than this V8 copies; a slice of a longer one would keep the whole network read alive for as long as it is kept. */
const COPIED_BELOW = 13;
/** Shapes that are learned in any case; more only as they prove to be worth it. */
const FIRST_LESSONS = 4;
/** So many frames read by a shape pay for learning another. */
const FRAMES_A_LESSON = 32;
/**
 * Longer frames are parsed as they are, in UTF-16 code units: a shape keeps a frame for as long as its stream runs, and what a comparison of
 * frames may cost depends on their size and depth.
 */
const LONGEST = 4096;
/** Places in a frame that look like its text and are not; beyond so many it is no frame to learn from. */
const MOST_PLACES = 4;

/** Frames that differ in one text only. */
interface Shape {
  /** Of the JSON, up to the text and its opening quote. */
  readonly before: string;
  /** From the closing quote on. */
  readonly after: string;
  /** The frame, parsed. */
  readonly frame: unknown;
  /** In it. */
  readonly delta: Record<string, unknown>;
  readonly field: TextField;
}

type TextField = 'content' | 'reasoning_content';

/**
 * `JSON.parse` for the frames of one stream, most of which are the one before with another text. Once a frame is known to stand for a shape
 * (parsed with another text in its place, nothing but that text changes), a frame that begins and ends as it does is that frame with the
 * string between: nothing else has to be read.
 *
 * The answer is valid until the next call: frames of one shape share one object.
 */
export class FrameParser {
  #shape: Shape | null = null;
  #lessons = FIRST_LESSONS;
  #read = 0;

  /** @throws SyntaxError as JSON.parse does */
  parse(json: string): unknown {
    if (json.length > LONGEST) return JSON.parse(json);
    const shape = this.#shape;
    if (shape !== null) {
      const text = textIn(json, shape);
      if (text !== null) {
        shape.delta[shape.field] = text;
        if (++this.#read % FRAMES_A_LESSON === 0) this.#lessons++;
        return shape.frame;
      }
    }
    const frame: unknown = JSON.parse(json);
    const place = this.#lessons > 0 ? textPlace(frame) : null;
    if (place !== null) {
      this.#lessons--;
      this.#shape = shapeOf(json, place) ?? shape;
    }
    return frame;
  }
}

/** The text of a frame of that shape; null: it has another one. */
function textIn(json: string, { before, after }: Shape): string | null {
  const length = json.length - before.length - after.length;
  // Compared as wholes: `startsWith` goes from character to character.
  if (length < 0 || json.slice(before.length + length) !== after || json.slice(0, before.length) !== before) return null;
  const body = json.slice(before.length, before.length + length);
  if (length < COPIED_BELOW && isPlain(body)) return body;
  try {
    return JSON.parse(`"${body}"`) as string;
  } catch {
    return null;
  }
}

/** As JSON has it: without quotes, escapes and control characters. */
function isPlain(body: string): boolean {
  for (let index = 0; index < body.length; index++) {
    const code = body.charCodeAt(index);
    if (code < 0x20 || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}

/** The one text that a frame carries, as most frames do; null: it carries none, or more. */
function textPlace(frame: unknown): Pick<Shape, 'delta' | 'field'> | null {
  const choices = (frame as { readonly choices?: unknown } | null)?.choices;
  if (!Array.isArray(choices) || choices.length !== 1) return null;
  const delta = (choices[0] as { readonly delta?: unknown } | null)?.delta as Record<string, unknown> | null | undefined;
  if (delta === null || typeof delta !== 'object') return null;
  const { content, reasoning_content: reasoning } = delta;
  const [hasContent, hasReasoning] = [isText(content), isText(reasoning)];
  if (hasContent === hasReasoning) return null;
  return { delta, field: hasContent ? 'content' : 'reasoning_content' };
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Found where it looks like it, and held to what it must be. */
function shapeOf(json: string, { field }: Pick<Shape, 'field'>): Shape | null {
  // A text of its own: slices of the network read would keep all of it.
  const own = JSON.parse(JSON.stringify(json)) as string;
  const openings = own.matchAll(field === 'content' ? /"content"\s*:\s*"/g : /"reasoning_content"\s*:\s*"/g);
  let places = 0;
  for (const { index, 0: opening } of openings) {
    if (++places > MOST_PLACES) return null;
    const from = index + opening.length;
    const before = own.slice(0, from);
    const after = own.slice(closing(own, from));
    const frame = parsed(`${before}${PROBE}${after}`);
    const place = textPlace(frame);
    if (place?.field !== field || place.delta[field] !== PROBE) continue;
    const expected = JSON.parse(own) as unknown;
    const meant = textPlace(expected);
    // Already the probe: of a key that stands twice, the other one may be what counts.
    if (meant === null || meant.delta[field] === PROBE) return null;
    meant.delta[field] = PROBE;
    if (JSON.stringify(expected) === JSON.stringify(frame)) return { before, after, frame, ...place };
  }
  return null;
}

/** Stands in the place of a frame's text; a frame whose own text it is teaches nothing. */
export const PROBE = 'the text of this frame stands here';

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** The place of the quote that ends the string which begins there. */
function closing(json: string, from: number): number {
  let place = from;
  while (place < json.length && json.charCodeAt(place) !== 0x22) place += json.charCodeAt(place) === 0x5c ? 2 : 1;
  return place;
}
