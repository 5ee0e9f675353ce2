import { loadCatalog } from '../catalog/catalog.ts';
import { parseConfig } from '../config/load.ts';
import { ChatWants } from '../relay/chat/chat-wants.ts';
import { PriceList } from '../relay/ledger/price-list.ts';
import { permitOf } from '../relay/relay.ts';
import { Latencies } from '../relay/routing/latencies.ts';
import { latencyPlaces, placeName, RouteTable } from '../relay/routing/route-table.ts';
import { Selection } from '../relay/routing/selection.ts';
import { translatorFor, VENDORS } from '../translators/registry.ts';
import { table } from './figures.ts';
import { type Machine, pinsOf } from './report.ts';
import { leastMicros } from './translate.ts';

const TO = '[q/qwen-plus, e/ernie-4.5-turbo-128k, g/glm-4.6]';

/** Ways to choose among three candidates, by the name of the model that is asked for. */
const WAYS = {
  order: TO,
  weighted: `{ strategy: weighted, affinity: off, to: ${TO} }`,
  'weighted, affinity': `{ strategy: weighted, affinity: on, to: ${TO} }`,
  latency: `{ strategy: latency, affinity: off, to: ${TO} }`,
  'latency, affinity': `{ strategy: latency, affinity: on, to: ${TO} }`,
  cost: `{ strategy: cost, to: ${TO} }`,
} as const;

const ROUNDS = 15;
const ROUND_MS = 20;
/** Reading the clock costs as much as a choice. */
const AT_ONCE = 100;

/** CPU of this process, its collector's threads included, as the relay's is counted: who else has the core does not matter. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** What choosing costs by itself: from the name of the model to candidates in order, their reasons included, in µs of CPU. */
export function routingMicros(rounds = ROUNDS, roundMs = ROUND_MS): Record<keyof typeof WAYS, number> {
  const text = `backends:
  q: { vendor: qwen, apiKey: 'env:K' }
  e: { vendor: ernie, apiKey: 'env:K' }
  g: { vendor: glm, apiKey: 'env:K' }
models:
${Object.entries(WAYS)
  .map(([name, entry]) => `  '${name}': ${entry}`)
  .join('\n')}
teams: { t: { permit: { vendors: [qwen, ernie, glm], regions: ['*'] } } }
keys: [{ name: k, team: t, key: 'sha256:${'0'.repeat(64)}' }]
`;
  const readFile = (path: string): never => {
    throw new Error(`no file is read: ${path}`);
  };
  const parsed = parseConfig(text, { file: 'bench.yaml', env: { K: 'id.secret' }, readFile, vendors: VENDORS });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const { config } = parsed;
  const [key] = config.keys;
  const team = config.teams['t'];
  if (key === undefined || team === undefined) throw new Error('the configuration of the bench has no key');
  const permit = permitOf({ key, team });
  const catalog = loadCatalog();
  const routes = new RouteTable(config, catalog, translatorFor);
  const latencies = new Latencies(latencyPlaces(config), () => performance.now());
  const prices = new PriceList(catalog, new Date().toISOString().slice(0, 10));
  const selection = new Selection({ priceOf: (backend, model) => prices.price(backend, model), latencies, random: Math.random });
  const request = {
    model: '',
    messages: [
      { role: 'system' as const, content: 'You answer questions about the shop, in one paragraph. '.repeat(40) },
      { role: 'user' as const, content: 'When does it open, and how do I get there by train?' },
    ],
  };
  const choose = (name: string): (() => void) => {
    const run = (): readonly string[] => {
      const route = routes.route(name, permit, 'chat');
      if (!route.ok) throw new Error(`no route: ${route.why}`);
      const wants = new ChatWants(request, 'k', { expected: () => ({ prompt: 500, completion: 500 }) });
      return selection.choose(route, wants).candidates.map(placeName);
    };
    // Something is known of each place, or there is nothing to compare.
    for (const place of run()) latencies.begin(place, false).ended(100);
    return run;
  };
  const micros = Object.keys(WAYS).map((name) => {
    const work = choose(name);
    const many = (): void => {
      for (let times = 0; times < AT_ONCE; times++) work();
    };
    leastMicros(many, 3, roundMs, cpuMs);
    return [name, leastMicros(many, rounds, roundMs, cpuMs) / AT_ONCE];
  });
  return Object.fromEntries(micros);
}

/** What is promised of the share. */
const MOST_SHARE = 0.03;

/**
 * The least of both, since what disturbs a round only ever adds: the share is not made smaller by a busy machine.
 * @param micros of a choice, by strategy
 * @param requestMicros CPU of the whole relay per request, asked as fast as it can answer, round by round
 */
export function routingReport(machine: Machine, micros: Readonly<Record<string, number>>, requestMicros: readonly number[]): string {
  const request = Math.min(...requestMicros);
  const rows = Object.entries(micros).map(([name, cost]) => [name, cost.toFixed(2), percent(cost / request)]);
  const dearest = Math.max(...Object.values(micros)) / request;
  return `Estafet bench of routing, ${machine.at}
machine  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}; ${pinsOf(machine.pinned, 'relay', 'choices, mock and load')}
software Node ${machine.node}, commit ${machine.commit}
load     one request of two messages (2 KB), three candidates; the least of ${ROUNDS} rounds of ${ROUND_MS} ms
request  ${request.toFixed(0)} µs of CPU, all that the relay does for one, without a stream; the least of ${requestMicros.length} rounds

${table([['strategy', 'µs/choice', 'of a request'], ...rows])}

the dearest strategy is ${percent(dearest)} of a request: ${dearest < MOST_SHARE ? 'under' : 'NOT under'} ${percent(MOST_SHARE)}
`;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
