import type { Card, Cell } from './card.ts';
import { VERDICTS, type Verdict } from './verdict.ts';

const MEANING: Readonly<Record<Verdict, string>> = {
  exact: 'as OpenAI would answer; at most, names were changed',
  emulated: 'works, by a method that the receipt names',
  degraded: 'there is an answer, and the receipt says what is missing',
  refused: 'an error in OpenAI’s format that names the field',
  failed: 'a broken promise, or a change that is not in the receipt',
  untested: 'not tried',
};

/** The card as a page: totals, a table for each group of features, and why each cell is not exact. */
export function cardMarkdown(card: Card): string {
  const backends = Object.keys(card.totals);
  const groups = [...new Set(card.rows.map(({ group }) => group))];
  return `${[
    '# Scorecard',
    intro(card),
    table(
      ['verdict', 'meaning'],
      VERDICTS.map((verdict) => [verdict, MEANING[verdict]]),
    ),
    '## Totals',
    totals(card),
    '## Models',
    table(
      ['backend', 'vendor', 'protocol', 'models'],
      backends.map((backend) => {
        const own = card.columns.filter((column) => column.backend === backend);
        return [backend, own[0]?.vendor ?? '', own[0]?.protocol ?? '', own.map(({ model }) => `\`${model}\``).join(', ')];
      }),
    ),
    ...groups.flatMap((group) => [`## ${group}`, groupTable(card, group, backends)]),
    '## Why not exact',
    reasons(card),
  ].join('\n\n')}\n`;
}

function intro({ release, catalog, against, day }: Card): string {
  const how = against === 'simulator' ? 'against the built-in simulator' : `against live backends, on ${day}`;
  return `Every feature was requested through a relay over HTTP, ${how}. Estafet ${release}, catalogue ${catalog}. A cell has the verdict of the
backend’s first model, followed by the models that differ. The [guide](../guide/scorecard.md) explains the verdicts.`;
}

function totals({ totals: all }: Card): string {
  return table(
    ['backend', 'cells', 'tested', 'works (exact or emulated)', ...VERDICTS],
    Object.entries(all).map(([backend, { cells, tested, counts }]) => [
      backend,
      String(cells),
      share(tested, cells),
      share(counts.exact + counts.emulated, tested),
      ...VERDICTS.map((verdict) => String(counts[verdict])),
    ]),
  );
}

/** In per mille arithmetic, so that the digits never depend on a float. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const tenths = Math.round((part * 1000) / whole);
  return `${part} (${Math.trunc(tenths / 10)}.${tenths % 10} %)`;
}

function groupTable(card: Card, group: string, backends: readonly string[]): string {
  const rows = card.rows.filter((row) => row.group === group);
  return table(
    ['feature', ...backends],
    rows.map((row) => [
      row.title,
      ...backends.map((backend) => summary(card.cells.filter((cell) => cell.feature === row.id && cell.backend === backend))),
    ]),
  );
}

/** `exact; refused: qwen3-vl-plus` */
export function summary(cells: readonly Cell[]): string {
  const [first] = cells;
  if (first === undefined) return '–';
  const others = VERDICTS.flatMap((verdict) => {
    const models = cells.filter((cell) => cell.verdict === verdict && verdict !== first.verdict).map(({ model }) => model);
    return models.length === 0 ? [] : [`${verdict}: ${models.join(', ')}`];
  });
  return [first.verdict, ...others].join('; ');
}

function reasons(card: Card): string {
  const lines = card.rows.flatMap((row) => {
    const byWhy = new Map<string, { verdict: Verdict; where: Cell[] }>();
    for (const cell of card.cells) {
      if (cell.feature !== row.id || cell.verdict === 'exact') continue;
      // One line for the models of a kind: their names stand in the last column.
      const key = `${cell.verdict} ${cell.why.replaceAll(`'${cell.model}'`, '…')}`;
      const entry = byWhy.get(key) ?? { verdict: cell.verdict, where: [] };
      byWhy.set(key, entry);
      entry.where.push(cell);
    }
    return [...byWhy].map(([key, { verdict, where }]) => [row.title, verdict, key.slice(verdict.length + 1), places(card, row.id, where)]);
  });
  return table(['feature', 'verdict', 'why', 'where'], lines);
}

/** `qwen, glm/glm-5.3`: a backend alone stands for all its models that have the feature. */
function places({ cells, totals }: Card, feature: string, where: readonly Cell[]): string {
  return Object.keys(totals)
    .flatMap((backend) => {
      const own = where.filter((cell) => cell.backend === backend);
      const all = cells.filter((cell) => cell.backend === backend && cell.feature === feature);
      return own.length === all.length && own.length > 0 ? [backend] : own.map(({ model }) => `${backend}/${model}`);
    })
    .join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\s+/g, ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
