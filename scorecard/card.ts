import type { Json } from './feature.ts';
import { VERDICTS, type Verdict } from './verdict.ts';

/** What was tried for a cell, and what came of it. */
export interface Evidence {
  readonly verdict: Verdict;
  readonly why: string;
  readonly asked: Json;
  readonly came: Json;
  readonly receipt: readonly Json[];
  /** The vendor's requests; null on a live backend. */
  readonly sent: readonly Json[] | null;
}

/** One feature on one model of one backend. */
export interface Cell {
  /** `feature/backend/model` */
  readonly id: string;
  readonly feature: string;
  readonly backend: string;
  readonly model: string;
  readonly verdict: Verdict;
  readonly why: string;
  readonly evidence: readonly Evidence[];
}

export interface Row {
  readonly id: string;
  readonly group: string;
  readonly title: string;
}

export interface Column {
  readonly backend: string;
  readonly vendor: string;
  readonly protocol: string;
  readonly model: string;
  readonly kind: string;
}

export interface Totals {
  readonly cells: number;
  readonly tested: number;
  readonly counts: Readonly<Record<Verdict, number>>;
}

/** The whole card. The same run gives the same bytes, but for `day`, which only a live one has. */
export interface Card {
  readonly object: 'estafet.scorecard';
  readonly release: string;
  readonly catalog: string;
  readonly against: 'simulator' | 'live';
  readonly day: string | null;
  readonly rows: readonly Row[];
  readonly columns: readonly Column[];
  readonly cells: readonly Cell[];
  /** By backend. */
  readonly totals: Readonly<Record<string, Totals>>;
}

export function totalsOf(cells: readonly Cell[]): Record<string, Totals> {
  const totals: Record<string, Totals> = {};
  for (const backend of new Set(cells.map((cell) => cell.backend))) {
    const own = cells.filter((cell) => cell.backend === backend);
    const counts = Object.fromEntries(
      VERDICTS.map((verdict) => [verdict, own.filter((cell) => cell.verdict === verdict).length]),
    ) as Record<Verdict, number>;
    totals[backend] = { cells: own.length, tested: own.length - counts.untested, counts };
  }
  return totals;
}
