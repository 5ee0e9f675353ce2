import { loadCatalog } from '../catalog/catalog.ts';
import type { Config } from '../config/config.ts';
import type { Card } from '../scorecard/card.ts';
import type { CardModel, Feature, Kind } from '../scorecard/feature.ts';
import { runCells } from '../scorecard/run.ts';
import { cardConfig, openCardRelay } from './scorecard-relay.ts';
import { type CardChoice, cardOf } from './scorecard-simulated.ts';

const KINDS: readonly string[] = ['chat', 'embedding', 'rerank'] satisfies Kind[];

/** The models that the file sends requests to, by backend; of another model named, every chosen backend's. */
export function configuredModels(config: Config, { backend, model }: CardChoice): CardModel[] {
  const catalog = loadCatalog().with(config.catalog);
  const chosen =
    backend === undefined ? Object.keys(config.backends) : backend.split(',').filter((name) => Object.hasOwn(config.backends, name));
  return chosen.flatMap((name) => {
    const { vendor, protocol } = config.backends[name] as Config['backends'][string];
    const used = Object.values(config.models).flatMap(({ to }) => to.filter((one) => one.backend === name).map((one) => one.model));
    const ids = model === undefined ? [...new Set(used)] : [model];
    return ids.flatMap((id): CardModel[] => {
      const { kind, state } = catalog.model(vendor, id);
      if (!KINDS.includes(kind)) return [];
      return [
        { backend: name, vendor, protocol, model: id, kind: kind as Kind, alias: `card-${name}-${id}`, retired: state === 'retired' },
      ];
    });
  });
}

/** Calls that a live card makes to each backend: one for each request, with `n` as many as choices. Refusals cost none. */
export function liveCalls(models: readonly CardModel[], features: readonly Feature[]): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const model of models) {
    const probes = model.retired
      ? []
      : features.filter(({ kind }) => kind === model.kind).flatMap((feature) => feature.probes(false, model));
    const count = probes.filter(({ refusal }) => refusal === undefined).reduce((sum, { ask }) => sum + Number(ask.body?.['n'] ?? 1), 0);
    calls[model.backend] = (calls[model.backend] ?? 0) + count;
  }
  return calls;
}

/** Fills a card with the file's own backends, addresses, keys and limits; each request goes out once. */
export async function liveCard(config: Config, models: readonly CardModel[], features: readonly Feature[], nowMs: number): Promise<Card> {
  const written = Object.fromEntries(
    Object.entries(config.backends).map(([name, { vendor, protocol }]) => [
      name,
      { settings: { vendor, protocol }, apiKey: 'replaced-below' },
    ]),
  );
  const { config: own, keys } = cardConfig(written, models);
  const backends = Object.fromEntries(
    Object.entries(config.backends).map(([name, backend]) => [name, { ...backend, retries: 0, breaker: 'off' as const }]),
  );
  const relay = await openCardRelay({ ...own, backends, catalog: config.catalog }, keys, null, nowMs);
  try {
    return cardOf(models, features, await runCells(relay, models, features), new Date(nowMs).toISOString().slice(0, 10));
  } finally {
    await relay.close();
  }
}
