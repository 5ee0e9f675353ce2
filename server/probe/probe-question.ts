import type { Catalog } from '../../catalog/catalog.ts';
import type { Backend } from '../../config/config.ts';
import type { BreakerPlace } from '../../relay/routing/breaker-place.ts';
import { type Question, questionTo } from './question.ts';

export type ProbeQuestion = Exclude<Question, { kind: 'list' }>;

/**
 * What the relay itself asks to learn whether a place works again. A backend or a key by any model, the stated one or else the cheapest; what
 * stands against one model by that model. Limits pass by themselves, and which models there are is not the relay's to find out: these are
 * left to callers.
 *
 * @param cheapest asked where neither the place nor the configuration names a model
 */
export function probeQuestion(
  backend: Backend,
  { cause, model }: BreakerPlace,
  cheapest: () => Question | null,
  catalog: Catalog,
): ProbeQuestion | null {
  const { probe } = backend;
  if (probe === 'off' || cause === 'rate' || cause === 'model') return null;
  const named = model ?? probe.model;
  const question = named === undefined ? cheapest() : questionTo(catalog, backend, named);
  return question === null || question.kind === 'list' ? null : question;
}
