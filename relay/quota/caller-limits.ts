import type { Config } from '../../config/config.ts';
import type { Caller } from '../keys/key-ring.ts';
import type { NamedLimit } from './caller-levels.ts';
import type { OnStoreLoss } from './guarded-quota.ts';
import { configuredLimits, type Limit } from './limits.ts';
import { ModelEntries } from './model-entries.ts';

/** Patterns let callers make up names: no more than these are remembered for a key. */
const MOST_NAMES = 1000;

/** What holds for one request. */
export interface HoldingLimits {
  readonly limits: readonly Limit[];
  /** Null: what the model has been seen to write. */
  readonly outputReserve: number | null;
}

/** The limits of one key: its team's and its own, for all requests and for those of single models. */
export class CallerLimits {
  readonly owner: string;
  readonly onStoreLoss: OnStoreLoss;
  readonly #always: HoldingLimits;
  /** Of the key, then of its team. */
  readonly #models: readonly ModelEntries[];
  readonly #byName = new Map<string, HoldingLimits>();

  constructor({ key, team }: Pick<Caller, 'key'> & { readonly team: Config['teams'][string] }) {
    const timeZone = team.timeZone ?? 'UTC';
    const [ofTeam, ofKey] = [{ kind: 'team', team: team.name } as const, { kind: 'key', key: key.name } as const];
    this.owner = `team/${team.name}`;
    this.onStoreLoss = team.onStoreLoss;
    this.#always = {
      limits: [...configuredLimits(ofTeam, team.limits ?? {}, timeZone), ...configuredLimits(ofKey, key.limits ?? {}, timeZone)],
      outputReserve: key.limits?.outputReserve ?? team.limits?.outputReserve ?? null,
    };
    this.#models = [new ModelEntries(ofKey, key.limits?.models, timeZone), new ModelEntries(ofTeam, team.limits?.models, timeZone)];
  }

  /** All that can hold for a request of this key: its team's first. */
  get all(): readonly NamedLimit[] {
    const [ofKey, ofTeam] = this.#models as [ModelEntries, ModelEntries];
    return [...this.#always.limits.map((limit) => ({ limit, model: null })), ...ofTeam.limits, ...ofKey.limits];
  }

  /** @param asked the caller's model name, as it came */
  holding(asked: string): HoldingLimits {
    const [ofKey, ofTeam] = this.#models as [ModelEntries, ModelEntries];
    if (ofKey.size === 0 && ofTeam.size === 0) return this.#always;
    const known = this.#byName.get(asked);
    if (known !== undefined) return known;
    const [own, common] = [ofKey.find(asked), ofTeam.find(asked)];
    const holding: HoldingLimits = {
      limits: [...this.#always.limits, ...(common?.limits ?? []), ...(own?.limits ?? [])],
      outputReserve: own?.outputReserve ?? common?.outputReserve ?? this.#always.outputReserve,
    };
    if (this.#byName.size < MOST_NAMES) this.#byName.set(asked, holding);
    return holding;
  }
}
