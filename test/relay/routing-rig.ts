import { loadCatalog } from '../../catalog/catalog.ts';
import type { Price } from '../../catalog/price.ts';
import type { Backend } from '../../config/config.ts';
import { ChatWants } from '../../relay/chat/chat-wants.ts';
import { permitOf } from '../../relay/relay.ts';
import type { Choice } from '../../relay/routing/decision.ts';
import { Latencies } from '../../relay/routing/latencies.ts';
import { type Candidate, latencyPlaces, placeName, RouteTable } from '../../relay/routing/route-table.ts';
import { Selection, type Wants } from '../../relay/routing/selection.ts';
import { translatorFor } from '../../translators/registry.ts';
import { configOf, digestOf } from '../http/desk.ts';

/** A request that needs nothing in particular. */
export const PLAIN_WANTS: Wants = {
  stream: false,
  lacking: () => null,
  tight: () => false,
  expected: () => ({ prompt: 1_000, completion: 100 }),
  conversation: () => null,
};

export interface RoutingOptions {
  readonly random?: () => number;
  readonly permit?: string;
  /** YAML of the catalogue's overrides. */
  readonly catalog?: string;
  readonly priceOf?: (backend: Backend, model: string) => Price | null;
}

/** Routes of a configuration with four backends, `q1`, `q2` (Singapore), `ernie` and `glm`, and the selection behind them. */
export function routing(models: string, options: RoutingOptions = {}) {
  const { random = () => 0, permit = "{ vendors: [qwen, ernie, glm], regions: ['*'] }", catalog = '{}', priceOf = () => null } = options;
  const config = configOf(
    `backends:
  q1: { vendor: qwen, apiKey: 'env:K' }
  q2: { vendor: qwen, region: ap-southeast-1, apiKey: 'env:K' }
  ernie: { vendor: ernie, apiKey: 'env:K' }
  glm: { vendor: glm, apiKey: 'env:K' }
models: ${models}
catalog: ${catalog}
teams: { t: { permit: ${permit} } }
keys: [{ name: k, team: t, key: '${digestOf('k'.repeat(20))}' }]
`,
    { K: 'id.secret' },
  );
  const clock = { ms: 0 };
  const routes = new RouteTable(config, loadCatalog().with(config.catalog), translatorFor);
  const latencies = new Latencies(latencyPlaces(config), () => clock.ms);
  const selection = new Selection({ priceOf, latencies, random });
  const [key] = config.keys;
  const team = config.teams['t'];
  if (key === undefined || team === undefined) throw new Error('no key');
  const caller = permitOf({ key, team });
  const choose = (asked: string, wants: Partial<Wants> = {}): Choice<Candidate> => {
    const route = routes.route(asked, caller);
    if (!route.ok) throw new Error(`no route for ${asked}: ${route.why}`);
    return selection.choose(route, wants instanceof ChatWants ? wants : { ...PLAIN_WANTS, ...wants });
  };
  const places = (asked: string, wants: Partial<Wants> = {}): string[] | string => {
    const route = routes.route(asked, caller);
    return route.ok ? choose(asked, wants).candidates.map(placeName) : route.why;
  };
  const first = (asked: string): Candidate => choose(asked).candidates[0] as Candidate;
  return { config, routes, caller, choose, places, first, latencies, clock };
}
