import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { page } from '../docs/pages.ts';

/** Every query that we hand out, and where. */
export interface Query {
  readonly where: string;
  readonly expr: string;
}

interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
export const board = JSON.parse(readFileSync('deploy/grafana/estafet.json', 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
};

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}
export const RULES = 'deploy/prometheus/alerts.yaml';
export const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

export const queries: readonly Query[] = [
  ...board.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: `panel ${title}`, expr }))),
  ...board.templating.list
    .filter(({ query }) => query.startsWith('label_values('))
    .map(({ query }) => ({ where: 'variable', expr: query.replace(/^label_values\((\w+), (\w+)\)$/, 'sum by ($2) ($1)') })),
  ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
  ...page('docs/guide/metrics.md')
    .spans.filter((span) => /\(.*estafet_/.test(span))
    .map((expr) => ({ where: 'guide', expr })),
];
