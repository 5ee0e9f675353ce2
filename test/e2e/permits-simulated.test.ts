import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadCatalog } from '../../catalog/catalog.ts';
import type { Config } from '../../config/config.ts';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import type { LedgerStore } from '../../relay/ledger/ledger-store.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { VENDORS } from '../../translators/registry.ts';
import { type Desk, digestOf, openRelay } from '../http/desk.ts';
import { country, mmdb } from '../relay/mmdb-writer.ts';
import { type Verdict, verdict } from './permit-oracle.ts';
import {
  ALIASES,
  COUNTRIES,
  type KeyName,
  type Kind,
  MODELS,
  PLACES,
  type PlaceName,
  type Rules,
  type Wish,
  type World,
  world,
} from './permit-world.ts';

/**
 * Over random configurations, on every surface, with backends that fail in every way that makes the relay try again, rotate keys, queue or
 * fall back, and with a reload among the requests: no vendor hears of a request that had no permit to go there, whoever has a permitted
 * backend that is well is served, and whoever has none is told so by the right code. Witness is what the simulated vendors have seen.
 */
const KEYS: Readonly<Record<KeyName, string>> = { plain: 'sk-test-plain-0123456789', narrowed: 'sk-test-narrowed-0123456789' };
const PATHS = { chat: 'chat/completions', embedding: 'embeddings', rerank: 'rerank' } as const;

/** Read once, and no database: either takes longer than all that is asked in one world. */
const catalog = loadCatalog();
const NO_BOOKS: LedgerStore = {
  open: async () => {},
  write: async (lines) => lines.length,
  usage: async () => [],
  spent: async () => [],
  prune: async () => 0,
  truths: async () => [],
  close: async () => {},
};

