import { loadCatalog } from '../../catalog/catalog.ts';
import { OpenAIError } from '../../openai/errors.ts';
import { Receipt } from '../../translators/receipt.ts';
import { vectorsFor } from '../../translators/registry.ts';
import type { EmbeddingFacts, ListTranslators, Share, SplitPlan } from '../../translators/vectors-translator.ts';

const catalog = loadCatalog();

export const embeddingFacts = (vendor: string, model: string): EmbeddingFacts => {
  const facts = catalog.embedding(vendor, model);
  if (facts === null) throw new Error(`${vendor} has no embeddings`);
  return facts;
};

/** True when a name that no table knows looks like a vendor's, of a kind. */
export const claims = (kind: 'embedding' | 'rerank', vendor: string, name: string): boolean => catalog.claims(vendor, name, kind);

/** A request as a vendor gets it: the bodies in order, and what became of the fields, `field=fate→to!` (`!` alters the answer). */
export interface Sent {
  readonly path: string;
  readonly bodies: readonly Record<string, unknown>[];
  readonly shares: readonly Share[];
  readonly changes: readonly string[];
}

/** Or the refusal: `status code param`. */
export const outcome = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof OpenAIError)) throw error;
    return `${error.status} ${error.code} ${error.details.param}`;
  }
};

export function translator<K extends keyof ListTranslators>(kind: K, vendor: string, protocol = 'compatible'): ListTranslators[K] {
  const found = vectorsFor(kind, vendor, protocol);
  if (found === null) throw new Error(`${vendor} has no ${kind}`);
  return found;
}

function sent(plan: SplitPlan, receipt: Receipt): Sent {
  return {
    path: plan.path,
    shares: plan.shares,
    bodies: plan.shares.map((share) => plan.body(share)),
    changes: receipt.changes.map(
      ({ field, fate, to, alters }) => `${field}=${fate}${to === undefined ? '' : `→${to}`}${alters ? '!' : ''}`,
    ),
  };
}

/** @param request without its model */
export function embeddingsSent(vendor: string, model: string, request: Record<string, unknown>, strict = false): Sent {
  const receipt = new Receipt(strict);
  return sent(
    translator('embedding', vendor).request({ model: 'asked', input: 'x', ...request }, model, embeddingFacts(vendor, model), receipt),
    receipt,
  );
}

/** @param request without its model */
export function rerankSent(vendor: string, model: string, request: Record<string, unknown>, strict = false): Sent {
  const receipt = new Receipt(strict);
  return sent(translator('rerank', vendor).request({ model: 'asked', query: 'q', documents: ['a'], ...request }, model, receipt), receipt);
}

export const texts = (count: number, text = 'x'): string[] => Array.from({ length: count }, (_, index) => `${text}${index}`);

/** A refusal read by a vendor's table, for the share of a list: `status code param retryAfterMs`. */
export function refusal(
  kind: keyof ListTranslators,
  vendor: string,
  status: number,
  body: unknown,
  share: Share = { from: 0, to: 10 },
): string {
  const { status: told, code, details } = translator(kind, vendor).failure({ status, headers: {}, body: JSON.stringify(body) }, share);
  return `${told} ${code} ${details.param ?? '-'}`;
}
