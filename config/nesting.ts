import { Lexer } from 'yaml';

/**
 * Offset of the first bracket, brace or dash that stands deeper than `deepest` levels of its own kind, or null. The YAML parser recurses,
 * and thousands of levels exhaust its stack before it can say where; its lexer does not. Levels by indentation are not counted here: each
 * costs a line as long as itself, so that the bound on the file bounds them.
 */
export function tooDeepAt(text: string, deepest: number): number | null {
  let offset = 0;
  let open = 0;
  let dashes = 0;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (isScalar) isScalar = false;
    else if (token === SCALAR_FOLLOWS) {
      isScalar = true;
      continue;
    } else if (token === DOCUMENT || token === FLOW_ERROR) continue;
    else if (token === '[' || token === '{') open++;
    else if (token === ']' || token === '}') open = Math.max(0, open - 1);
    else if (token === '-') dashes++;
    else if (token === '\n' || token === '\r\n') dashes = 0;
    if (open > deepest || dashes > deepest) return offset;
    offset += token.length;
  }
  return null;
}

/** Tokens of the lexer that stand for no text. */
const DOCUMENT = '\u0002';
const FLOW_ERROR = '\u0018';
const SCALAR_FOLLOWS = '\u001f';
