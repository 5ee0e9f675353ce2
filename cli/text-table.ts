/**
 * Rows as aligned text, the first row is the head. So many columns are flush left, the others right; what moves the cursor, ends the
 * line or turns the direction of writing is masked: names come from people.
 */
export function textTable(rows: readonly (readonly string[])[], flushLeft: number): string {
  const clean = rows.map((row) => row.map((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?')));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => width(row[column] ?? ''))));
  const cell = (text: string, column: number): string => {
    const space = ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(text)));
    return column < flushLeft ? text + space : space + text;
  };
  return clean.map((row) => `${row.map(cell).join('  ').trimEnd()}\n`).join('');
}

/** Columns of a terminal: Chinese characters take two. */
const width = (text: string): number =>
  [...text].reduce(
    (sum, char) =>
      sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u.test(char) ? 2 : 1),
    0,
  );
