import type { Exchange } from '../exchange.ts';
import type { Estimate } from '../records/request-record.ts';
import type { Place } from '../routing/route-table.ts';
import type { Cost } from './cost.ts';
import { type Currency, clippedName, type LedgerEntry } from './ledger-entry.ts';

/**
 * What goes with a reservation so that another node can book it when this one dies: the fields of the line that are known before the
 * vendor is asked. A list, since it is written once per request; `expiredEntry` reads it.
 */
export function aboutOf(
  { request, caller, arrivedAtMs }: Pick<Exchange, 'request' | 'caller' | 'arrivedAtMs'>,
  surface: { readonly name: string; readonly stream: boolean },
  first: Place | undefined,
  estimate: Estimate,
  cost: Cost | null,
): string {
  return JSON.stringify([
    VERSION,
    arrivedAtMs,
    surface.name,
    caller.team.name,
    caller.key.name,
    clippedName(request.model),
    clippedName(first?.model ?? ''),
    first?.backend.name ?? '',
    first?.backend.vendor ?? '',
    first?.backend.region ?? '',
    surface.stream ? 1 : 0,
    estimate.promptTokens,
    estimate.completionTokens,
    estimate.costNano,
    estimate.currency,
    cost?.priceSource ?? null,
    cost?.priceDate ?? null,
    cost?.priceConfidence ?? null,
  ]);
}

export interface HeldFor {
  readonly key: string;
  readonly tokens: number;
  /** Null for a model without a known price. */
  readonly cost: { readonly costNano: number; readonly currency: Currency } | null;
}

/** Nodes of two releases may share one store. */
const VERSION = 1;
const FIELDS = 18;

/**
 * The line of a request whose node died: what had been reserved stands for what was used, until somebody tells the truth. Null for a
 * reservation that says nothing about itself.
 * @throws Error when it cannot be read
 */
export function expiredEntry(id: string, closedAtMs: number, about: string): LedgerEntry | null {
  if (about === '') return null;
  const fields = parsed(about);
  if (fields === null || fields.length !== FIELDS || fields[0] !== VERSION) {
    throw new Error(`The reservation ${id} ended with its lease and cannot be booked: ${about.slice(0, 200)}`);
  }
  const number = (place: number): number => Number(fields[place] ?? 0);
  const text = (place: number): string => String(fields[place] ?? '');
  const orNull = (place: number): string | null => (fields[place] === null ? null : text(place));
  const costNano = fields[13] === null ? null : number(13);
  return {
    id,
    atMs: number(1),
    surface: text(2),
    team: text(3),
    key: text(4),
    askedModel: text(5),
    servedModel: text(6),
    backend: text(7),
    vendor: text(8),
    region: text(9),
    stream: fields[10] === 1 ? 1 : 0,
    // No answer was ever whole: what a proxy tells of a server that is gone.
    status: 502,
    reason: 'expired',
    errorCode: null,
    promptTokens: number(11),
    paidPromptTokens: number(11),
    completionTokens: number(12),
    cachedTokens: 0,
    reasoningTokens: 0,
    usageSource: 'reserved',
    costNano,
    currency: orNull(14) as Currency | null,
    priceSource: orNull(15),
    priceDate: orNull(16),
    priceConfidence: orNull(17),
    firstByteMs: null,
    totalMs: Math.max(0, closedAtMs - number(1)),
    receipt: null,
    attempts: '[]',
    decision: null,
    estimatePromptTokens: number(11),
    estimateCompletionTokens: number(12),
    estimateCostNano: costNano,
    estimateCurrency: orNull(14) as Currency | null,
    refusedBy: null,
    heldBy: 'store',
  };
}

/** Whose reservation it is; null when it does not say. */
export const keyOf = (about: string): string | null => heldOf(about)?.key ?? null;

/** What an open reservation says of itself: whose it is, and what it expects to use. Null when it says nothing. */
export function heldOf(about: string): HeldFor | null {
  const fields = parsed(about);
  if (fields?.length !== FIELDS || fields[0] !== VERSION) return null;
  const [promptTokens, completionTokens, costNano] = [Number(fields[11]), Number(fields[12]), fields[13]];
  const cost = typeof costNano === 'number' ? { costNano, currency: fields[14] as Currency } : null;
  return { key: String(fields[4]), tokens: promptTokens + completionTokens, cost };
}

function parsed(text: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