let simulator: Simulator;
const folder = mkdtempSync(join(tmpdir(), 'estafet-permits-'));
const table = join(folder, 'countries.mmdb');
beforeAll(async () => {
  simulator = await startSimulator({ journalLimit: 10_000 });
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

function configOf(rules: Rules, natures: World['natures']): Config {
  const env: Record<string, string> = { BAD: 'id.secret-of-nobody' };
  const backends = PLACES.map(({ name, vendor, at, protocol, key }) => {
    const { badKey, narrow, fault } = natures[name];
    const { url, regionUrls, protocolUrls, keys = [] } = present(simulator.vendors[vendor]);
    const native = protocolUrls?.[protocol]?.slice(url.length);
    env[name.toUpperCase()] = present(keys.find((row) => row.name === key)).key;
    const good = `env:${name.toUpperCase()}`;
    const more = {
      ...(badKey ? { apiKeys: ['env:BAD', good] } : { apiKey: good }),
      ...(narrow ? { concurrency: 1, queue: { max: 100, waitMs: 20_000 } } : {}),
    };
    const baseUrl = native === undefined ? regionUrls[at] : `${url}/~${at}${native}`;
    return [name, { vendor, protocol, region: rules.labels[name], baseUrl, retries: fault === 'reset' ? 2 : 0, ...more }];
  });
  const permit = (lists: object | null): object => (lists === null ? {} : { permit: lists });
  const written = {
    server: { port: 0, drainTimeoutMs: 100, trustedProxies: rules.trustedProxies, countries: table },
    backends: Object.fromEntries(backends),
    models: Object.fromEntries(
      Object.entries(rules.aliases).map(([alias, names]) => [
        alias,
        { strategy: rules.strategy, to: names.map((name) => ({ to: `${name}/${modelAt(name, alias)}` })) },
      ]),
    ),
    teams: { t: { ...permit(rules.team), moderationFallback: rules.moderationFallback } },
    keys: Object.entries(KEYS).map(([name, key]) => ({ name, team: 't', key: digestOf(key), ...permit(rules.keys[name as KeyName]) })),
  };
  const result = parseConfig(JSON.stringify(written), { file: 'test', env, readFile: readFileSync, vendors: VENDORS });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

const present = <T>(value: T | null | undefined): T => {
  if (value == null) throw new Error('the simulator lacks something that this test needs');
  return value;
};
const placeOf = (name: PlaceName) => present(PLACES.find((place) => place.name === name));
const modelAt = (name: PlaceName, alias: string): string => MODELS[placeOf(name).vendor][present(ALIASES[alias])];

interface Told {
  readonly id: string;
  readonly status: number;
  readonly code: string | null;
  readonly whole: boolean;
}

async function ask(desk: Desk, { key, kind, model, stream, forwardedFor }: Wish): Promise<Told> {
  const body = {
    chat: { model, stream, messages: [{ role: 'user', content: '[[sim:tokens n=4]]' }] },
    embedding: { model, input: ['a', 'b'] },
    rerank: { model, query: 'q', documents: ['a', 'b'] },
  }[kind];
  const forwarded = forwardedFor === null ? {} : { 'x-forwarded-for': forwardedFor.join(', ') };
  const answer = await fetch(`${desk.url}/v1/${PATHS[kind]}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEYS[key]}`, 'content-type': 'application/json', ...forwarded },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  const { error } = answer.status === 200 ? { error: null } : (JSON.parse(text) as { error: { code: string | null } });
  // OpenAI gives no code to a model that is asked for something else than it is for.
  const code = error === null ? null : (error.code ?? (answer.status === 404 ? 'wrong_endpoint' : null));
  const whole = answer.status === 200 && (kind !== 'chat' || !stream || text.includes('data: [DONE]'));
  return { id: answer.headers.get('x-request-id') ?? '', status: answer.status, code, whole };
}

/** What has been seen of one request: of each attempt, and of each call of an attempt. */
function seenBy(id: string): PlaceName[] {
  return simulator
    .journal()
    .filter(({ headers }) => headers['x-request-id'] === id || headers['x-request-id']?.startsWith(`${id}-`))
    .map(({ vendor, region }) => present(PLACES.find((place) => place.vendor === vendor && place.at === region)).name);
}

/** `GET /v1/models` names what this key may ask for, and nothing else. */
async function judgeList(desk: Desk, key: KeyName, rules: Rules, natures: World['natures']): Promise<void> {
  const answer = await fetch(`${desk.url}/v1/models`, { headers: { authorization: `Bearer ${KEYS[key]}` } });
  const { data = [] } = (await answer.json()) as { data?: { id: string }[] };
  const open = ['m', 'emb', 'rr'].filter(
    (model) => verdict({ key, kind: ALIASES[model] as Kind, model, stream: false, forwardedFor: null }, rules, natures).refused === null,
  );
  expect(data.map(({ id }) => id).filter((id) => Object.hasOwn(ALIASES, id))).toEqual(open);
  if (open.length > 0) count('listed');
}

const counts: Record<string, number> = {};
const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);

/** @param verdicts one, or those of before and after a reload, of which any may hold */
function judge(wish: Wish, told: Told, verdicts: readonly Verdict[]): void {
  const context = JSON.stringify({ wish, told });
  const permitted = verdicts.flatMap(({ places }) => [...places]);
  for (const name of seenBy(told.id)) expect(permitted, `${name} has seen ${context}`).toContain(name);
  if (verdicts.every(({ served }) => served)) {
    expect(told, context).toMatchObject({ status: 200, whole: true });
    count(`served ${wish.kind}`);
  }
  if (verdicts.every(({ refused }) => refused !== null)) {
    expect(
      verdicts.map(({ refused }) => refused),
      context,
    ).toContain(told.code);
    expect(seenBy(told.id), context).toEqual([]);
    count(told.code as string);
  } else if (verdicts.length === 1) expect(REFUSALS, context).not.toContain(told.code);
}

const REFUSALS: readonly string[] = ['unsupported_country_region_territory', 'model_not_found', 'region_not_permitted', 'wrong_endpoint'];

test('no packet where no permit leads, an answer wherever one leads', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ natures, first, second, badTable, before, across, after }) => {
      simulator.reset();
      for (const { name, vendor, at } of PLACES) {
        const [fault = '', ...args] = natures[name].fault.split(' ');
        if (fault !== 'none')
          simulator.setFault({ name: fault, vendor, region: at, args: Object.fromEntries(args.map((arg) => arg.split('='))) });
      }
      writeFileSync(table, mmdb(Object.fromEntries(Object.entries(COUNTRIES).map(([network, code]) => [network, country(code)]))));
      const desk = await openRelay(configOf(first, natures), { catalog, ledger: NO_BOOKS, random: () => 0.01 });
      const judged = (wish: Wish, ...rules: Rules[]) => rules.map((one) => verdict(wish, one, natures));
      try {
        const early = await Promise.all(before.map((wish) => ask(desk, wish)));
        for (const [index, wish] of before.entries()) judge(wish, early[index] as Told, judged(wish, first));

        const running = Promise.allSettled(across.map((wish) => ask(desk, wish)));
        const next = configOf(second, natures);
        if (badTable) writeFileSync(table, 'rubbish');
        const applied = await desk.relay.apply(next).then(
          () => true,
          () => false,
        );
        expect(applied).toBe(!badTable);
        if (!applied) count('reload refused');
        // What cannot be used changes nothing.
        const inForce = applied ? second : first;
        const late = await Promise.all(after.map((wish) => ask(desk, wish)));
        for (const [index, wish] of after.entries()) judge(wish, late[index] as Told, judged(wish, inForce));
        const told = (await running).map((one) => {
          if (one.status === 'rejected') throw one.reason;
          return one.value;
        });
        for (const [index, wish] of across.entries()) judge(wish, told[index] as Told, judged(wish, first, inForce));
        for (const key of ['plain', 'narrowed'] as const) await judgeList(desk, key, inForce, natures);
        // Nobody has sent anything besides.
        const all = [...early, ...told, ...late].flatMap(({ id }) => seenBy(id));
        expect(simulator.journal()).toHaveLength(all.length);
        for (const wish of after) {
          const [old, now] = judged(wish, first, inForce);
          if (old?.refused === null && now?.refused !== null) count('access lost by the reload');
        }
      } finally {
        await desk.close();
      }
      for (const { attempts } of desk.records) {
        const made = attempts.filter(({ unsent }) => unsent !== true);
        if (attempts.some(({ queuedMs }) => queuedMs !== undefined)) count('queued');
        if (made.some(({ error }) => error === 'content_filter') && made.length > 1 && made.at(-1)?.error === null)
          count('moderated, then answered');
        for (const [index, { backend, error }] of made.entries()) {
          const last = made[index - 1];
          if (last === undefined) continue;
          count(last.backend !== backend ? 'fallback' : last.error === 'upstream_auth' ? 'other key' : 'retry');
          if (error === null && last.backend !== backend) count('answered by another');
        }
      }
    }),
    { numRuns: 60, seed: 7, endOnFailure: true },
  );
  // The property would hold of a relay that asks nobody, and of worlds in which nothing happens.
  const rare = HAPPENS.filter((what) => (counts[what] ?? 0) < 5);
  expect(rare, JSON.stringify(counts)).toEqual([]);
});

const HAPPENS = [
  ...['served chat', 'served embedding', 'served rerank', 'listed', 'access lost by the reload', 'reload refused'],
  ...['retry', 'other key', 'fallback', 'answered by another', 'moderated, then answered', 'queued'],
  ...REFUSALS,
];
