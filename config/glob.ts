/**
 * The patterns of permits: `*` stands for any run of characters, everything else for itself. Case matters.
 * No regular expression is built from input: the work is at most pattern length × text length.
 */

/** Does the pattern match the whole text? */
export function globMatches(pattern: string, text: string): boolean {
  return globsOverlap(pattern, text, false);
}

/**
 * Does a permit's pattern cover a region? As `globMatches`, and `cn-*` covers the region `cn` as well: vendors that do not
 * divide a country name it without a zone.
 */
export function regionMatches(pattern: string, region: string): boolean {
  return globMatches(pattern, region) || (pattern.endsWith('-*') && globMatches(pattern.slice(0, -2), region));
}

/** Is there any text that both patterns match? With `starInSecond` false, `*` in the second is an ordinary character. */
export function globsOverlap(first: string, second: string, starInSecond = true): boolean {
  const isStar = (side: string, index: number): boolean => side[index] === '*';
  // reachable[j]: the first i characters of `first` and the first j of `second` can stand for the same text.
  let reachable: boolean[] = [];
  for (let i = 0; i <= first.length; i++) {
    const row: boolean[] = [];
    for (let j = 0; j <= second.length; j++) {
      if (i === 0 && j === 0) {
        row.push(true);
        continue;
      }
      const firstStar = i > 0 && isStar(first, i - 1);
      const secondStar = j > 0 && starInSecond && isStar(second, j - 1);
      const above = i > 0 && reachable[j] === true;
      const left = j > 0 && row[j - 1] === true;
      const diagonal = i > 0 && j > 0 && reachable[j - 1] === true;
      const same = i > 0 && j > 0 && !firstStar && !secondStar && first[i - 1] === second[j - 1];
      row.push((firstStar && (above || left)) || (secondStar && (above || left)) || (same && diagonal));
    }
    reachable = row;
  }
  return reachable[second.length] === true;
}
