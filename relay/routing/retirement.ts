import type { Catalog, Model } from '../../catalog/catalog.ts';
import type { Config, ModelEntry } from '../../config/config.ts';
import { OpenAIError } from '../../openai/errors.ts';

const DAY_MS = 86_400_000;

/** When a model is gone, in ms since the epoch: a day counts from its beginning in UTC, later than anywhere in China, so that nothing that still works is refused. */
export function goneFromMs({ state, shutdown }: Pick<Model, 'state' | 'shutdown'>): number {
  if (state === 'retired') return Number.NEGATIVE_INFINITY;
  return shutdown === null ? Number.POSITIVE_INFINITY : Date.parse(shutdown);
}

/** A configured candidate whose model goes, or is gone. */
export interface Retirement {
  /** Name and place of the candidate in `models`. */
  readonly alias: string;
  readonly form: ModelEntry['form'];
  readonly index: number;
  readonly backend: string;
  readonly model: string;
  readonly forced: boolean;
  readonly shutdown: string | null;
  readonly replacement: string | null;
  /** Whole days until then; 0 or less: it is gone. */
  readonly daysLeft: number;
}

/** The configured candidates whose model is gone within so many days, or already. */
export function retirements(
  { models, backends }: Pick<Config, 'models' | 'backends'>,
  catalog: Catalog,
  nowMs: number,
  days: number,
): Retirement[] {
  return Object.entries(models).flatMap(([alias, { to, form }]) =>
    to.flatMap(({ backend, model, force }, index): Retirement[] => {
      const vendor = backends[backend]?.vendor;
      if (vendor === undefined) return [];
      const facts = catalog.model(vendor, model);
      const gone = goneFromMs(facts);
      const daysLeft = gone <= nowMs ? 0 : Math.ceil((gone - nowMs) / DAY_MS);
      if (daysLeft > days) return [];
      const { shutdown, replacement } = facts;
      return [{ alias, form, index, backend, model, forced: force, shutdown, replacement, daysLeft }];
    }),
  );
}

/** `was retired by its vendor on 2026-07-13; its replacement is qwen3.8-max` */
export function retirementText({ daysLeft, shutdown, replacement }: Pick<Retirement, 'daysLeft' | 'shutdown' | 'replacement'>): string {
  const when = shutdown === null ? '' : ` on ${shutdown}`;
  const what = daysLeft > 0 ? `will be retired by its vendor${when}` : `was retired by its vendor${when}`;
  return replacement === null ? what : `${what}; its replacement is ${replacement}`;
}

/** A vendor's word that it has not the model (any more), with what the catalogue knows of a replacement; any other error as it is. */
export function withReplacement(error: unknown, { id, replacement }: Pick<Model, 'id' | 'replacement'>): unknown {
  if (!(error instanceof OpenAIError) || error.kind !== 'upstream_model_unavailable' || replacement === null) return error;
  return new OpenAIError(error.kind, `${error.message} The replacement of \`${id}\` is ${replacement}.`, error.details);
}
