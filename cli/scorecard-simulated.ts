import { catalogEdition, loadCatalog } from '../catalog/catalog.ts';
import type { Config } from '../config/config.ts';
import { type Card, totalsOf } from '../scorecard/card.ts';
import type { CardModel, Feature } from '../scorecard/feature.ts';
import { runCells } from '../scorecard/run.ts';
import { simulatorLog } from '../scorecard/wire-log.ts';
import { VERSION } from '../server/version.ts';
import { type CardBackend, cardConfig, openCardRelay } from './scorecard-relay.ts';
import { type SimulatedVendor, startSimulator } from './simulate.ts';

/** The columns of the release's own card: of each protocol a plain model, one that thinks, one that sees, and its lists. */
const BACKENDS: Readonly<Record<string, { vendor: string; protocol: string; chat: readonly string[]; embedding: string; rerank: string }>> =
  {
    qwen: {
      vendor: 'qwen',
      protocol: 'compatible',
      chat: ['qwen-plus', 'qwen3.7-plus', 'qwen3-vl-plus'],
      embedding: 'text-embedding-v4',
      rerank: 'qwen3-rerank',
    },
    'qwen-native': {
      vendor: 'qwen',
      protocol: 'native',
      chat: ['qwen-plus', 'qwen3.7-plus', 'qwen3-vl-plus'],
      embedding: 'text-embedding-v4',
      rerank: 'qwen3-rerank',
    },
    ernie: {
      vendor: 'ernie',
      protocol: 'compatible',
      chat: ['ernie-4.5-turbo-128k', 'ernie-5.0-thinking-latest', 'ernie-4.5-turbo-vl-32k'],
      embedding: 'bge-large-zh',
      rerank: 'bce-reranker-base',
    },
    glm: { vendor: 'glm', protocol: 'compatible', chat: ['glm-4.6', 'glm-5.3', 'glm-4.6v'], embedding: 'embedding-3', rerank: 'rerank' },
  };

export interface CardChoice {
  readonly backend?: string;
  readonly model?: string;
}

export function simulatedModels({ backend, model }: CardChoice): CardModel[] {
  const catalog = loadCatalog();
  return Object.entries(BACKENDS).flatMap(([name, { vendor, protocol, chat, embedding, rerank }]) => {
    if (backend !== undefined && !backend.split(',').includes(name)) return [];
    const listed: [string, CardModel['kind']][] = [
      ...chat.map((id) => [id, 'chat'] as [string, 'chat']),
      [embedding, 'embedding'],
      [rerank, 'rerank'],
    ];
    const known = listed.some(([id]) => id === model);
    const wanted =
      model === undefined || known ? listed.filter(([id]) => model === undefined || id === model) : [[model, 'chat'] as [string, 'chat']];
    return wanted.map(([id, kind]) => ({
      backend: name,
      vendor,
      protocol,
      model: id,
      kind,
      alias: `card-${name}-${id}`,
      retired: catalog.model(vendor, id).state === 'retired',
    }));
  });
}

/** Starts simulator and relay, fills the card and ends both. */
export async function simulatedCard(
  models: readonly CardModel[],
  features: readonly Feature[],
  catalog: Config['catalog'] = {},
): Promise<Card> {
  const simulator = await startSimulator();
  try {
    const { config, keys } = cardConfig(simulatedBackends(models, simulator.vendors), models, catalog);
    const relay = await openCardRelay(config, keys, simulatorLog(simulator.admin), Date.parse(catalogEdition().asOf));
    try {
      return cardOf(models, features, await runCells(relay, models, features), null);
    } finally {
      await relay.close();
    }
  } finally {
    simulator.child.kill();
  }
}

function simulatedBackends(models: readonly CardModel[], vendors: Readonly<Record<string, SimulatedVendor>>): Record<string, CardBackend> {
  return Object.fromEntries(
    models.map(({ backend, vendor, protocol }) => {
      const found = vendors[vendor];
      if (found === undefined) throw new Error(`the simulator has no vendor ${vendor}`);
      const baseUrl = protocol === 'compatible' ? found.baseUrl : found.protocolUrls?.[protocol];
      return [backend, { settings: { vendor, protocol, baseUrl }, apiKey: found.key }];
    }),
  );
}

/** @param day of a live card; null for the simulator, whose card is the same every day */
export function cardOf(models: readonly CardModel[], features: readonly Feature[], cells: Card['cells'], day: string | null): Card {
  return {
    object: 'estafet.scorecard',
    release: VERSION,
    catalog: catalogEdition().version,
    against: day === null ? 'simulator' : 'live',
    day,
    rows: features.filter(({ id }) => cells.some(({ feature }) => feature === id)).map(({ id, group, title }) => ({ id, group, title })),
    columns: models.map(({ backend, vendor, protocol, model, kind }) => ({ backend, vendor, protocol, model, kind })),
    cells,
    totals: totalsOf(cells),
  };
}
