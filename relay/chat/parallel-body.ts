import type { UpstreamPlan } from '../../translators/translator.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Where a plan's body has what says how to answer. */
export function parametersOf({ body, parametersIn }: Pick<UpstreamPlan, 'body' | 'parametersIn'>): Fields {
  return parametersIn === undefined ? body : (body[parametersIn] as Fields);
}

/**
 * The body of a parallel call: one seed would give one answer many times, and vendors refuse an id that they have seen.
 *
 * @param requestId of the first call, whose body the plan has
 * @param id of this one
 */
export function parallelBody(plan: Pick<UpstreamPlan, 'body' | 'parametersIn'>, requestId: string, index: number, id: string): Fields {
  const parameters = parametersOf(plan);
  const own: Record<string, unknown> = { ...plan.body };
  const { seed } = parameters;
  if (typeof seed === 'number') {
    // Within 1 and 2^31 - 2, which every vendor takes.
    const other = { seed: 1 + ((seed - 1 + index) % (2 ** 31 - 2)) };
    if (plan.parametersIn === undefined) Object.assign(own, other);
    else own[plan.parametersIn] = { ...parameters, ...other };
  }
  for (const field of Object.keys(own)) if (own[field] === requestId) own[field] = id;
  return own;
}
