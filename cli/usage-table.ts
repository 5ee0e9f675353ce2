import type { Currency } from '../relay/ledger/ledger-entry.ts';
import { decimal } from '../relay/ledger/money.ts';
import { addUsage, NO_USAGE, type UsageGroup, type UsageRow, type UsageTotals } from '../relay/ledger/usage.ts';
import { textTable } from './text-table.ts';
import type { OpenTold, UsageOwner } from './usage-owner.ts';

export const FORMATS = ['table', 'csv', 'json'] as const;
export type Format = (typeof FORMATS)[number];

const CURRENCIES: readonly Currency[] = ['CNY', 'USD'];

/** Columns of table and CSV, and the fields of JSON. */
const COUNTS = {
  requests: 'requests',
  failed: 'failed',
  refused: 'refused',
  clientGone: 'client_gone',
  promptTokens: 'prompt_tokens',
  paidPromptTokens: 'paid_prompt_tokens',
  cachedTokens: 'cached_tokens',
  completionTokens: 'completion_tokens',
  reasoningTokens: 'reasoning_tokens',
  estimated: 'estimated',
  expired: 'expired',
  unpriced: 'unpriced',
} as const satisfies Partial<Record<keyof UsageTotals, string>>;

/** Usage as text. Money is exact, in a column for each currency and never added up across them. */
export function formatUsage(rows: readonly UsageRow[], by: UsageGroup, format: Format): string {
  if (format === 'json') return `${JSON.stringify({ by, rows: rows.map((row) => ({ [by]: row.group, ...jsonOf(row) })) }, null, 2)}\n`;
  if (format === 'csv') return csv([header(by, CURRENCIES), ...rows.map((row) => cells(row.group, row, CURRENCIES))]);
  if (rows.length === 0) return 'no usage\n';
  const currencies = CURRENCIES.filter((currency) => rows.some(({ costNano }) => costNano[currency] !== undefined));
  const total = rows.reduce<UsageTotals>(addUsage, NO_USAGE);
  const body = rows.map((row) => cells(row.group, row, currencies));
  const lines = [...body, ...(rows.length > 1 ? [cells('total', total, currencies)] : [])];
  return textTable([header(by, currencies), ...lines.map(([name = '', ...rest]) => [name || '(none)', ...rest])], 1) + footnotes(total);
}

/** One key's or team's usage as JSON: as `formatUsage`, and its sum, its refusals by limit, and what its running requests have reserved. */
export function usageOfOwner(
  rows: readonly UsageRow[],
  by: UsageGroup,
  { key, id, team }: UsageOwner,
  refusals: ReadonlyMap<string, number>,
  told: OpenTold,
): string {
  const total = rows.reduce<UsageTotals>(addUsage, NO_USAGE);
  const report = {
    ...(key === null ? { team } : { key, id, team }),
    requests: total.requests,
    tokens: total.promptTokens + total.completionTokens,
    cost: costJson(total.costNano),
    open: told.open && { count: told.open.count, tokens: told.open.tokens, cost: costJson(told.open.costNano) },
    open_unknown: told.open === null ? told.reason : null,
    refusals: Object.fromEntries(refusals),
    by,
    rows: rows.map((row) => ({ [by]: row.group, ...jsonOf(row) })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

const costJson = (costNano: UsageTotals['costNano']): Record<string, string> =>
  Object.fromEntries(Object.entries(costNano).map(([currency, nano]) => [currency, decimal(nano)]));

function jsonOf(totals: UsageTotals): Record<string, unknown> {
  const counts = Object.fromEntries(Object.entries(COUNTS).map(([field, name]) => [name, totals[field as keyof typeof COUNTS]]));
  return { ...counts, cost: costJson(totals.costNano) };
}

const header = (by: UsageGroup, currencies: readonly Currency[]): string[] => [
  by,
  ...Object.values(COUNTS),
  ...currencies.map((currency) => `cost_${currency.toLowerCase()}`),
];

function cells(name: string, totals: UsageTotals, currencies: readonly Currency[]): string[] {
  const counts = (Object.keys(COUNTS) as (keyof typeof COUNTS)[]).map((field) => String(totals[field]));
  return [
    name,
    ...counts,
    ...currencies.map((currency) => {
      const nano = totals.costNano[currency];
      return nano === undefined ? '' : decimal(nano);
    }),
  ];
}

function footnotes({ estimated, expired, unpriced }: UsageTotals): string {
  const notes = [
    ...(unpriced > 0 ? [`unpriced: no price is known for ${unpriced} answered requests; their cost is not included.`] : []),
    ...(estimated > 0 ? [`estimated: for ${estimated} requests the vendor gave no count; the relay's estimate is used.`] : []),
    ...(expired > 0 ? [`expired: ${expired} requests ended when their process died; what was reserved for them is used.`] : []),
  ];
  return notes.length === 0 ? '' : `\n${notes.join('\n')}\n`;
}

/** RFC 4180, with a quote before what a spreadsheet would take for a formula: names come from people. */
function csv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => {
    const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
